using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>
/// Get- and Clear-SecureAppTokenCache. The cache belongs to the process and other tests run beside these, so each names its
/// own sandbox's environment.
/// </summary>
public sealed class TokenCacheTests : IDisposable
{
    private const string Graph = "https://graph.microsoft.com";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "2", "--records", "0");
    private readonly Engine _engine;

    public TokenCacheTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Run(
            $$"""
            $global:here = $sandbox.Environment
            $global:token = Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText
            $null = Get-SecureAppAccessToken $sandbox.Tenants[1].DefaultDomainName -Scope {{Graph}}/.default -AppOnly
            """).Succeeded();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public void What_is_held_is_listed_without_the_tokens()
    {
        PSObject[] held = [.. _engine.Run("Get-SecureAppTokenCache -Environment $here").Succeeded().Output];

        Assert.Equal(["refresh_token", "client_credentials"], held.OrderBy(one => one.Properties["Account"].Value is null).Select(one => one.Properties["Grant"].Value));
        PSObject users = held.Single(one => one.Properties["Account"].Value is not null);
        Assert.Equal(_sandbox.Facts.UserPrincipalName, users.Properties["Account"].Value);
        Assert.Equal(_sandbox.Facts.Tenants[0].TenantId, users.Properties["TenantId"].Value);
        Assert.Equal(_sandbox.Facts.ApplicationId, users.Properties["ApplicationId"].Value);
        Assert.Equal(Graph, users.Properties["Resource"].Value);
        Assert.True(Assert.IsType<DateTimeOffset>(users.Properties["ExpiresOn"].Value) > DateTimeOffset.UtcNow);
        string token = _engine.Get("token")!.ToString()!;
        string screen = _engine.Render("Get-SecureAppTokenCache -Environment $here");
        Assert.Contains(_sandbox.Facts.Tenants[0].TenantId, screen);
        Assert.Contains("refresh_token", screen);
        Assert.DoesNotContain(token[..16], screen + PSSerializer.Serialize(held, 4));
    }

    [Theory]
    [InlineData("Get-SecureAppTokenCache $customer -Environment $here", 1)]
    [InlineData("Get-SecureAppTokenCache -TenantId $sandbox.Tenants.TenantId -Environment $here", 2)]
    [InlineData("$sandbox.Tenants | Get-SecureAppTokenCache -Environment $here", 2)]
    [InlineData("Get-SecureAppTokenCache $sandbox.Tenants[1].DefaultDomainName -Environment $here", 1)]
    [InlineData("Get-SecureAppTokenCache -ApplicationId $sandbox.ApplicationId -Environment $here", 2)]
    [InlineData("Get-SecureAppTokenCache -ClientId ([guid]::NewGuid()) -Environment $here", 0)]
    [InlineData("Get-SecureAppTokenCache $customer -Environment Public", 0)]
    public void Only_what_is_meant_is_listed(string command, int count) =>
        Assert.Equal(count, _engine.Run(command).Succeeded().Output.Count);

    [Theory]
    [InlineData("Clear-SecureAppTokenCache -Environment $here", 0)]
    [InlineData("Clear-SecureAppTokenCache -TenantId $customer -Environment $here", 1)]
    [InlineData("(Get-SecureAppTokenCache -Environment $here)[0] | Clear-SecureAppTokenCache", 1)]
    [InlineData("Get-SecureAppTokenCache -Environment $here | Clear-SecureAppTokenCache", 0)]
    [InlineData("@() | Clear-SecureAppTokenCache", 2)]
    [InlineData("Clear-SecureAppTokenCache -Environment $here -WhatIf", 2)]
    [InlineData("Get-SecureAppTokenCache -Environment $here | Clear-SecureAppTokenCache -WhatIf", 2)]
    public void Only_what_is_meant_is_forgotten(string command, int left)
    {
        Outcome outcome = _engine.Run(command).Succeeded();

        Assert.Empty(outcome.Output);
        Assert.Equal(left, _engine.Run("Get-SecureAppTokenCache -Environment $here").Succeeded().Output.Count);
    }

    [Fact]
    public void A_token_that_was_forgotten_is_asked_for_again()
    {
        Outcome outcome = _engine.Run(
            $$"""
            $token -ceq (Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText)
            Clear-SecureAppTokenCache $customer -Environment $here
            $token -ceq (Get-SecureAppAccessToken $customer -Resource {{Graph}} -AsPlainText)
            """).Succeeded();

        Assert.Equal([true, false], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_wrong_item_of_a_pipeline_fails_alone()
    {
        Outcome outcome = _engine.Run("$customer, 'no tenant', 'nobody.example', $sandbox.Tenants[1] | Get-SecureAppTokenCache -Environment $here");

        Assert.Null(outcome.Failure);
        Assert.Equal(2, outcome.Output.Count);
        Assert.Equal(["no tenant", "nobody.example"], outcome.Errors.Select(error => error.TargetObject));
    }

    [Fact]
    public void A_cloud_that_was_removed_leaves_nothing()
    {
        Outcome outcome = _engine.Run(
            """
            Remove-SecureAppEnvironment $here -WarningAction Ignore
            @(Get-SecureAppTokenCache | Where-Object { $_.ApplicationId -eq $sandbox.ApplicationId -and ($null -eq $_.Environment -or $_.Environment -eq $here) }).Count
            """).Succeeded();

        Assert.Equal(0, outcome.Single<int>());
    }

    [Theory]
    [InlineData("-TenantId $nothing", "No tenant")]
    [InlineData("-TenantId ''", "tenant is empty")]
    [InlineData("-TenantId 'not one'", "neither a tenant id nor a domain")]
    [InlineData("-TenantId $customer, 'not one'", "neither a tenant id nor a domain")]
    [InlineData("-TenantId nobody.example", "by that name")]
    [InlineData("-ApplicationId $nothing", "-ApplicationId is empty")]
    [InlineData("-ApplicationId name", "'name' is not an application id")]
    [InlineData("-Environment $nothing", "-Environment is empty")]
    [InlineData("-Environment Nowhere", "There is no environment of the name")]
    public void What_cannot_be_meant_is_refused_and_nothing_is_forgotten(string arguments, string said)
    {
        foreach (string command in new[] { "Get", "Clear" })
        {
            Assert.Contains(said, _engine.Refused(command + "-SecureAppTokenCache " + arguments).Exception.Message);
        }

        Assert.Equal(2, _engine.Run("Get-SecureAppTokenCache -Environment $here").Succeeded().Output.Count);
    }
}
