using System.Management.Automation;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;
using SecureAppModel.EngineTests.SignIn;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>What a customer's policies answer: named with its remedy, with what would satisfy it, and not asked for again.</summary>
public sealed class ConditionalAccessTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "2", "--records", "0");
    private readonly Engine _engine;

    public ConditionalAccessTests() => _engine = Engine.Open().Join(_sandbox).WithApplication();

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    private string Customer => _sandbox.Facts.Tenants[0].TenantId;

    [Theory]
    [InlineData(50072, "must register for multifactor", "register", true)]
    [InlineData(50074, "multifactor authentication was asked for", "Sign in interactively", true)]
    [InlineData(50076, "multifactor authentication is required", "Sign in interactively", true)]
    [InlineData(50078, "too old", "Sign in interactively", true)]
    [InlineData(50079, "must register for multifactor", "Register the user", true)]
    [InlineData(50097, "a device that it knows", "Exclude this account", false)]
    [InlineData(50131, "refused the sign-in", "sign-in log", false)]
    [InlineData(50158, "another challenge", "Sign in interactively", true)]
    [InlineData(53000, "does not comply", "compliant device", false)]
    [InlineData(53001, "not joined", "joined device", false)]
    [InlineData(53002, "not among those", "Exclude this account", false)]
    [InlineData(53003, "Conditional Access blocks", "sign-in log", true)]
    [InlineData(70043, "sign-in frequency", "Sign in interactively", false)]
    [InlineData(530003, "managed device", "managed device", false)]
    [InlineData(530032, "a security policy", "sign-in log", false)]
    [InlineData(530034, "risk in the home tenant", "Clear the user's risk", false)]
    [InlineData(530035, "security defaults", "Sign in interactively", false)]
    public void An_outcome_is_named_with_its_remedy_and_not_asked_for_again(int code, string cause, string remedy, bool claims)
    {
        _sandbox.SetTenant(Customer, new { conditionalAccess = code });
        _sandbox.ResetStats();
        foreach (string question in new[] { "-Resource https://graph.microsoft.com", "-Scope https://manage.office.com/.default" })
        {
            Outcome outcome = _engine.Run($"$sandbox.Tenants | Get-SecureAppAccessToken {question}");

            // The other customer has its token.
            Assert.Single(outcome.Output);
            ErrorRecord error = Assert.Single(outcome.Errors);
            Assert.StartsWith("SecureAppModel.NotSignedIn", error.FullyQualifiedErrorId);
            Assert.Equal(Customer, error.TargetObject);
            Assert.Contains($"AADSTS{code}", error.ErrorDetails.Message);
            Assert.Contains(cause, error.ErrorDetails.Message);
            Assert.Contains(remedy, error.ErrorDetails.RecommendedAction);
            string challenge = (string)PSObject.AsPSObject(error.Exception).Properties["Claims"].Value;
            Assert.Equal(claims, challenge.Length > 0 && JsonNode.Parse(challenge)!["access_token"]!["polids"] is not null);
            Assert.Equal(claims && code != 53003, error.ErrorDetails.RecommendedAction.Contains("-Claims"));
        }

        Assert.Equal(4, _sandbox.TokenCounts().Sum(count => count.Count));
    }

    [Theory]
    [InlineData(50076)]
    [InlineData(50079)]
    [InlineData(50158)]
    public void A_sign_in_with_what_was_asked_for_opens_the_customer(int code)
    {
        _sandbox.SetTenant(Customer, new { conditionalAccess = code });
        Outcome refused = _engine.Run("Get-SecureAppAccessToken $customer -Resource https://graph.microsoft.com");
        string claims = (string)PSObject.AsPSObject(Assert.Single(refused.Errors).Exception).Properties["Claims"].Value;

        _engine.Set("claims", claims);
        RunningScript running = _engine.Start("$global:signedIn = New-SecureAppRefreshToken $application $customer -Claims $claims -NoBrowser");
        string address = _engine.AddressOnScreen();
        Assert.Equal(claims, System.Web.HttpUtility.ParseQueryString(new Uri(address).Query)["claims"]);
        // Without a second factor the page says so, and the user tries again.
        Assert.Contains($"AADSTS{code}", _sandbox.SignIn(new { url = address, mfa = false })["page"]!.GetValue<string>());
        User.Carry(_sandbox.SignIn(new { url = address }));
        running.Wait().Succeeded();

        Assert.Single(_engine.Run("Get-SecureAppAccessToken $customer $signedIn -Resource https://graph.microsoft.com").Succeeded().Output);
    }

    [Fact]
    public void A_device_code_carries_the_claims_too()
    {
        _sandbox.SetApplication(new { deviceIntervalSeconds = 1 });
        _sandbox.SetTenant(Customer, new { conditionalAccess = 50079 });
        RunningScript running = _engine.Start("$global:signedIn = New-SecureAppRefreshToken $application $customer -UseDeviceCode -Claims '{\"access_token\":{}}'");
        string code = _engine.WaitForText(new System.Text.RegularExpressions.Regex(@"enter the code (\w+)")).Groups[1].Value;
        _sandbox.SignIn(new { userCode = code });
        running.Wait().Succeeded();

        Assert.Single(_engine.Run("Get-SecureAppAccessToken $customer $signedIn -Resource https://graph.microsoft.com").Succeeded().Output);
    }

    [Fact]
    public void A_blocked_sign_in_ends_at_the_page_until_the_user_leaves_it()
    {
        _sandbox.SetTenant(_sandbox.Facts.PartnerTenantId, new { conditionalAccess = 530032 });
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $application -NoBrowser");
        string address = _engine.AddressOnScreen();
        Assert.Contains("AADSTS530032", _sandbox.SignIn(new { url = address })["page"]!.GetValue<string>());
        Assert.False(running.Ended);
        User.Carry(_sandbox.SignIn(new { url = address, action = "cancel" }));

        Assert.StartsWith("SecureAppModel.Denied", Assert.Single(running.Wait().Errors).FullyQualifiedErrorId);
    }

    [Theory]
    [InlineData("polids")]
    [InlineData("[]")]
    public void Claims_that_are_none_are_refused(string claims)
    {
        _sandbox.ResetStats();
        Outcome outcome = _engine.Run("param($claims) New-SecureAppRefreshToken $application -NoBrowser -Claims $claims", claims);

        Assert.StartsWith("SecureAppModel.InvalidInput", Assert.Single(outcome.Errors).FullyQualifiedErrorId);
        Assert.Contains("Exception.Claims", outcome.Errors[0].ErrorDetails.RecommendedAction);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void A_policy_for_one_api_leaves_the_others_alone()
    {
        _sandbox.SetTenant(Customer, new { conditionalAccess = 53000, conditionalAccessResources = new[] { "https://manage.office.com" } });

        Outcome outcome = _engine.Run("""
            Get-SecureAppAccessToken $customer -Resource https://graph.microsoft.com
            Get-SecureAppAccessToken $customer -Resource https://manage.office.com
            """);

        Assert.Equal("https://graph.microsoft.com", outcome.Property("Resource"));
        Assert.Contains("AADSTS53000", Assert.Single(outcome.Errors).ErrorDetails.Message);
    }

    [Fact]
    public void The_application_itself_is_not_asked_for_a_second_factor()
    {
        _sandbox.SetTenant(Customer, new { conditionalAccess = 50076 });

        Assert.Single(_engine.Run("Get-SecureAppAccessToken $customer -AppOnly -Resource https://graph.microsoft.com").Succeeded().Output);
    }
}
