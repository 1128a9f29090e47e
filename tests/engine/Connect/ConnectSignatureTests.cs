using System.Collections;
using System.Management.Automation;
using System.Security;
using SecureAppModel.EngineTests.Gcits;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Connect;

/// <summary>
/// Every service's Connect cmdlet gets exactly what its own declaration takes. The table has a row for each command that is known
/// to take tokens, or not to, and a test that no service is without one.
/// </summary>
public sealed class ConnectSignatureTests(SharedSandbox shared) : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Graph = "https://graph.microsoft.com";
    private const string Application = "36ee4c6c-0812-40a2-b820-b22ebd02bce3";

    private readonly Sandbox _sandbox = shared.Sandbox;
    private readonly string _folder = Directory.CreateTempSubdirectory("services").FullName;

    /// <summary>
    /// By service: the module; the tokens that it is passed, each as parameter = audience (several in one array with +); what else it is
    /// passed, of which {domain}, {customer}, {user}, {login} and {site} are the customer's; and what a retired one's warning says.
    /// </summary>
    private static readonly Dictionary<string, Row> s_rows = new()
    {
        ["Graph"] = new(ServiceModules.MgGraph, new() { ["AccessToken"] = Graph }, new() { ["NoWelcome"] = true }),
        ["ExchangeOnline"] = new(
            ServiceModules.ExchangeOnline,
            new() { ["AccessToken"] = "https://outlook.office365.com" },
            new() { ["DelegatedOrganization"] = "{domain}", ["ShowBanner"] = false }),
        ["Compliance"] = new(
            ServiceModules.Compliance,
            new() { ["AccessToken"] = "https://ps.compliance.protection.outlook.com" },
            new() { ["DelegatedOrganization"] = "{domain}", ["AzureADAuthorizationEndpointUri"] = "{login}/organizations", ["ShowBanner"] = false }),
        ["Az"] = new(
            ServiceModules.Az,
            new() { ["AccessToken"] = "https://management.azure.com", ["MicrosoftGraphAccessToken"] = Graph, ["KeyVaultAccessToken"] = "https://vault.azure.net" },
            new() { ["AccountId"] = "{user}", ["Tenant"] = "{customer}", ["Scope"] = "Process" }),
        ["Teams"] = new(
            ServiceModules.Teams, new() { ["AccessTokens"] = Graph + "+48ac35b8-9aa8-4d74-927d-1f4a14a0b239" }, new() { ["TenantId"] = "{customer}" }),
        ["PnP"] = new(ServiceModules.PnP, new() { ["AccessToken"] = "{site}" }, new() { ["Url"] = "{site}" }),
        ["SharePoint"] = new(ServiceModules.SharePoint, [], []) { Refusal = "Connect-SPOService takes no token" },
        ["PartnerCenter"] = new(ServiceModules.PartnerCenter, new() { ["AccessToken"] = "https://api.partnercenter.microsoft.com" }, []),
        ["MSOnline"] = new(ServiceModules.MSOnline, new() { ["AdGraphAccessToken"] = "https://graph.windows.net", ["MsGraphAccessToken"] = Graph }, [])
        {
            Warning = "supported until 30 March 2025, and its connections have been refused since May 2025",
        },
        ["AzureAD"] = new(
            ServiceModules.AzureAD,
            new() { ["AadAccessToken"] = "https://graph.windows.net", ["MsAccessToken"] = Graph },
            new() { ["AccountId"] = "{user}", ["TenantId"] = "{customer}" })
        {
            Warning = "the AAD Graph service that it calls ended on 31 August 2025",
        },
    };

    private SandboxTenant Customer => _sandbox.Facts.Tenants[0];

    private string AdminSite => $"https://{Customer.DefaultDomainName.Split('.')[0]}-admin.sharepoint.com";

    public static TheoryData<string> Services => [.. s_rows.Keys];

    [Fact]
    public void Every_service_and_every_command_that_is_known_has_a_row()
    {
        using Engine engine = Engine.Open();
        string[] connect = Values(engine, "Connect-DelegatedTenant");

        Assert.Equal(s_rows.Keys.Order(), connect.Order());
        Assert.Equal(connect, Values(engine, "Disconnect-DelegatedTenant"));
        Assert.Equal(
            [
                "Connect-AzAccount", "Connect-AzureAD", "Connect-ExchangeOnline", "Connect-IPPSSession", "Connect-MgGraph", "Connect-MicrosoftTeams",
                "Connect-MsolService", "Connect-PartnerCenter", "Connect-PnPOnline", "Connect-SPOService",
            ],
            s_rows.Values.Select(row => row.Module.Command).Order(StringComparer.Ordinal));
    }

    /// <summary>Names, types before any conversion, audiences and tenants; and nothing else is passed.</summary>
    [Theory]
    [MemberData(nameof(Services))]
    public void A_cmdlet_gets_the_tokens_that_it_declares(string service)
    {
        Row row = s_rows[service];
        using Engine engine = With(row.Module);

        Outcome outcome = engine.Run($"Connect-DelegatedTenant $sandbox.Tenants[0].DefaultDomainName {service} -AsHashtable");

        if (row.Refusal is not null)
        {
            ErrorRecord error = Assert.Single(outcome.Errors);
            Assert.Contains(row.Refusal, error.Exception.Message);
            Assert.Contains("-CertificateThumbPrint", error.ErrorDetails.RecommendedAction);
            Assert.Contains("-Service PnP", error.ErrorDetails.RecommendedAction);
            return;
        }

        IDictionary passed = outcome.Succeeded().Single<Hashtable>();
        Assert.Equal(row.Tokens.Keys.Concat(row.Else.Keys).Order(), passed.Keys.Cast<string>().Order());
        Assert.All(passed.Keys.Cast<string>(), name => Assert.IsType(Assert.Single(row.Module.Parameters, known => known.Name == name).Passed, passed[name]));
        foreach ((string name, string audiences) in row.Tokens)
        {
            string[] tokens = passed[name] switch { string[] all => all, SecureString secure => [Plain(secure)], object one => [(string)one], null => [] };
            string tenant = service == "PartnerCenter" ? _sandbox.Facts.PartnerTenantId : Customer.TenantId;
            Assert.All(Filled(audiences).Split('+').Zip(tokens), pair => Jwt.ForAudience(pair.First, tenant, pair.Second));
            Assert.Equal(audiences.Split('+').Length, tokens.Length);
        }

        Assert.All(row.Else, pair => Assert.Equal(pair.Value is string text ? Filled(text) : pair.Value, passed[pair.Key]));
        Assert.Equal(row.Warning is null ? 0 : 1, outcome.Warnings.Count);
        Assert.All(outcome.Warnings, warning => Assert.Contains(row.Warning!, warning));
    }

    /// <summary>The same through PowerShell's own binding: one parameter set, every mandatory parameter.</summary>
    [Theory]
    [MemberData(nameof(Services))]
    public void A_cmdlet_binds_what_it_gets(string service)
    {
        Row row = s_rows[service];
        using Engine engine = With(row.Module);

        Outcome outcome = engine.Run($"Connect-DelegatedTenant $sandbox.Tenants[0].DefaultDomainName {service} -WarningAction Ignore");

        if (row.Refusal is null)
        {
            Assert.Equal(row.Module.Command, outcome.Succeeded().Property("Command"));
            Assert.Equal(row.Tokens.Keys.Concat(row.Else.Keys).Order(), ConnectStubs.Got(engine).Keys.Cast<string>().Order());
        }
        else
        {
            Assert.Null(engine.Get("got"));
        }
    }

    [Theory]
    [InlineData("ExchangeOnline")]
    [InlineData("Compliance")]
    public void An_application_names_the_organization(string service)
    {
        using Engine engine = With(s_rows[service].Module);

        engine.Run($"Connect-DelegatedTenant $customer {service} -AppOnly").Succeeded();

        Assert.Equal(Customer.DefaultDomainName, ConnectStubs.Got(engine)["Organization"]);
        Assert.Equal(["AccessToken", "Organization", "ShowBanner"], ConnectStubs.Got(engine).Keys.Cast<string>().Order());
    }

    [Fact]
    public void Compliance_at_home_is_told_the_user_and_asks_for_no_domain()
    {
        using Engine engine = With(ServiceModules.Compliance);

        _sandbox.ResetStats();

        engine.Run("Connect-DelegatedTenant -Service Compliance").Succeeded();

        Assert.DoesNotContain(_sandbox.Stats()["byPath"]!.AsObject(), path => path.Key.Contains("v1.0/organization", StringComparison.Ordinal));
        Assert.Equal(["AccessToken", "ShowBanner", "UserPrincipalName"], ConnectStubs.Got(engine).Keys.Cast<string>().Order());
    }

    /// <summary>Azure connects without the tokens for fewer commands.</summary>
    [Fact]
    public void Azure_without_Key_Vault_is_Azure_all_the_same()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        sandbox.SetTenant(sandbox.Facts.Tenants[0].TenantId, new { missingResources = new[] { "https://vault.azure.net" } });
        using Engine engine = Engine.Open().Join(sandbox);
        ServiceModules.Az.ImportInto(engine, _folder);

        Outcome outcome = engine.Run("Connect-DelegatedTenant $customer Az").Succeeded();

        Assert.False(ConnectStubs.Got(engine).Contains("KeyVaultAccessToken"));
        Assert.True(ConnectStubs.Got(engine).Contains("MicrosoftGraphAccessToken"));
        Assert.Contains(outcome.Verbose, line => line.Contains("no token for keyVault", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Connect-DelegatedTenant $sandbox.Tenants[0].DefaultDomainName PnP -Url https://contoso.sharepoint.com/sites/one", "https://contoso.sharepoint.com/sites/one", "https://contoso.sharepoint.com")]
    [InlineData("[pscustomobject]@{ TenantId = $customer; DefaultDomainName = 'contoso.onmicrosoft.com' } | Connect-DelegatedTenant -Service PnP", "https://contoso-admin.sharepoint.com", "https://contoso-admin.sharepoint.com")]
    public void A_token_for_SharePoint_is_for_the_host_of_the_site(string script, string url, string audience)
    {
        using Engine engine = With(ServiceModules.PnP);

        engine.Run(script).Succeeded();

        Assert.Equal(url, ConnectStubs.Got(engine)["Url"]);
        Jwt.ForAudience(audience, Customer.TenantId, ConnectStubs.Got(engine)["AccessToken"]);
    }

    [Theory]
    [InlineData("Connect-DelegatedTenant $customer PnP", "not known which site")]
    [InlineData("Connect-DelegatedTenant $customer PnP -Url http://contoso.sharepoint.com", "-Url is not the address")]
    [InlineData("Connect-DelegatedTenant $customer PnP -Url contoso.sharepoint.com", "-Url is not the address")]
    public void Without_a_site_nothing_is_asked_for(string script, string expected)
    {
        using Engine engine = With(ServiceModules.PnP);
        _sandbox.ResetStats();

        Outcome outcome = engine.Run(script);

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Empty(_sandbox.TokenCounts());
    }

    public static TheoryData<string, string, string, string?> Certificates()
    {
        // Service, form, what is passed (names in order), or why it is not.
        var rows = new TheoryData<string, string, string, string?>();
        foreach (string service in new[] { "ExchangeOnline", "Compliance" })
        {
            rows.Add(service, "ThumbPrint", "AppId CertificateThumbprint Organization ShowBanner", null);
            rows.Add(service, "FilePath", "AppId CertificateFilePath CertificatePassword Organization ShowBanner", null);
            rows.Add(service, "Object", "AppId Certificate Organization ShowBanner", null);
        }

        rows.Add("Graph", "ThumbPrint", "CertificateThumbprint ClientId NoWelcome TenantId", null);
        rows.Add("Graph", "FilePath", "", "takes no certificate from a file");
        rows.Add("Graph", "Object", "Certificate ClientId NoWelcome TenantId", null);
        rows.Add("Az", "ThumbPrint", "ApplicationId CertificateThumbprint Scope ServicePrincipal Tenant", null);
        rows.Add("Az", "FilePath", "ApplicationId CertificatePassword CertificatePath Scope ServicePrincipal Tenant", null);
        rows.Add("Az", "Object", "", "takes no certificate as an object");
        rows.Add("Teams", "ThumbPrint", "ApplicationId CertificateThumbprint TenantId", null);
        rows.Add("Teams", "FilePath", "", "takes no certificate from a file");
        rows.Add("Teams", "Object", "ApplicationId Certificate TenantId", null);
        rows.Add("PnP", "ThumbPrint", "ClientId Tenant Thumbprint Url", null);
        rows.Add("PnP", "FilePath", "CertificatePassword CertificatePath ClientId Tenant Url", null);
        rows.Add("PnP", "Object", "", "takes no certificate as an object");
        rows.Add("SharePoint", "ThumbPrint", "CertificateThumbprint ClientId TenantId Url", null);
        rows.Add("SharePoint", "FilePath", "CertificatePassword CertificatePath ClientId TenantId Url", null);
        rows.Add("SharePoint", "Object", "Certificate ClientId TenantId Url", null);
        rows.Add("AzureAD", "ThumbPrint", "ApplicationId CertificateThumbprint TenantId", null);
        rows.Add("AzureAD", "FilePath", "", "takes no certificate from a file");
        rows.Add("AzureAD", "Object", "", "takes no certificate as an object");
        foreach (string service in new[] { "PartnerCenter", "MSOnline" })
        {
            foreach (string form in new[] { "ThumbPrint", "FilePath", "Object" })
            {
                rows.Add(service, form, "", "takes no certificate.");
            }
        }

        return rows;
    }

    [Fact]
    public void Every_service_says_how_it_takes_each_form_of_certificate() =>
        Assert.Equal(
            s_rows.Keys.SelectMany(service => new[] { "ThumbPrint", "FilePath", "Object" }.Select(form => service + form)).Order(StringComparer.Ordinal),
            Certificates().Select(row => row.Data.Item1 + row.Data.Item2).Order(StringComparer.Ordinal));

    /// <summary>The module signs in by itself: nothing is asked for here, whichever form.</summary>
    [Theory]
    [MemberData(nameof(Certificates))]
    public void A_cmdlet_takes_a_certificate_as_it_declares(string service, string form, string names, string? refusal)
    {
        Row row = s_rows[service];
        using Engine engine = With(row.Module);
        engine.Set("file", Path.Combine(_folder, "certificate.pfx"));
        File.WriteAllText(Path.Combine(_folder, "certificate.pfx"), "opened by the module");
        string certificate = form switch
        {
            "ThumbPrint" => "-CertificateThumbPrint 'aa bb'",
            "FilePath" => "-CertificateFilePath $file -CertificatePassword (ConvertTo-Secret 'pass word')",
            _ => "-Certificate ([System.Security.Cryptography.X509Certificates.X509Certificate2]::new([Convert]::FromBase64String($der)))",
        };
        engine.Set("der", Convert.ToBase64String(SelfSigned()));
        _sandbox.ResetStats();

        Outcome outcome = engine.Run($"Connect-DelegatedTenant -Service {service} {certificate} -AppID {Application} -Organization contoso.onmicrosoft.com -WarningAction Ignore");

        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
        if (refusal is not null)
        {
            Assert.Contains(refusal, Assert.Single(outcome.Errors).Exception.Message);
            Assert.Null(engine.Get("got"));
            return;
        }

        outcome.Succeeded();
        IDictionary got = ConnectStubs.Got(engine);
        Assert.Equal(names.Split(' '), got.Keys.Cast<string>().Order(StringComparer.Ordinal));
        Assert.Contains(Application, got.Values.Cast<object>());
        Assert.Contains("contoso.onmicrosoft.com", got.Values.Cast<object>());
        Assert.Equal(Application, outcome.Property("Account"));
        Assert.Null(outcome.Property("ExpiresOn"));
        if (form == "ThumbPrint")
        {
            Assert.Contains("aabb", got.Values.Cast<object>());
        }
    }

    [Theory]
    [InlineData("-Service ExchangeOnline -TenantId $customer", "onmicrosoft.com domain")]
    [InlineData("-Service ExchangeOnline", "No tenant was given")]
    [InlineData("-Service ExchangeOnline -TenantId $customer, contoso.com -Organization contoso.onmicrosoft.com", "there are several")]
    [InlineData("-Service ExchangeOnline -Organization contoso.onmicrosoft.com -AppID name", "-AppID is not")]
    [InlineData("-Service ExchangeOnline -Organization $none", "-Organization is empty")]
    public void A_certificate_without_what_belongs_to_it_is_refused(string script, string expected)
    {
        using Engine engine = With(ServiceModules.ExchangeOnline);
        string application = script.Contains("-AppID", StringComparison.Ordinal) ? string.Empty : " -AppID " + Application;

        Outcome outcome = engine.Run($"Connect-DelegatedTenant {script} -CertificateThumbPrint aabb{application}");

        Assert.Contains(expected, (outcome.FailureRecord ?? Assert.Single(outcome.Errors)).Exception.Message);
        Assert.Null(engine.Get("got"));
    }

    /// <summary>Versions that cannot take what would be passed: named, with what does, before a token is asked for.</summary>
    [Theory]
    [InlineData("Connect-ExchangeOnline", "3.0.0", "ExchangeOnline", "", "has no parameter -AccessToken; it came with version 3.1.0", "-MinimumVersion 3.1.0|Invoke-SecureAppExchangeCommand")]
    [InlineData("Connect-ExchangeOnline", "2.0.5", "ExchangeOnline", "", "Basic authentication in WinRM", "-MinimumVersion 3.1.0|Invoke-SecureAppExchangeCommand")]
    [InlineData("Connect-ExchangeOnline", "2.0.5", "ExchangeOnline", "cert", "cannot connect any more", "Invoke-SecureAppExchangeCommand")]
    [InlineData("Connect-IPPSSession", "3.7.2", "Compliance", "", "has no parameter -AccessToken; it came with version 3.8.0", "-MinimumVersion 3.8.0|3.2.0 is enough")]
    [InlineData("Connect-IPPSSession", "3.1.0", "Compliance", "cert", "Before version 3.2.0", "-MinimumVersion 3.8.0")]
    public void A_version_that_cannot_is_named_with_the_way_that_works(string command, string version, string service, string how, string problem, string advice)
    {
        using Engine engine = With(ServiceModules.ExchangeWithoutTokens(command, version));
        _sandbox.ResetStats();

        Outcome outcome = engine.Run($"Connect-DelegatedTenant -Service {service} {(how == "cert" ? $"-CertificateThumbPrint aabb -AppID {Application} -Organization contoso.onmicrosoft.com" : "-TenantId $customer")}");

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.Contains("ExchangeOnlineManagement " + version, error.Exception.Message);
        Assert.Contains(problem, error.Exception.Message);
        Assert.All(advice.Split('|'), word => Assert.Contains(word, error.ErrorDetails.RecommendedAction));
        Assert.Empty(_sandbox.TokenCounts());
        Assert.Null(engine.Get("got"));
    }

    [Theory]
    [InlineData("Connect-ExchangeOnline", "3.0.0", "ExchangeOnline")]
    [InlineData("Connect-IPPSSession", "3.2.0", "Compliance")]
    public void Those_versions_take_a_certificate(string command, string version, string service)
    {
        using Engine engine = With(ServiceModules.ExchangeWithoutTokens(command, version));

        engine.Run($"Connect-DelegatedTenant -Service {service} -CertificateThumbPrint aabb -AppID {Application} -Organization contoso.onmicrosoft.com").Succeeded();

        Assert.Equal("aabb", ConnectStubs.Got(engine)["CertificateThumbprint"]);
    }

    [Fact]
    public void Teams_with_the_old_tokens_is_to_be_updated()
    {
        using Engine engine = With(new ServiceModule("MicrosoftTeams", "2.3.1", "Connect-MicrosoftTeams", new("AadAccessToken"), new("MsAccessToken"), new("AccountId")));

        ErrorRecord error = Assert.Single(engine.Run("Connect-DelegatedTenant $customer Teams").Errors);

        Assert.Contains("MicrosoftTeams 2.3.1 has no parameter -AccessTokens; it came with version 2.3.2", error.Exception.Message);
        Assert.Contains("-MinimumVersion 2.3.2", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void Graphs_first_version_gets_a_text()
    {
        using Engine engine = With(new ServiceModule("Microsoft.Graph.Authentication", "1.28.0", "Connect-MgGraph", new Declared("AccessToken", "string", "AccessTokenParameterSet!")));

        engine.Run("Connect-DelegatedTenant $customer Graph").Succeeded();

        Jwt.ForAudience(Graph, Customer.TenantId, ConnectStubs.Got(engine)["AccessToken"]);
    }

    [Fact]
    public void A_policy_against_Basic_authentication_is_named()
    {
        using Engine engine = With(ServiceModules.ExchangeOnline with
        {
            Body = "throw 'The WinRM client cannot process the request. Basic authentication is currently disabled in the client configuration.'",
        });

        ErrorRecord error = Assert.Single(engine.Run("Connect-DelegatedTenant $customer ExchangeOnline").Errors);

        Assert.Contains("AllowBasic", error.ErrorDetails.RecommendedAction);
        Assert.Contains("Invoke-SecureAppExchangeCommand", error.ErrorDetails.RecommendedAction);
    }

    /// <summary>A module's functions see the session's preference, and none of the command that calls them.</summary>
    [Theory]
    [InlineData("SilentlyContinue")]
    [InlineData("Ignore")]
    public void A_modules_function_that_throws_has_not_connected_however_silent_the_session_is(string preference)
    {
        using Engine engine = With(ServiceModules.MgGraph with { Body = "throw 'refused by the module'" });

        Outcome outcome = engine.Run($"$global:ErrorActionPreference = '{preference}'; Connect-DelegatedTenant $customer Graph; $global:ended = @(); Disconnect-DelegatedTenant; $ended");

        Assert.Empty(outcome.Output);
    }

    [Fact]
    public void Azure_is_disconnected_in_this_session_alone()
    {
        using Engine engine = With(ServiceModules.Az, ServiceModules.MgGraph);

        Outcome outcome = engine.Run("Disconnect-DelegatedTenant Az; \"$($endedWith.Scope)\"; Disconnect-DelegatedTenant Graph; $endedWith.ContainsKey('Scope')").Succeeded();

        Assert.Equal(["Process", false], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void What_was_connected_is_disconnected_each_once()
    {
        using Engine engine = With(ServiceModules.MgGraph, ServiceModules.Teams);

        engine.Run("$global:ended = @(); Connect-DelegatedTenant $customer Graph, Teams; Disconnect-DelegatedTenant -WhatIf").Succeeded();
        Assert.Empty((object[])engine.Get("ended")!);
        engine.Run("Disconnect-DelegatedTenant; Disconnect-DelegatedTenant").Succeeded();

        Assert.Equal(["Disconnect-MgGraph", "Disconnect-MicrosoftTeams"], ((object[])engine.Get("ended")!).Select(name => name.ToString()).Order());
    }

    [Fact]
    public void Disconnecting_names_what_has_no_command_and_what_is_not_installed()
    {
        using Engine engine = With(ServiceModules.ExchangeOnline);

        Outcome outcome = engine.Run("$global:ended = @(); Disconnect-DelegatedTenant ExchangeOnline, Compliance, MSOnline, PnP");

        Assert.Equal("Disconnect-ExchangeOnline", Assert.Single((object[])engine.Get("ended")!).ToString());
        Assert.Contains("MSOnline has no command", Assert.Single(outcome.Warnings));
        Assert.StartsWith("SecureAppModel.ModuleNotFound,", Assert.Single(outcome.Errors).FullyQualifiedErrorId);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Engine With(params ServiceModule[] modules)
    {
        Engine engine = Engine.Open().Join(_sandbox);
        foreach (ServiceModule module in modules)
        {
            module.ImportInto(engine, _folder);
        }

        return engine;
    }

    private string Filled(string text) => text
        .Replace("{domain}", Customer.DefaultDomainName)
        .Replace("{customer}", Customer.TenantId)
        .Replace("{user}", _sandbox.Facts.UserPrincipalName)
        .Replace("{login}", _sandbox.Facts.Endpoints["login"].TrimEnd('/'))
        .Replace("{site}", AdminSite);

    private static string[] Values(Engine engine, string command) => [.. engine.Run(
        $"(Get-Command {command}).Parameters['Service'].Attributes.ForEach({{ if ($_ -is [ValidateSet]) {{ $_.ValidValues }} }})").Succeeded().Output.Select(value => value.ToString())];

    private static string Plain(SecureString secret) => new System.Net.NetworkCredential(string.Empty, secret).Password;

    private static byte[] SelfSigned()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=any", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return certificate.RawData;
    }

    private sealed record Row(ServiceModule Module, Dictionary<string, string> Tokens, Dictionary<string, object> Else)
    {
        /// <summary>What the warning of a retired service says.</summary>
        public string? Warning { get; init; }

        /// <summary>Why it gets no token.</summary>
        public string? Refusal { get; init; }
    }
}
