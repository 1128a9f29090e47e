using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.SignIn;

/// <summary>New-SecureAppRefreshToken, with a user who drives the sandbox's pages over HTTP.</summary>
[Collection(nameof(BrowserVariable))]
public sealed partial class RefreshTokenTests : IDisposable
{
    private const string Oob = "urn:ietf:wg:oauth:2.0:oob";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public RefreshTokenTests() => _engine = Engine.Open().Join(_sandbox).WithApplication();

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public void A_user_signs_in_and_the_credential_gets_tokens_for_customers()
    {
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $application -NoBrowser -ExpectedAccount $sandbox.UserPrincipalName");
        JsonNode answer = _sandbox.SignIn(new { url = _engine.AddressOnScreen() });
        (Uri address, string html) = User.Carry(answer);
        Outcome outcome = running.Wait().Succeeded();

        Assert.Equal(_sandbox.Facts.UserPrincipalName, outcome.Property("Account"));
        Assert.Equal(_sandbox.Facts.PartnerTenantId, outcome.Property("TenantId"));
        Assert.Equal(true, outcome.Property("Mfa"));
        Assert.Equal(true, outcome.Property("HasRefreshToken"));
        Assert.InRange((DateTimeOffset)outcome.Property("AcquiredOn")!, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
        Assert.Empty(outcome.Warnings);
        string code = answer["parameters"]!["code"]!.GetValue<string>();
        Assert.DoesNotContain(code, outcome.AllText + html + address);
        Assert.DoesNotContain(_sandbox.Facts.Secret, outcome.AllText + html + address);
        Assert.Equal("/signed-in", address.PathAndQuery);

        _engine.Set("signedIn", outcome.Output[0]);
        Outcome token = _engine.Run("Get-SecureAppAccessToken -Credential $signedIn -TenantId $customer -Resource https://graph.microsoft.com").Succeeded();
        Assert.Equal(_sandbox.Facts.UserPrincipalName, token.Property("Account"));
        string shown = _engine.Render("$signedIn");
        Assert.Matches(@"RefreshToken\s*:\s*\*\*\*", shown);
        Assert.Matches(@"Mfa\s*:\s*True", shown);
    }

    [Fact]
    public void The_browser_is_a_program_that_gets_the_address()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The stand-in for a browser is a shell script.");
            return;
        }

        string folder = Directory.CreateTempSubdirectory("secureapp-browser-").FullName;
        try
        {
            string pipe = Path.Combine(folder, "pipe");
            string browser = Path.Combine(folder, "my browser");
            Within.Run(new System.Diagnostics.ProcessStartInfo("mkfifo", pipe));
            File.WriteAllText(browser, $"#!/bin/sh\necho noise; printf '%s' \"$1\" > '{pipe}'\n");
            File.SetUnixFileMode(browser, UnixFileMode.UserRead | UnixFileMode.UserExecute);

            RunningScript running = _engine.Start("param($browser) $env:BROWSER = $browser; try { New-SecureAppRefreshToken $application } finally { $env:BROWSER = $null }", browser);
            string address = File.ReadAllText(pipe);
            User.Carry(_sandbox.SignIn(new { url = address }));

            Assert.Equal(true, running.Wait().Succeeded().Property("HasRefreshToken"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_sign_in_that_is_cancelled_is_an_error_that_says_so()
    {
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $application -NoBrowser");
        (_, string html) = User.Carry(_sandbox.SignIn(new { url = _engine.AddressOnScreen(), action = "cancel" }));
        Outcome outcome = running.Wait();

        Assert.StartsWith("SecureAppModel.Denied", Assert.Single(outcome.Errors).FullyQualifiedErrorId);
        Assert.Contains("canceled", outcome.Errors[0].ErrorDetails.Message);
        Assert.Contains("The sign-in did not work", html);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public void A_sign_in_without_multifactor_authentication_warns()
    {
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $application -NoBrowser");
        User.Carry(_sandbox.SignIn(new { url = _engine.AddressOnScreen(), mfa = false }));
        Outcome outcome = running.Wait().Succeeded();

        Assert.Equal(false, outcome.Property("Mfa"));
        Assert.Contains("trusted IP", Assert.Single(outcome.Warnings));
    }

    [Fact]
    public void The_address_that_the_browser_ended_at_is_asked_for()
    {
        _sandbox.SetApplication(new { redirectUris = new[] { Oob } });
        _engine.AnswerPrompts(screen => _sandbox.SignIn(new { url = Regex.Match(screen, @"https://\S+").Value })["location"]!.GetValue<string>());
        Outcome outcome = _engine.Run("param($uri) New-SecureAppRefreshToken $application -NoBrowser -RedirectUri $uri", Oob).Succeeded();

        Assert.Equal(_sandbox.Facts.UserPrincipalName, outcome.Property("Account"));
        Assert.Contains("F12", outcome.Screen);
    }

    [Fact]
    public void Where_nobody_can_be_asked_the_address_comes_with_a_second_call()
    {
        _sandbox.SetApplication(new { redirectUris = new[] { "https://localhost" } });
        Outcome first = _engine.Run("New-SecureAppRefreshToken $application -NoBrowser -RedirectUri https://localhost");
        Assert.Contains("-ResponseUrl", Assert.Single(first.Errors).ErrorDetails.RecommendedAction);

        string end = _sandbox.SignIn(new { url = Regex.Match(first.Screen, @"https://\S+").Value })["location"]!.GetValue<string>();
        Outcome second = _engine.Run("param($end) New-SecureAppRefreshToken $application -ResponseUrl $end", end).Succeeded();
        Assert.Equal(_sandbox.Facts.UserPrincipalName, second.Property("Account"));

        Outcome third = _engine.Run("param($end) New-SecureAppRefreshToken $application -ResponseUrl $end", end);
        Assert.StartsWith("SecureAppModel.InvalidInput", Assert.Single(third.Errors).FullyQualifiedErrorId);
        Assert.DoesNotContain("code=", third.AllText);
    }

    [Fact]
    public void A_device_code_is_printed_as_it_arrives()
    {
        _sandbox.SetApplication(new { deviceIntervalSeconds = 1 });
        RunningScript running = _engine.Start("New-SecureAppRefreshToken $application -UseDeviceCode");
        string code = _engine.WaitForText(DeviceCode()).Groups[1].Value;
        _sandbox.SignIn(new { userCode = code });

        Assert.Equal(_sandbox.Facts.UserPrincipalName, running.Wait().Succeeded().Property("Account"));
    }

    [Theory]
    [InlineData("", "http://localhost")]
    [InlineData("-RedirectUri http://localhost:8400/back", "http://localhost/back")]
    [InlineData("-RedirectUri https://localhost", "https://localhost")]
    public void A_reply_URL_that_is_not_registered_is_named(string arguments, string register)
    {
        _sandbox.SetApplication(new { redirectUris = new[] { Oob } });
        Outcome outcome = _engine.Run("New-SecureAppRefreshToken $application -NoBrowser " + arguments);

        Assert.Contains("AADSTS50011", Assert.Single(outcome.Errors).ErrorDetails.Message);
        Assert.Contains($"exactly {register} to", outcome.Errors[0].ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_stop_frees_the_port()
    {
        int port;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        RunningScript running = _engine.Start("param($port) New-SecureAppRefreshToken $application -NoBrowser -Port $port", port);
        _engine.AddressOnScreen();
        running.Stop();
        Assert.True(running.Wait().Stopped);

        using var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
    }

    [Theory]
    [InlineData("-Resource https://graph.microsoft.com -Scope User.Read", "exclude each other")]
    [InlineData("-TenantId ''", "tenant")]
    [InlineData("-ExpectedAccount ''", "empty")]
    [InlineData("-RedirectUri http://elsewhere.example", "plain http")]
    [InlineData("-RedirectUri urn:x -Port 8400", "nothing listens")]
    [InlineData("-UseDeviceCode -Port 8400", "device code")]
    [InlineData("-ResponseUrl https://localhost/", "not the answer")]
    public void What_cannot_work_is_refused(string arguments, string reason)
    {
        _sandbox.ResetStats();
        Outcome outcome = _engine.Run("New-SecureAppRefreshToken $application -NoBrowser " + arguments);

        Assert.StartsWith("SecureAppModel.InvalidInput", Assert.Single(outcome.Errors).FullyQualifiedErrorId);
        Assert.Contains(reason, outcome.Errors[0].ErrorDetails.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [GeneratedRegex(@"enter the code (\w+)")]
    private static partial Regex DeviceCode();
}
