using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Mail;

/// <summary>Send-SecureAppMailMessage against the sandbox: Send-MailMessage's parameters, and the report on exports.</summary>
public sealed class SendMailTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "300");
    private readonly Engine _engine;

    public SendMailTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("folder", _folder);
        _engine.Set("own", _sandbox.Facts.UserPrincipalName);
    }

    [Fact]
    public void A_line_for_SendMailMessage_works_with_the_name_changed_and_says_nothing()
    {
        File.WriteAllText(Path.Combine(_folder, "a.csv"), "1");

        Outcome outcome = _engine.Run(
            """
            Send-SecureAppMailMessage 'Pat <pat@fabrikam.example>' 'The subject' '<b>the body</b>' smtp.contoso.example -From $own -Cc c@contoso.example `
                -Bcc b@contoso.example -ReplyTo r@contoso.example -BAH -Attachments $folder/a.csv -Priority High -DNO OnSuccess, OnFailure -UseSsl -Port 587 -Encoding utf8
            """).Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Empty(outcome.Warnings);
        Assert.Contains(outcome.Verbose, line => line.Contains("-SmtpServer, -Port, -UseSsl, -Encoding", StringComparison.Ordinal));
        JsonNode sent = Sent();
        JsonNode message = sent["message"]!;
        Assert.Equal(_sandbox.Facts.UserPrincipalName, (string)sent["mailbox"]!);
        Assert.Equal(("HTML", "<b>the body</b>"), ((string)message["body"]!["contentType"]!, (string)message["body"]!["content"]!));
        Assert.Equal(("The subject", "high", true), ((string)message["subject"]!, (string)message["importance"]!, (bool)message["isDeliveryReceiptRequested"]!));
        Assert.Equal(["c@contoso.example", "b@contoso.example", "r@contoso.example"], new[] { "cc", "bcc" }.Select(list => list + "Recipients").Append("replyTo").Select(list => (string)message[list]![0]!["emailAddress"]!["address"]!));
        Assert.Equal("a.csv", (string)Assert.Single(sent["attachments"]!.AsArray())!["name"]!);
    }

    [Fact]
    public void Exports_become_a_report_with_counts_and_gaps_and_their_files()
    {
        string bad = _sandbox.Facts.Tenants[1].TenantId;
        _sandbox.SetTenant(bad, new { auditing = false });

        Outcome outcome = _engine.Run(
            "Get-DelegatedTenant | Export-SecureAppAuditLog -Path $folder -StartTime ([datetime]::UtcNow.AddDays(-6)) -ErrorAction SilentlyContinue | Send-SecureAppMailMessage -To a@contoso.example -Subject Report -Body 'Fish & chips' -PassThru").Succeeded();

        JsonNode sent = Sent();
        string body = (string)sent["message"]!["body"]!["content"]!;
        Assert.Equal("HTML", (string)sent["message"]!["body"]!["contentType"]!);
        Assert.Contains("Fish &amp; chips", body);
        Assert.Contains("of 3 tenants: 1 of them not complete.", body);
        Assert.All(_sandbox.Facts.Tenants, tenant => Assert.Contains(tenant.TenantId, body));
        Assert.Contains("Auditing is off", body, StringComparison.OrdinalIgnoreCase);
        string[] names = [.. sent["attachments"]!.AsArray().Select(attached => (string)attached!["name"]!)];
        string good = _sandbox.Facts.Tenants[0].TenantId;
        Assert.Contains(good + "_manifest.json", names);
        Assert.Contains(names, name => name.StartsWith(good + "_2", StringComparison.Ordinal) && name.EndsWith(".ndjson", StringComparison.Ordinal));
        Assert.Equal(names.Length, ((string[])outcome.Output.Single().Properties["Attached"].Value).Length);
    }

    [Fact]
    public void A_report_that_is_too_large_says_where_the_files_are()
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/mail", new { largestMessage = 10_000 });

        Outcome outcome = _engine.Run(
            "$customer | Export-SecureAppAuditLog -Path $folder -StartTime ([datetime]::UtcNow.AddDays(-6)) | Send-SecureAppMailMessage -To a@contoso.example -From $own -Subject Report").Succeeded();

        JsonNode sent = Sent();
        Assert.Empty(sent["attachments"]!.AsArray());
        Assert.Contains(_folder, (string)sent["message"]!["body"]!["content"]!);
        Assert.Contains(System.Environment.MachineName, (string)sent["message"]!["body"]!["content"]!);
        Assert.Contains("sent without", Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void WhatIf_says_what_would_be_sent_and_sends_nothing()
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run("Send-SecureAppMailMessage -To a@contoso.example -Subject Report -WhatIf").Succeeded();

        Assert.Contains("Send the message 'Report'", outcome.Screen);
        Assert.Contains("a@contoso.example", outcome.Screen);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("Send-SecureAppMailMessage -Subject x", "no recipient")]
    [InlineData("Send-SecureAppMailMessage -To $null -Subject x", "-To is empty")]
    [InlineData("Send-SecureAppMailMessage -To a@contoso.example -Attachments $nothing", "-Attachments is empty")]
    [InlineData("Send-SecureAppMailMessage -To a@contoso.example -AuditExport $nothing", "-AuditExport is empty")]
    [InlineData("Send-SecureAppMailMessage -To nobody -Subject x", "no mail address")]
    [InlineData("Send-SecureAppMailMessage -To a@contoso.example -AppOnly", "no mailbox of its own")]
    [InlineData("Send-SecureAppMailMessage -To a@contoso.example -Attachments $folder/missing.csv", "missing.csv")]
    [InlineData("@() | Send-SecureAppMailMessage -To a@contoso.example", "Nothing came through the pipeline")]
    [InlineData("Send-SecureAppMailMessage -To a@contoso.example -TenantId 'no tenant'", "neither a tenant id nor a domain")]
    public void Bad_input_ends_the_command_before_anything_is_sent(string script, string expected)
    {
        Assert.Contains(expected, _engine.RefusedUnsent(_sandbox, script).Exception.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_message_that_may_have_gone_is_an_error_of_its_own()
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/mail", new { lostAnswers = 1 });

        Outcome outcome = _engine.Run("Send-SecureAppMailMessage -To a@contoso.example -Subject x");

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.SendUncertain", error.FullyQualifiedErrorId);
        Assert.Contains("Sent Items", error.ErrorDetails.RecommendedAction);
        Sent();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private JsonNode Sent() => Assert.Single(JsonNode.Parse(_sandbox.Send(HttpMethod.Get, "sandbox/mail", null))!["sent"]!.AsArray())!;
}
