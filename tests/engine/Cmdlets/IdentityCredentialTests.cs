using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>Credentials without a secret: what a script on each of Azure's platforms sees.</summary>
[Collection(AloneCollection.Name)]
public sealed class IdentityCredentialTests : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Graph = "https://graph.microsoft.com";

    private readonly Sandbox _sandbox;
    private readonly Engine _engine;
    private readonly List<string> _set = [];

    public IdentityCredentialTests(SharedSandbox shared)
    {
        _sandbox = shared.Sandbox;
        _engine = Engine.Open().Join(_sandbox);
    }

    public void Dispose()
    {
        _set.ForEach(name => Environment.SetEnvironmentVariable(name, null));
        _engine.Dispose();
    }

    [Theory]
    [InlineData("imds", true)]
    [InlineData("appService", true)]
    [InlineData("appService2017", true)]
    [InlineData("machineLearning", true)]
    [InlineData("cloudShell", true)]
    [InlineData("serviceFabric", false)]
    public void A_machines_own_identity_gets_a_token_without_a_tenant(string platform, bool systemAssigned)
    {
        UsePlatform(platform);

        PSObject token = One($"Get-SecureAppAccessToken -Credential (New-SecureAppCredential -ManagedIdentity) -Resource {Graph}");

        Assert.Equal(_sandbox.Facts.PartnerTenantId, token.Properties["TenantId"].Value);
        Assert.Equal(Identity(systemAssigned ? "systemAssigned" : "userAssigned", "clientId"), token.Properties["ApplicationId"].Value);
    }

    [Theory]
    [InlineData("ManagedIdentityClientId", "clientId")]
    [InlineData("ManagedIdentityObjectId", "objectId")]
    [InlineData("ManagedIdentityResourceId", "resourceId")]
    public void A_user_assigned_identity_is_named_in_three_ways(string parameter, string fact)
    {
        UsePlatform("imds");

        PSObject token = One(
            $"param($id) Get-SecureAppAccessToken -Credential (New-SecureAppCredential -ManagedIdentity -{parameter} $id) -Resource {Graph}",
            Identity("userAssigned", fact));

        Assert.Equal(Identity("userAssigned", "clientId"), token.Properties["ApplicationId"].Value);
    }

    [Fact]
    public void Azure_Arcs_challenge_may_name_no_file_of_somebody_else()
    {
        UsePlatform("azureArc");

        ErrorRecord error = Assert.Single(_engine.Run(
            $"Get-SecureAppAccessToken -Credential (New-SecureAppCredential -ManagedIdentity) -Resource {Graph}").Errors);

        Assert.Contains("outside of its folder", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_credential_says_what_it_is_and_shows_no_secret()
    {
        UsePlatform("appService");

        PSObject credential = One("New-SecureAppCredential -ManagedIdentity");

        Assert.Equal("the system-assigned managed identity", credential.Properties["ManagedIdentity"].Value);
        Assert.Equal("App Service", credential.Properties["ManagedIdentityPlatform"].Value);
        Assert.Equal("SecureAppCredential (the system-assigned managed identity)", credential.BaseObject.ToString());
        string header = Variables("appService")["IDENTITY_HEADER"]!.GetValue<string>();
        Assert.DoesNotContain(header, PSSerializer.Serialize(credential), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_tenant_is_refused_with_the_way_out()
    {
        UsePlatform("imds");

        ErrorRecord error = Assert.Single(_engine.Run(
            $"Get-SecureAppAccessToken -Credential (New-SecureAppCredential -ManagedIdentity) -TenantId $customer -Resource {Graph}").Errors);

        Assert.Contains(_sandbox.Facts.PartnerTenantId, error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-FederatedManagedIdentity", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_managed_identity_proves_the_application_in_every_customer()
    {
        UsePlatform("imds");

        Outcome outcome = _engine.Run(
            $$"""
            param($id)
            $federated = New-SecureAppCredential -FederatedManagedIdentity -ManagedIdentityClientId $id -ApplicationId $sandbox.ApplicationId
            $sandbox.Tenants.TenantId | Get-SecureAppAccessToken -Credential $federated -Resource {{Graph}}
            """,
            Identity("userAssigned", "clientId")).Succeeded();

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).Order(),
            outcome.Output.Select(token => (string)token.Properties["TenantId"].Value).Order());
    }

    [Fact]
    public void A_workload_is_known_by_its_variables_or_its_file()
    {
        JsonNode variables = Facts("workloadIdentity")["variables"]!;
        Use(variables);

        PSObject token = One(
            $"Get-SecureAppAccessToken -Credential (New-SecureAppCredential -WorkloadIdentity) -TenantId $customer -Resource {Graph}");
        PSObject other = One(
            $"""
            param($file)
            $credential = New-SecureAppCredential -FederatedTokenFile $file -ApplicationId $sandbox.ApplicationId
            Get-SecureAppAccessToken -Credential $credential -TenantId $customer -Resource {Graph}
            """,
            variables["AZURE_FEDERATED_TOKEN_FILE"]!.GetValue<string>());

        Assert.Equal(_sandbox.Facts.ApplicationId, token.Properties["ApplicationId"].Value);
        Assert.Equal(_sandbox.Facts.ApplicationId, other.Properties["ApplicationId"].Value);
    }

    [Theory]
    [InlineData("New-SecureAppCredential -WorkloadIdentity -ApplicationId 11111111-2222-3333-4444-555555555555", "AZURE_FEDERATED_TOKEN_FILE")]
    [InlineData("New-SecureAppCredential -WorkloadIdentity", "No application id")]
    [InlineData("New-SecureAppCredential -ManagedIdentity -ApplicationId 11111111-2222-3333-4444-555555555555", "not an application of your own")]
    [InlineData("New-SecureAppCredential -ManagedIdentity -RefreshToken x", "does not belong to it")]
    [InlineData("New-SecureAppCredential -ManagedIdentity -ManagedIdentityClientId nonsense", "not a GUID")]
    [InlineData("New-SecureAppCredential -ManagedIdentity -ManagedIdentityResourceId nonsense", "/subscriptions/")]
    [InlineData("New-SecureAppCredential -ManagedIdentity -ManagedIdentityClientId 11111111-2222-3333-4444-555555555555 -ManagedIdentityObjectId 11111111-2222-3333-4444-555555555555", "more than one way")]
    [InlineData("New-SecureAppCredential -FederatedManagedIdentity", "No application id")]
    [InlineData("New-SecureAppCredential -ManagedIdentity:$false", "switched off")]
    [InlineData("Get-SecureAppAccessToken $customer -Resource https://graph.microsoft.com -UserAssertion 'no token'", "not a token")]
    [InlineData("Get-SecureAppAccessToken $customer -Resource https://graph.microsoft.com -UserAssertion ''", "assertion is empty")]
    public void What_cannot_be_is_refused_with_its_reason(string script, string reason)
    {
        UsePlatform("imds");

        Outcome outcome = _engine.Run(script);

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Contains(reason, error.Exception.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void An_application_acts_for_the_user_of_a_token()
    {
        Outcome outcome = _engine.Run(
            $$"""
            $caller = Get-SecureAppAccessToken -TenantId $customer -Resource $sandbox.ApplicationId -AsSecureString
            $application = @{ appId = $sandbox.ApplicationId; secret = $sandbox.Secret }
            Get-SecureAppAccessToken -Credential $application -TenantId $customer -Resource {{Graph}} -UserAssertion $caller
            """).Succeeded();

        Assert.Equal(_sandbox.Facts.UserPrincipalName, outcome.Property("Account"));
    }

    [Fact]
    public void The_checks_say_what_does_not_apply()
    {
        UsePlatform("imds");

        Outcome outcome = _engine.Run($"Test-SecureAppCredential -Credential (New-SecureAppCredential -ManagedIdentity) -Resource {Graph}").Succeeded();

        Assert.Equal(
            ["Reachability Skipped", "Clock Skipped", "Credential Pass", "Token Pass"],
            outcome.Output.Select(row => $"{row.Properties["Check"].Value} {row.Properties["Result"].Value}"));
        Assert.Contains("does not apply", (string)outcome.Output[0].Properties["Detail"].Value, StringComparison.Ordinal);
        Assert.Contains("virtual machine", (string)outcome.Output[2].Properties["Detail"].Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken -Credential (New-SecureAppCredential -ManagedIdentity) -Resource https://graph.microsoft.com")]
    [InlineData("Test-SecureAppCredential -Credential (New-SecureAppCredential -ManagedIdentity)")]
    public void A_stop_reaches_the_platform(string script)
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox);
        Use(JsonNode.Parse(sandbox.Line)!["managedIdentity"]!["variables"]!["imds"]!);
        sandbox.AddFault(new
        {
            id = "held",
            match = new { service = "imds" },
            times = -1,
            action = new { kind = "hold", stage = "before-headers" },
        });

        RunningScript running = engine.Start(script);
        sandbox.WaitForHold("held", "held");
        running.Stop();
        sandbox.WaitForHold("held", "closed");

        Assert.True(running.Wait().Stopped);
    }

    private PSObject One(string script, params object[] arguments) => Assert.Single(_engine.Run(script, arguments).Succeeded().Output);

    private void UsePlatform(string platform) => Use(Variables(platform));

    /// <summary>Sets a platform's variables in this process, where PowerShell's own would be set.</summary>
    private void Use(JsonNode variables)
    {
        foreach ((string name, JsonNode? value) in variables.AsObject())
        {
            Environment.SetEnvironmentVariable(name, value!.GetValue<string>());
            _set.Add(name);
        }
    }

    private JsonObject Variables(string platform) => Facts("managedIdentity")["variables"]![platform]!.AsObject();

    private string Identity(string which, string fact) => Facts("managedIdentity")[which]![fact]!.GetValue<string>();

    private JsonNode Facts(string name) => JsonNode.Parse(_sandbox.Line)![name]!;
}
