using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.ObjectIds;

/// <summary>Resolve-SecureAppObjectId against the sandbox.</summary>
public sealed class ObjectIdTests(SharedSandbox shared) : IClassFixture<SharedSandbox>
{
    private const string AadGraph = "00000002-0000-0000-c000-000000000000";
    private const string Exchange = "00000002-0000-0ff1-ce00-000000000000";

    [Fact]
    public void Look_alikes_are_told_apart_without_a_credential()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run($"'{AadGraph}', [guid] '{Exchange}', '{AadGraph}' | Resolve-SecureAppObjectId").Succeeded();

        Assert.Equal(
            ["Windows Azure Active Directory BuiltIn", "Office 365 Exchange Online BuiltIn"],
            outcome.Output.Select(row => $"{row.Properties["DisplayName"].Value} {row.Properties["Source"].Value}"));
        Assert.All(outcome.Output, row => Assert.Equal("FirstPartyApplication", row.Properties["Kind"].Value));
    }

    [Fact]
    public void An_id_that_cannot_be_asked_for_is_a_row_with_the_reason()
    {
        using Engine engine = Engine.Open();

        PSObject row = engine.Run("Resolve-SecureAppObjectId 11111111-2222-4333-8444-555555555555").Succeeded().Output.Single();

        Assert.Equal("Unknown", row.Properties["Kind"].Value);
        Assert.Contains("no tenant was named", (string)row.Properties["Reason"].Value);
    }

    [Fact]
    public void Ids_of_records_are_taken_from_their_fields_and_looked_up_in_their_tenant()
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);
        string tenant = shared.Sandbox.Facts.Tenants[0].TenantId;
        JsonNode application = JsonNode.Parse(shared.Sandbox.Send(HttpMethod.Get, $"sandbox/directory/{tenant}", null))!.AsArray()
            .First(entry => (string?)entry!["displayName"] == "Contoso Timesheets")!;
        engine.Set("app", (string)application["appId"]!);
        engine.Set("own", (string)application["id"]!);

        Outcome outcome = engine.Run(
            $$"""
            $list = 'https://graph.windows.net;{{AadGraph}}/graph.windows.net;{{AadGraph}}'
            [pscustomobject]@{ Id = [guid]::NewGuid(); ObjectId = $list; ApplicationId = $app; TenantId = $customer },
            [pscustomobject]@{ Id = [guid]::NewGuid(); ObjectId = "https://contoso.sharepoint.com/sites/$([guid]::NewGuid())"; UserId = 'x'; TenantId = $customer },
            [pscustomobject]@{ Id = $own; TenantId = $customer } | Resolve-SecureAppObjectId
            """).Succeeded();

        Assert.Equal(
            new[] { "Windows Azure Active Directory", "Contoso Timesheets", "Contoso Timesheets" },
            outcome.Output.Select(row => row.ToString()));
        Assert.Equal(tenant, outcome.Output[1].Properties["TenantId"].Value);
        Assert.Equal([(string)application["appId"]!, (string)application["id"]!], outcome.Output.Skip(1).Select(row => (string)row.Properties["Id"].Value));
        string screen = engine.Render("$app | Resolve-SecureAppObjectId -TenantId $customer");
        Assert.Contains("Contoso Timesheets", screen);
        Assert.Contains("ServicePrincipal", screen);
    }

    [Fact]
    public void Audit_records_can_be_piped_as_they_come()
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);

        Outcome outcome = engine.Run("Get-SecureAppAuditLog $customer -ContentType Audit.AzureActiveDirectory -StartTime ([datetime]::UtcNow.AddDays(-6)) | Resolve-SecureAppObjectId").Succeeded();

        Assert.Contains("Azure Portal", outcome.Output.Select(row => row.ToString()));
        Assert.Equal(outcome.Output.Count, outcome.Output.Select(row => row.Properties["Id"].Value).Distinct().Count());
    }

    [Fact]
    public void Records_get_the_names_of_their_applications_beside_their_own_fields()
    {
        using Engine engine = Engine.Open().Join(shared.Sandbox);

        Outcome outcome = engine.Run("Get-SecureAppAuditLog $customer -ContentType Audit.AzureActiveDirectory -StartTime ([datetime]::UtcNow.AddDays(-6)) -ResolveApplication").Succeeded();

        PSObject signIn = outcome.Output.First(record => (string)record.Properties["Operation"].Value == "UserLoggedIn");
        Assert.Equal("00000003-0000-0000-c000-000000000000", signIn.Properties["ObjectId"].Value);
        Assert.Equal(
            ["Azure Portal", "Microsoft Graph"],
            ((object[])signIn.Properties["Applications"].Value).Select(application => PSObject.AsPSObject(application).Properties["DisplayName"].Value));
        Assert.All(outcome.Output, record => Assert.NotNull(record.Properties["Applications"]));
        Assert.Contains("already", Assert.Single(engine.Run("Get-SecureAppAuditLog $customer -Source Graph -ContentType SignIns -ResolveApplication").Errors).Exception.Message);
    }

    [Theory]
    [InlineData("Resolve-SecureAppObjectId", "No id was given", true)]
    [InlineData($"Resolve-SecureAppObjectId {AadGraph} -TenantId 'no tenant'", "neither a tenant id nor a domain", true)]
    [InlineData($"'', '{AadGraph}' | Resolve-SecureAppObjectId", "The id is empty", false)]
    [InlineData($"@([pscustomobject]@{{ Name = 'x' }}) + @([pscustomobject]@{{ TenantId = '{Exchange}' }}) | Resolve-SecureAppObjectId {AadGraph}", "names no tenant", false)]
    [InlineData($"[pscustomobject]@{{ Name = 'x' }}, '{AadGraph}' | Resolve-SecureAppObjectId", "The input has no id", false)]
    public void Bad_input_is_refused_and_in_a_pipeline_alone(string script, string expected, bool ends)
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(script);

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Equal(ends ? 0 : 1, outcome.Output.Count);
    }
}
