using Microsoft.Graph;
using Microsoft.Graph.Models;
using Microsoft.Graph.Models.ODataErrors;
using Microsoft.Identity.Client;
using Microsoft.Kiota.Abstractions.Authentication;
using SecureAppModel.EngineTests.Sandboxing;
using Defender = Microsoft.Graph.Models.Security;

namespace SecureAppModel.EngineTests.Judges;

/// <summary>
/// Microsoft's own Graph SDK against the sandbox, told by documented options alone: the address of Graph, who gives tokens, and an
/// HTTP client that trusts the sandbox's certificate authority.
/// </summary>
public sealed class GraphSdkTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "7", "--records", "0", "--page-size", "3");

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Contracts_are_read_over_all_pages()
    {
        using GraphServiceClient graph = Client(_sandbox.Facts.PartnerTenantId);
        ContractCollectionResponse? first = await graph.Contracts.GetAsync(request => request.QueryParameters.Top = 2);
        var customers = new List<Guid>();

        await PageIterator<Contract, ContractCollectionResponse>.CreatePageIterator(graph, first!, contract =>
        {
            customers.Add(contract.CustomerId!.Value);
            return true;
        }).IterateAsync();

        Assert.True(first!.Value!.Count < customers.Count, "there is more than one page");
        Assert.Equal(customers.Count, customers.Distinct().Count());
        Assert.Subset(_sandbox.Facts.Tenants.Select(tenant => Guid.Parse(tenant.TenantId)).ToHashSet(), customers.ToHashSet());
    }

    [Fact]
    public async Task Service_principals_are_read_over_all_pages()
    {
        using GraphServiceClient graph = Client(_sandbox.Facts.Tenants[0].TenantId);
        ServicePrincipalCollectionResponse? first = await graph.ServicePrincipals.GetAsync(request => request.QueryParameters.Select = ["id", "appId", "displayName"]);
        var found = new List<ServicePrincipal>();

        await PageIterator<ServicePrincipal, ServicePrincipalCollectionResponse>.CreatePageIterator(graph, first!, principal =>
        {
            found.Add(principal);
            return true;
        }).IterateAsync();

        Assert.True(first!.Value!.Count < found.Count, "there is more than one page");
        Assert.Equal(found.Count, found.Select(principal => principal.Id).Distinct().Count());
        Assert.Contains(found, principal => principal.AppId == "00000003-0000-0000-c000-000000000000" && principal.DisplayName == "Microsoft Graph");
        Assert.Contains(found, principal => principal.AppId == _sandbox.Facts.ApplicationId);

        ServicePrincipalCollectionResponse? own = await graph.ServicePrincipals.GetAsync(request => request.QueryParameters.Filter = $"appId eq '{_sandbox.Facts.ApplicationId}'");
        Assert.Equal(_sandbox.Facts.ApplicationId, Assert.Single(own!.Value!).AppId);
    }

    [Fact]
    public async Task Delegated_admin_relationships_are_read_over_all_pages_with_their_assignments()
    {
        using GraphServiceClient graph = Client(_sandbox.Facts.PartnerTenantId);
        DelegatedAdminRelationshipCollectionResponse? first =
            await graph.TenantRelationships.DelegatedAdminRelationships.GetAsync(request => request.QueryParameters.Top = 2);
        var found = new List<DelegatedAdminRelationship>();

        await PageIterator<DelegatedAdminRelationship, DelegatedAdminRelationshipCollectionResponse>.CreatePageIterator(graph, first!, relationship =>
        {
            found.Add(relationship);
            return true;
        }).IterateAsync();

        Assert.True(first!.Value!.Count < found.Count, "there is more than one page");
        Assert.Equal(found.Count, found.Select(relationship => relationship.Id).Distinct().Count());
        Assert.Contains(found, relationship => relationship is { Status: DelegatedAdminRelationshipStatus.ApprovalPending, Customer: null });
        Assert.All(found, relationship =>
        {
            Assert.NotNull(relationship.Status);
            Assert.Equal(TimeSpan.FromDays(730), relationship.Duration);
            Assert.NotNull(relationship.AutoExtendDuration);
            Assert.NotEmpty(relationship.AccessDetails!.UnifiedRoles!);
        });

        DelegatedAdminRelationshipCollectionResponse? active =
            await graph.TenantRelationships.DelegatedAdminRelationships.GetAsync(request => request.QueryParameters.Filter = "status eq 'active'");
        DelegatedAdminRelationship one = active!.Value![0];
        Assert.Equal((DelegatedAdminRelationshipStatus.Active, true), (one.Status, one.EndDateTime > DateTimeOffset.UtcNow));
        Assert.Contains(_sandbox.Facts.Tenants, tenant => tenant.TenantId == one.Customer!.TenantId);
        DelegatedAdminAccessAssignmentCollectionResponse? assignments =
            await graph.TenantRelationships.DelegatedAdminRelationships[one.Id].AccessAssignments.GetAsync();
        DelegatedAdminAccessAssignment assignment = Assert.Single(assignments!.Value!);
        Assert.Equal(DelegatedAdminAccessContainerType.SecurityGroup, assignment.AccessContainer!.AccessContainerType);
        Assert.NotEmpty(assignment.AccessDetails!.UnifiedRoles!);
    }

    [Fact]
    public async Task Alerts_are_read_over_all_pages_with_what_they_hold()
    {
        SandboxTenant customer = _sandbox.Facts.Tenants[0];
        using GraphServiceClient graph = Client(customer.TenantId);
        Defender.AlertCollectionResponse? first = await graph.Security.Alerts_v2.GetAsync(request => request.Headers.Add("Prefer", "include-unknown-enum-members"));
        var alerts = new List<Defender.Alert>();

        await PageIterator<Defender.Alert, Defender.AlertCollectionResponse>.CreatePageIterator(
            graph,
            first!,
            alert =>
            {
                alerts.Add(alert);
                return true;
            },
            request =>
            {
                request.Headers.Add("Prefer", "include-unknown-enum-members");
                return request;
            }).IterateAsync();

        Assert.True(first!.Value!.Count < alerts.Count, "there is more than one page");
        Assert.Equal(_sandbox.RecordIds(customer.TenantId, "?report=alerts"), alerts.Select(alert => alert.Id!).Order(StringComparer.Ordinal));
        Assert.All(alerts, alert =>
        {
            Assert.Equal(customer.TenantId, alert.TenantId);
            Assert.NotNull(alert.CreatedDateTime);
            Assert.NotNull(alert.Severity);
            Assert.NotNull(alert.Status);
            Assert.NotEqual(Defender.ServiceSource.UnknownFutureValue, alert.ServiceSource);
            Assert.Equal($"admin@{customer.DefaultDomainName}", Assert.IsType<Defender.UserEvidence>(Assert.Single(alert.Evidence!)).UserAccount!.UserPrincipalName);
        });
        Assert.Contains(alerts, alert => alert.ServiceSource == Defender.ServiceSource.MicrosoftDefenderForCloud);

        Defender.AlertCollectionResponse? high = await graph.Security.Alerts_v2.GetAsync(request =>
        {
            request.QueryParameters.Filter = "severity eq 'high' or status eq 'new'";
            request.QueryParameters.Count = true;
        });
        Assert.Equal(alerts.Count(alert => alert.Severity == Defender.AlertSeverity.High || alert.Status == Defender.AlertStatus.New), high!.OdataCount);
    }

    [Fact]
    public async Task Secure_scores_and_their_controls_are_read()
    {
        using GraphServiceClient graph = Client(_sandbox.Facts.Tenants[0].TenantId);

        SecureScoreCollectionResponse? scores = await graph.Security.SecureScores.GetAsync(request => request.QueryParameters.Top = 1);
        SecureScoreControlProfileCollectionResponse? profiles = await graph.Security.SecureScoreControlProfiles.GetAsync();

        SecureScore score = Assert.Single(scores!.Value!);
        Assert.NotNull(scores.OdataNextLink);
        Assert.Equal(score.CurrentScore!.Value, score.ControlScores!.Sum(control => control.Score!.Value), 0.01);
        Assert.Equal(["AllTenants", "TotalSeats", "IndustryTypes"], score.AverageComparativeScores!.Select(average => average.Basis));
        Assert.Subset(score.ControlScores!.Select(control => control.ControlName).ToHashSet(), profiles!.Value!.Select(profile => profile.Id).ToHashSet());
    }

    [Fact]
    public async Task Refusals_are_read_as_what_they_are()
    {
        _sandbox.SetApplication(new { withheldPermissions = new[] { "SecurityAlert.Read.All" } });
        using GraphServiceClient graph = Client(_sandbox.Facts.Tenants[0].TenantId);

        ODataError refused = await Assert.ThrowsAsync<ODataError>(() => graph.Security.Alerts_v2.GetAsync());

        Assert.Equal((403, "Forbidden"), (refused.ResponseStatusCode, refused.Error!.Code));
        Assert.Contains("SecurityAlert.Read.All", refused.Error.Message);
    }

    private GraphServiceClient Client(string tenant) =>
        new(_sandbox.Client("graph"), new BaseBearerTokenAuthenticationProvider(new Tokens(_sandbox, tenant)), $"{_sandbox.Facts.Endpoints["graph"]}/v1.0");

    /// <summary>Tokens of the application itself, from Microsoft's client.</summary>
    private sealed class Tokens(Sandbox sandbox, string tenant) : IAccessTokenProvider, IMsalHttpClientFactory
    {
        public AllowedHostsValidator AllowedHostsValidator { get; } = new();

        public HttpClient GetHttpClient() => sandbox.Client("login");

        public async Task<string> GetAuthorizationTokenAsync(Uri uri, Dictionary<string, object>? additionalAuthenticationContext = null, CancellationToken cancellationToken = default)
        {
            IConfidentialClientApplication application = ConfidentialClientApplicationBuilder.Create(sandbox.Facts.ApplicationId)
                .WithAuthority($"{sandbox.Facts.Endpoints["login"]}/{tenant}").WithInstanceDiscovery(false).WithHttpClientFactory(this)
                .WithClientSecret(sandbox.Facts.Secret).Build();
            return (await application.AcquireTokenForClient(["https://graph.microsoft.com/.default"]).ExecuteAsync(cancellationToken)).AccessToken;
        }
    }
}
