using System.Management.Automation;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>Get-DelegatedTenant's delegated admin relationships: roles, ends, the warning before one ends.</summary>
public sealed class RelationshipTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "3", "--records", "0");
    private readonly Engine _engine;

    public RelationshipTests()
    {
        _engine = Engine.Open().Join(_sandbox);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public void They_come_with_roles_and_ends_and_an_end_is_warned_of()
    {
        SandboxTenant ending = _sandbox.Facts.Tenants[0];
        _sandbox.SetTenant(ending.TenantId, new { gdapDays = 12 });

        Outcome soon = _engine.Run("Get-DelegatedTenant -ExpiringWithinDays 30 -IncludeAccessAssignment").Succeeded();

        PSObject customer = Assert.Single(soon.Output);
        Assert.Equal(ending.TenantId, customer.Properties["TenantId"].Value);
        Assert.Contains(ending.DisplayName, Assert.Single(soon.Warnings));
        var ends = Assert.IsType<DateTimeOffset>(customer.Properties["EndsOn"].Value);
        Assert.InRange(ends, DateTimeOffset.UtcNow.AddDays(11), DateTimeOffset.UtcNow.AddDays(13));
        Assert.Contains("Exchange Administrator", ((object[])customer.Properties["Roles"].Value).Select(role => role.ToString()));
        _engine.Set("customer", customer);
        PSObject first = Assert.Single(_engine.Run("$customer.Relationships").Succeeded().Output, one => (bool)one.Properties["IsInForce"].Value);
        Assert.Equal((TimeSpan.FromDays(730), "expiring", false), (first.Properties["Duration"].Value, first.Properties["Status"].Value, first.Properties["AutoExtend"].Value));
        Assert.Null(first.Properties["AutoExtendDuration"].Value);
        Assert.Single((object[])first.Properties["Assignments"].Value);
    }

    [Fact]
    public void One_warning_names_the_next_to_end_and_counts_the_others()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "30", "--records", "0");
        foreach ((SandboxTenant tenant, int at) in sandbox.Facts.Tenants.Select((tenant, at) => (tenant, at)))
        {
            sandbox.SetTenant(tenant.TenantId, new { gdapDays = 1 + at % 20 });
        }

        using Engine engine = Engine.Open().Join(sandbox);

        Outcome all = engine.Run("Get-DelegatedTenant -IncludeRelationship").Succeeded();

        string warning = Assert.Single(all.Warnings);
        Assert.Contains(sandbox.Facts.Tenants[0].DisplayName, warning);
        Assert.Matches(@" and \d+ more\.", warning);
        Assert.Equal(30, all.Output.Count);
        Assert.Empty(engine.Run("Get-DelegatedTenant").Succeeded().Warnings);
    }

    [Fact]
    public void Customers_are_chosen_by_role_and_every_role_that_completes_is_known()
    {
        Assert.Equal(3, _engine.Run("Get-DelegatedTenant -RoleId 'Helpdesk Administrator', 'Global Reader'").Succeeded().Output.Count);
        Assert.Equal(3, _engine.Run("Get-DelegatedTenant -RoleId 29232CDF-9323-42FD-ADE2-1D097AF3E4DE").Succeeded().Output.Count);
        Assert.Empty(_engine.Run("Get-DelegatedTenant -RoleId 'Global Administrator'").Succeeded().Output);
        Assert.Contains("no role of that name", _engine.RefusedUnsent(_sandbox, "Get-DelegatedTenant -RoleId Boss").Exception.Message);

        const string Line = "Get-DelegatedTenant -RoleId ";
        using var shell = PowerShell.Create(_engine.Runspace);
        string[] names = [.. CommandCompletion.CompleteInput(Line, Line.Length, null, shell).CompletionMatches.Select(match => match.CompletionText)];

        Assert.Contains("'Exchange Administrator'", names);
        Assert.Equal(3, _engine.Run(Line + string.Join(", ", names)).Succeeded().Output.Count);
    }

    [Fact]
    public void Without_the_permission_the_customers_come_with_an_explanation()
    {
        _sandbox.SetApplication(new { withheldPermissions = new[] { "DelegatedAdminRelationship.Read.All" } });

        Outcome outcome = _engine.Run("Get-DelegatedTenant -IncludeRelationship").Succeeded();

        Assert.NotEmpty(outcome.Output);
        Assert.All(outcome.Output, customer => Assert.Null(customer.Properties["Relationships"].Value));
        string warning = Assert.Single(outcome.Warnings, text => text.StartsWith("Delegated admin relationships could not be read", StringComparison.Ordinal));
        Assert.Contains("DelegatedAdminRelationship.Read.All", warning);
        Assert.Contains("Authorization_RequestDenied", warning);
        Assert.Contains("DelegatedAdminRelationship.Read.All", _engine.Refused("Get-DelegatedTenant -ExpiringWithinDays 9").Exception.Message);
    }

    [Fact]
    public void Groups_that_cannot_be_read_are_a_warning()
    {
        _sandbox.AddFault(new { times = -1, match = new { pathContains = "accessAssignments" }, action = new { kind = "status", status = 404 } });

        Outcome outcome = _engine.Run("Get-DelegatedTenant -IncludeAccessAssignment").Succeeded();

        Assert.Equal(3, outcome.Output.Count);
        Assert.Contains("groups that hold the roles of 3 delegated admin relationships", Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void The_views_show_ends_and_roles()
    {
        _sandbox.SetTenant(_sandbox.Facts.Tenants[0].TenantId, new { gdapDays = 100 });
        string day = DateTime.UtcNow.AddDays(100).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

        string customers = _engine.Render("Get-DelegatedTenant -IncludeRelationship");
        string relationships = _engine.Render("(Get-DelegatedTenant -IncludeRelationship | Where-Object TenantId -EQ $customer).Relationships");

        Assert.Contains(day, customers);
        Assert.Contains(_sandbox.Facts.PartnerTenantId, customers);
        Assert.Contains(day, relationships);
        Assert.Contains("Security Reader", relationships);
    }
}
