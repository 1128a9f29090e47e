using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Requests;

/// <summary>Invoke-SecureAppRequest: what it writes, what it refuses, and what it must not send.</summary>
public sealed class RequestTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "0");
    private readonly Engine _engine;

    public RequestTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    [Fact]
    public void Every_customers_collection_comes_whole_with_the_tenant_on_each_item()
    {
        Outcome outcome = _engine.Run("Get-DelegatedTenant | Invoke-SecureAppRequest '/v1.0/users?$top=5' -All").Succeeded();

        Assert.Equal(3 * 12, outcome.Output.Count);
        foreach (SandboxTenant tenant in _sandbox.Facts.Tenants)
        {
            var users = outcome.Output.Where(user => (string)user.Properties["PSTenantId"].Value == tenant.TenantId).ToList();
            Assert.Equal(12, users.Select(user => user.Properties["id"].Value).Distinct().Count());
            Assert.All(users, user => Assert.Equal(tenant.DisplayName, user.Properties["PSTenantName"].Value));
        }
    }

    /// <summary>The activity feed's answer is a list without an object around it.</summary>
    [Fact]
    public void The_items_of_a_bare_list_bear_their_tenant_too()
    {
        Outcome outcome = _engine.Run(
            "Get-DelegatedTenant | Invoke-SecureAppRequest 'https://manage.office.com/api/v1.0/{tenantId}/activity/feed/subscriptions/list' -All").Succeeded();

        Assert.Equal(3 * 5, outcome.Output.Count);
        foreach (SandboxTenant tenant in _sandbox.Facts.Tenants)
        {
            var ofTenant = outcome.Output.Where(one => (string)one.Properties["PSTenantId"].Value == tenant.TenantId).ToList();
            Assert.Equal(5, ofTenant.Select(one => one.Properties["contentType"].Value).Distinct().Count());
            Assert.All(ofTenant, one => Assert.Equal(tenant.DisplayName, one.Properties["PSTenantName"].Value));
        }
    }

    [Fact]
    public void A_user_that_was_read_is_changed_and_sent_back_without_the_tenants_marks()
    {
        Outcome outcome = _engine.Run(
            """
            $user = Invoke-SecureAppRequest "/v1.0/users/adele.vance@$($sandbox.Tenants[0].DefaultDomainName)" -TenantId $customer
            $change = [pscustomobject]@{ jobTitle = "Clerk `"$([char]0xfc)`""; accountEnabled = $false }
            $change.psobject.Properties.Add([psnoteproperty]::new('PSTenantId', $user.PSTenantId))
            $nothing = Invoke-SecureAppRequest "/v1.0/users/$($user.id)" -TenantId $customer -Method PATCH -Body $change
            $null -eq $nothing
            Invoke-SecureAppRequest "https://graph.microsoft.com/v1.0/users/$($user.id)" -TenantId $customer
            """).Succeeded();

        Assert.Equal(true, outcome.Output[0].BaseObject);
        Assert.Equal("Clerk \"ü\"", outcome.Output[1].Properties["jobTitle"].Value);
        Assert.Equal(false, outcome.Output[1].Properties["accountEnabled"].Value);
    }

    [Fact]
    public void A_tenant_that_refuses_is_an_error_with_the_services_words_and_the_others_go_on()
    {
        string bad = _sandbox.Facts.Tenants[1].TenantId;
        _sandbox.AddFault(new
        {
            match = new { service = "graph", tenantId = bad },
            times = -1,
            action = new
            {
                kind = "status",
                status = 403,
                body = """{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges.","innerError":{"request-id":"trace-7"}}}""",
            },
        });

        Outcome outcome = _engine.Run("'no tenant', $sandbox.Tenants.TenantId | Invoke-SecureAppRequest /v1.0/organization");

        Assert.Null(outcome.Failure);
        Assert.Equal(2, outcome.Output.Count);
        ErrorRecord error = Assert.Single(outcome.Errors, error => (error.TargetObject as string) == bad);
        Assert.Equal("SecureAppModel.Denied,SecureAppModel.Commands.InvokeSecureAppRequestCommand", error.FullyQualifiedErrorId);
        Assert.Equal(["Authorization_RequestDenied", "trace-7", bad], new[] { "Code", "TraceId", "TenantId" }.Select(name => Of(error.Exception, name)));
        Assert.Equal(2, outcome.Errors.Count);
    }

    [Theory]
    [InlineData("Invoke-SecureAppRequest", "-Uri says no address")]
    [InlineData("Invoke-SecureAppRequest v1.0/users -TenantId $customer", "none that a request can be sent to")]
    [InlineData("Invoke-SecureAppRequest https://evil.example/v1.0/users -TenantId $customer", "no service on that host")]
    [InlineData("Invoke-SecureAppRequest https://evil.example/v1.0/users -TenantId $customer -Resource https://graph.microsoft.com", "nothing was sent")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $none", "-TenantId is empty")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId 'no tenant'", "neither a tenant id nor a domain")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Headers @{ Authorization = 'x' }", "not for the caller to set")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Headers @{ Prefer = '' }", "has no value")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Body @{ a = 1 }", "a GET has no body")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Method POST -Body @{ a = $credential }", "holds a secret")]
    [InlineData("$me = @{}; $me.me = $me; Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Method POST -Body $me", "holds itself")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Method POST -All", "is a collection")]
    [InlineData("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Resource https://graph.microsoft.com -Scope User.Read", "not for both")]
    [InlineData("Invoke-SecureAppRequest -Batch -TenantId $customer", "-Batch has no requests")]
    [InlineData("@{ uri = '/users' } | Invoke-SecureAppRequest -Batch -TenantId $customer", "has no uri")]
    public void Bad_input_says_what_is_wrong_and_sends_nothing(string script, string expected)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(script);

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Contains(expected, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("Invoke-SecureAppRequest '/v1.0/users/x?secret=y' -TenantId $customer -Method DELETE -WhatIf", "DELETE /v1.0/users/x")]
    [InlineData("@{ method = 'PATCH'; url = '/users/x'; body = @{ a = 1 } } | Invoke-SecureAppRequest -Batch -TenantId $customer -WhatIf", "PATCH /users/x")]
    public void WhatIf_says_what_would_be_sent_and_sends_nothing(string script, string expected)
    {
        _sandbox.ResetStats();

        Outcome outcome = _engine.Run(script).Succeeded();

        Assert.Contains(expected, outcome.Screen);
        Assert.DoesNotContain("secret", outcome.Screen);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void Deep_json_text_and_bytes_come_as_they_are()
    {
        foreach ((string path, string type, string body) in new[]
        {
            ("deep", "application/json", new string('[', 100) + "1" + new string(']', 100)), ("csv", "text/csv", "a,b"), ("raw", "application/octet-stream", "raw"),
        })
        {
            _sandbox.AddFault(new { match = new { service = "graph", pathContains = path }, times = -1, action = new { kind = "status", status = 200, body, contentType = type } });
        }

        Outcome outcome = _engine.Run("foreach ($path in 'deep', 'csv', 'raw') { Invoke-SecureAppRequest \"/v1.0/$path\" -TenantId $customer }").Succeeded();

        Assert.IsType<object[]>(outcome.Output[0].BaseObject);
        Assert.Equal("a,b", outcome.Output[1].BaseObject);
        Assert.Equal("raw"u8.ToArray(), outcome.Output[2].BaseObject);
    }

    [Fact]
    public async Task Objects_become_json_in_the_form_that_services_take()
    {
        Outcome outcome = _engine.Run(
            """
            $body = [ordered]@{
                text = "a`n\`t"; number = 1.5; big = [long]::MaxValue; yes = $true; nothing = $null; list = @(1, @{ x = 'y' }); none = @()
                when = [datetime]::new(2026, 1, 2, 3, 4, 5, [DateTimeKind]::Utc); id = [guid]'2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001'; day = [dayofweek]::Monday
                bytes = [byte[]](1, 2); object = [pscustomobject]@{ a = 'b'; PSTenantName = 'mark' }; link = [uri]'https://a.example/b'
            }
            $user = "/v1.0/users/adele.vance@$($sandbox.Tenants[0].DefaultDomainName)"
            Invoke-SecureAppRequest $user -TenantId $customer -Method PATCH -Body @{ jobTitle = $body }
            $user
            Get-SecureAppAccessToken -TenantId $customer -Resource https://graph.microsoft.com -AsPlainText
            """).Succeeded();
        using HttpClient http = _sandbox.Client("graph");
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string)outcome.Output[1].BaseObject);

        JsonNode user = JsonNode.Parse(await http.GetStringAsync(((string)outcome.Output[0].BaseObject).TrimStart('/'), TestContext.Current.CancellationToken))!;

        // The sandbox keeps what it was sent, with the names in order.
        Assert.Equal(
            """{"big":9223372036854775807,"bytes":"AQI=","day":"Monday","id":"2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001","link":"https://a.example/b","list":[1,{"x":"y"}],"none":[],"nothing":null,"number":1.5,"object":{"a":"b"},"text":"a\n\\\t","when":"2026-01-02T03:04:05Z","yes":true}""",
            user["jobTitle"]!.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public void A_batch_gives_each_request_its_answer_or_its_error()
    {
        Outcome outcome = _engine.Run(
            """
            $user = "/users/adele.vance@$($sandbox.Tenants[0].DefaultDomainName)"
            @{ id = 'change'; method = 'PATCH'; url = $user; body = @{ department = 'Sales' } },
            [pscustomobject]@{ id = 'read'; url = $user; dependsOn = 'change'; headers = @{ ConsistencyLevel = 'eventual' } },
            '/users/nobody' | Invoke-SecureAppRequest -Batch -TenantId $customer
            """);

        Assert.Null(outcome.Failure);
        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("Request_ResourceNotFound", error.Exception.Message);
        Dictionary<string, PSObject> answers = outcome.Output.ToDictionary(answer => (string)Of(answer, "Id")!);
        Assert.Equal(204, Of(answers["change"], "Status"));
        Assert.Null(Of(answers["change"], "Body"));
        Assert.Equal("Sales", Of(Of(answers["read"], "Body")!, "department"));
        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, Of(answers["read"], "TenantId"));
        Assert.Equal(1, _sandbox.Stats()["byPath"]!["POST /v1.0/$batch"]!.GetValue<int>());
    }

    [Fact]
    public void The_partners_own_tenant_is_asked_where_none_is_named()
    {
        Outcome outcome = _engine.Run("Invoke-SecureAppRequest /v1/customers -Resource https://api.partnercenter.microsoft.com").Succeeded();

        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Property("PSTenantId"));
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private static object? Of(object value, string property) => PSObject.AsPSObject(value).Properties[property]?.Value;
}
