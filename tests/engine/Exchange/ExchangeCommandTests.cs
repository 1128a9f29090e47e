using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Exchange;

/// <summary>Invoke-SecureAppExchangeCommand: rows, warnings and errors as the cmdlet has them, and what it must not send.</summary>
public sealed class ExchangeCommandTests : IDisposable
{
    private const string Command = "Invoke-SecureAppExchangeCommand";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "0");
    private readonly Engine _engine;

    public ExchangeCommandTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    private string Customer => _sandbox.Facts.Tenants[0].TenantId;

    /// <summary>Pages of five: the rows come whole, and a page is asked for with the same body again.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(" -AppOnly")]
    public void Every_customers_mailboxes_come_whole_with_the_tenant_on_each(string how)
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/exchange", new { pageSize = 5 });

        Outcome outcome = _engine.Run($"Get-DelegatedTenant | {Command} Get-Mailbox{how}").Succeeded();

        Assert.Equal(3 * 12, outcome.Output.Count);
        foreach (SandboxTenant tenant in _sandbox.Facts.Tenants)
        {
            List<PSObject> mailboxes = [.. outcome.Output.Where(row => (string)row.Properties["PSTenantId"].Value == tenant.TenantId)];
            Assert.Equal(12, mailboxes.Select(row => row.Properties["UserPrincipalName"].Value).Distinct().Count());
            Assert.All(mailboxes, row => Assert.Equal(tenant.DisplayName, row.Properties["PSTenantName"].Value));
        }

        Assert.Equal(3, Asked("Get-Mailbox"));
        Assert.Equal(6, Asked("Get-Mailbox (more)"));
    }

    [Fact]
    public void A_row_has_its_values_and_none_of_the_annotations()
    {
        Outcome outcome = _engine.Run($"{Command} Get-Mailbox @{{ Identity = 'adele.vance' }} -TenantId $customer").Succeeded();

        PSObject row = Assert.Single(outcome.Output);
        Assert.DoesNotContain(row.Properties, property => property.Name.Contains('@'));
        Assert.Equal(new DateTimeOffset(2022, 9, 21, 8, 7, 47, TimeSpan.Zero), Moment(row.Properties["WhenCreated"].Value));
        Assert.Equal("99 GB (106,300,440,576 bytes)", row.Properties["ProhibitSendQuota"].Value);
        Assert.Equal("90.00:00:00", row.Properties["AuditLogAgeLimit"].Value);
        Assert.IsType<object[]>(row.Properties["EmailAddresses"].Value);
    }

    [Fact]
    public void The_own_organization_is_asked_where_no_tenant_is_named()
    {
        Outcome outcome = _engine.Run($"{Command} Get-OrganizationConfig").Succeeded();

        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Property("PSTenantId"));
    }

    [Fact]
    public void Warnings_are_warnings_with_the_tenant_before_them()
    {
        Outcome outcome = _engine.Run($"{Command} Get-Mailbox @{{ ResultSize = 2 }} -TenantId $customer").Succeeded();

        Assert.Equal(2, outcome.Output.Count);
        string warning = Assert.Single(outcome.Warnings);
        Assert.StartsWith(Customer + ": There are more results", warning);
    }

    [Fact]
    public void What_a_cmdlet_does_not_find_is_that_and_the_other_tenants_go_on()
    {
        _engine.Set("name", "adele.vance@" + _sandbox.Facts.Tenants[1].DefaultDomainName);

        Outcome outcome = _engine.Run($"$sandbox.Tenants.TenantId | {Command} Get-CASMailbox @{{ Identity = $name }}");

        Assert.Null(outcome.Failure);
        Assert.Equal(_sandbox.Facts.Tenants[1].TenantId, outcome.Property("PSTenantId"));
        Assert.Equal(2, outcome.Errors.Count);
        Assert.Equal([_sandbox.Facts.Tenants[0].TenantId, _sandbox.Facts.Tenants[2].TenantId], outcome.Errors.Select(error => (string)error.TargetObject).OrderBy(Index));
        Assert.All(outcome.Errors, error =>
        {
            Assert.Equal(ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
            Assert.Contains("couldn't be found", error.Exception.Message);
            Assert.Contains("not in this organization", error.ErrorDetails.RecommendedAction);
            Assert.Equal("ManagementObjectNotFoundException", PSObject.AsPSObject(error.Exception).Properties["Code"].Value);
        });
    }

    [Theory]
    [InlineData("Get-Mailbox @{ Nonsense = 1 }", ErrorCategory.InvalidArgument, "no parameter 'Nonsense'", "-Parameters")]
    [InlineData("Get-Nothing", ErrorCategory.PermissionDenied, "not among the cmdlets", "Check the spelling")]
    public void A_refusal_says_why_and_what_to_do(string call, ErrorCategory category, string why, string advice)
    {
        ErrorRecord error = Assert.Single(_engine.Run($"{Command} {call} -TenantId $customer").Errors);

        Assert.Equal(category, error.CategoryInfo.Category);
        Assert.Contains(why, error.Exception.Message);
        Assert.Contains(advice, error.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData(true, "Exchange.Manage", "role")]
    [InlineData(false, "Exchange.ManageAsApp", "role")]
    public void Without_a_role_the_refusal_names_what_is_missing(bool user, params string[] expected)
    {
        _sandbox.SetTenant(Customer, new { exchangeRole = false });

        ErrorRecord error = Assert.Single(_engine.Run($"{Command} Get-Mailbox -TenantId $customer{(user ? string.Empty : " -AppOnly")}").Errors);

        Assert.Equal(ErrorCategory.PermissionDenied, error.CategoryInfo.Category);
        Assert.All(expected, word => Assert.Contains(word, error.Exception.Message + error.ErrorDetails.RecommendedAction));
    }

    [Fact]
    public void A_change_is_made_and_seen()
    {
        Outcome outcome = _engine.Run(
            $$"""
            $who = @{ Identity = 'lee.gu' }
            {{Command}} Set-CASMailbox ($who + @{ ImapEnabled = [switch]$false; PopEnabled = $false }) -TenantId $customer
            {{Command}} Get-CASMailbox $who -TenantId $customer
            {{Command}} Set-AdminAuditLogConfig @{ UnifiedAuditLogIngestionEnabled = $false } -TenantId $customer
            {{Command}} Get-AdminAuditLogConfig -TenantId $customer
            """).Succeeded();

        Assert.Equal(2, outcome.Output.Count);
        Assert.Equal([false, false, true], new[] { "ImapEnabled", "PopEnabled", "OWAEnabled" }.Select(name => outcome.Output[0].Properties[name].Value));
        Assert.Equal(false, outcome.Output[1].Properties["UnifiedAuditLogIngestionEnabled"].Value);
    }

    /// <summary>The service asks, and does nothing until it is told; nobody is asked twice.</summary>
    [Fact]
    public void A_cmdlet_that_asks_for_a_confirmation_is_told_yes()
    {
        Outcome outcome = _engine.Run(
            $$"""
            {{Command}} Remove-TransportRule @{ Identity = 'Disclaimer for legal' } -TenantId $customer
            {{Command}} Get-TransportRule -TenantId $customer
            """).Succeeded();

        Assert.Equal(["External sender warning", "Block executable attachments"], outcome.Output.Select(row => row.Properties["Name"].Value));
        Assert.Equal(2, Asked("Remove-TransportRule"));
    }

    /// <summary>Whatever it is told, the cmdlet asks: then nothing has been done, and that is no success.</summary>
    [Fact]
    public void A_question_that_stays_is_an_error_with_its_text()
    {
        Fault("""{"@adminapi.confirmationmessage":"Use Force to remove it.","value":[]}""");

        Outcome outcome = _engine.Run($"{Command} Remove-TransportRule @{{ Identity = 'x'; confirm = $false }} -TenantId $customer");

        Assert.Empty(outcome.Output);
        Assert.Contains("did nothing, because it asks: Use Force to remove it.", Assert.Single(outcome.Errors).Exception.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"value":null}""")]
    public void A_change_may_have_nothing_to_say_and_a_reading_may_not(string answer)
    {
        _sandbox.AddFault(new { match = new { service = "outlook" }, times = -1, action = new { kind = "status", status = 200, body = answer, contentType = "application/json" } });

        Outcome changed = _engine.Run($"{Command} Set-CASMailbox @{{ Identity = 'lee.gu' }} -TenantId $customer");
        Outcome read = _engine.Run($"{Command} Get-CASMailbox -TenantId $customer");

        Assert.Empty(changed.Succeeded().Output);
        Assert.Single(read.Errors);
    }

    [Fact]
    public void A_duration_is_written_as_Exchange_writes_it()
    {
        Outcome outcome = _engine.Run(
            $$"""
            {{Command}} Set-Mailbox @{ Identity = 'lee.gu'; AuditLogAgeLimit = [timespan]'30.00:00:00' } -TenantId $customer
            {{Command}} Get-Mailbox @{ Identity = 'lee.gu' } -TenantId $customer
            """).Succeeded();

        Assert.Equal("30.00:00:00", outcome.Property("AuditLogAgeLimit"));
    }

    [Fact]
    public void WhatIf_says_what_would_be_run_where_and_sends_nothing()
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run($"$sandbox.Tenants | {Command} Set-CASMailbox @{{ Identity = 'someone'; PopEnabled = $false }} -WhatIf").Succeeded();

        Assert.Contains("Set-CASMailbox -Identity -PopEnabled", outcome.Screen);
        Assert.All(_sandbox.Facts.Tenants, tenant => Assert.Contains(tenant.TenantId, outcome.Screen));
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void WhatIf_still_reads()
    {
        Assert.Single(_engine.Run($"{Command} Get-OrganizationConfig -TenantId $customer -WhatIf").Succeeded().Output);
    }

    [Theory]
    [InlineData("'Get Mailbox'", "is no cmdlet's")]
    [InlineData("Get-Mailbox -TenantId 'no tenant'", "neither a tenant id nor a domain")]
    [InlineData("Get-Mailbox -TenantId $none", "-TenantId is empty")]
    [InlineData("Remove-TransportRule @{ Identity = 'x'; confirm = $true } -TenantId $customer", "a question that nobody could answer")]
    [InlineData("New-Mailbox @{ Password = (ConvertTo-Secret x) } -TenantId $customer", "holds a secret")]
    public void Bad_input_says_what_is_wrong_and_sends_nothing(string call, string expected)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run($"{Command} {call}");

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("Get-Mailbox", 2, "")]
    [InlineData("Set-CASMailbox @{ Identity = 'lee.gu'; PopEnabled = $false }", 1, "may have carried it out")]
    public void What_may_have_been_done_is_not_sent_again(string call, int sent, string advice)
    {
        _sandbox.AddFault(new { match = new { service = "outlook" }, times = 1, action = new { kind = "status", status = 502 } });
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run($"{Command} {call} -TenantId $customer");

        Assert.Equal(sent, Asked(call.Split(' ')[0]));
        Assert.Equal(advice.Length == 0 ? 0 : 1, outcome.Errors.Count);
        Assert.All(outcome.Errors, error => Assert.Contains(advice, error.ErrorDetails.RecommendedAction));
    }

    [Fact]
    public void A_tenant_that_is_told_to_wait_waits()
    {
        _sandbox.AddFault(new
        {
            match = new { service = "outlook" },
            times = 1,
            action = new { kind = "status", status = 429, headers = new Dictionary<string, string> { ["Retry-After"] = "0" } },
        });

        Assert.Equal(12, _engine.Run($"{Command} Get-Mailbox -TenantId $customer").Succeeded().Output.Count);
    }

    [Fact]
    public void A_link_to_another_host_is_not_followed_and_what_came_is_kept()
    {
        Fault("""{"value":[{"Name":"one"}],"@odata.nextLink":"https://evil.example/adminapi"}""");

        Outcome outcome = _engine.Run($"{Command} Get-Mailbox -TenantId $customer");

        Assert.Equal("one", outcome.Property("Name"));
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("evil.example", error.Exception.Message);
        Assert.Contains("1 rows, was given", error.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData("""["Ex1|Some.Exception|part of it failed"]""")]
    [InlineData("""["Ex1|Some.Exception|part of it failed|at the end"]""")]
    [InlineData("""[{"message":"part of it failed"}]""")]
    public void What_a_cmdlet_went_on_after_is_an_error_beside_its_rows(string errors)
    {
        Fault($$"""{"@adminapi.errors":{{errors}},"value":[{"Name":"one"}]}""");

        Outcome outcome = _engine.Run($"{Command} Get-Mailbox -TenantId $customer");

        Assert.Equal("one", outcome.Property("Name"));
        Assert.Contains("reported an error: part of it failed", Assert.Single(outcome.Errors).Exception.Message);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private void Fault(string body) =>
        _sandbox.AddFault(new { match = new { service = "outlook" }, times = 1, action = new { kind = "status", status = 200, body, contentType = "application/json" } });

    private int Index(string tenant) => _sandbox.Facts.Tenants.ToList().FindIndex(known => known.TenantId == tenant);

    private long Asked(string cmdlet) => _sandbox.Stats()["byPath"]!.AsObject()
        .Where(path => path.Key.EndsWith("InvokeCommand " + cmdlet, StringComparison.Ordinal)).Sum(path => (long)path.Value!);

    private static DateTimeOffset Moment(object value) => value is DateTime time ? new DateTimeOffset(time.ToUniversalTime()) : (DateTimeOffset)value;
}
