using System.Text.Json;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.SignIn;

/// <summary>The pages in a real Chromium, where there is one and npm can get what drives it.</summary>
public sealed class BrowserTests
{
    private static readonly NodeFolder s_browser = new("browser");

    [Theory]
    [InlineData("accept", "The sign-in is complete")]
    [InlineData("cancel", "The sign-in did not work")]
    public void The_pages_can_be_used_by_everybody_and_give_nothing_away(string action, string heading)
    {
        string chromium = Chromium.Need();
        s_browser.Need();

        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        using Engine engine = Engine.Open().Join(sandbox).WithApplication();
        RunningScript running = engine.Start("New-SecureAppRefreshToken $application -NoBrowser");
        string address = engine.AddressOnScreen();
        SandboxUser user = sandbox.Facts.Users[0];
        string seen = s_browser.Run("node", ["sign-in.mjs"], JsonSerializer.Serialize(new
        {
            chromium,
            url = address,
            user = user.UserPrincipalName,
            password = user.Password,
            action,
        }));
        Outcome outcome = running.Wait();

        JsonNode pages = JsonNode.Parse(seen)!;
        JsonNode last = pages["last"]!;
        Assert.Equal(heading, last["heading"]!.GetValue<string>());
        Assert.Empty(pages["signIn"]!["violations"].Deserialize<string[]>()!);
        Assert.Empty(last["violations"].Deserialize<string[]>()!);
        Assert.Equal(string.Empty, last["referrer"]!.GetValue<string>());
        Assert.EndsWith("/signed-in", last["address"]!.GetValue<string>());

        // The sign-in page's own address is the request; everything that came after it gives nothing away.
        string[] history = last["history"].Deserialize<string[]>()!;
        string[] after = history.Where(entry => !entry.StartsWith(address, StringComparison.Ordinal)).ToArray();
        Assert.Contains(after, entry => entry.StartsWith("http://localhost", StringComparison.Ordinal));
        Assert.All(after, entry => Assert.DoesNotContain('?', entry));
        string shown = All(last) + string.Join('\n', after);
        Assert.DoesNotMatch("code=|refresh_token|access_token|id_token|eyJ", shown);
        System.Collections.Specialized.NameValueCollection request = System.Web.HttpUtility.ParseQueryString(new Uri(address).Query);
        string codeMark = pages["codeMark"]!.GetValue<string>();
        Assert.Equal(action == "accept", pages["hasCode"]!.GetValue<bool>());
        foreach (string secret in new[] { sandbox.Facts.Secret, sandbox.Facts.RefreshToken, user.Password, request["state"]!, request["nonce"]! })
        {
            Assert.DoesNotContain(secret, shown);
        }

        // The sign-in page is the request's own: its address has state and nonce.
        string[] nowhere = [sandbox.Facts.Secret, sandbox.Facts.RefreshToken, user.Password, codeMark];
        Assert.All(nowhere, secret => Assert.DoesNotContain(secret, shown + All(pages["signIn"]!) + string.Join('\n', history)));

        if (action == "accept")
        {
            Assert.Equal(sandbox.Facts.UserPrincipalName, outcome.Succeeded().Property("Account"));
        }
        else
        {
            Assert.StartsWith("SecureAppModel.Denied", Assert.Single(outcome.Errors).FullyQualifiedErrorId);
        }
    }

    /// <summary>All that somebody can read of a page: its title and body, and the addresses that it and its request leave behind.</summary>
    private static string All(JsonNode page) =>
        string.Join('\n', new[] { "title", "text", "address", "referrer" }.Select(part => page[part]!.GetValue<string>())) + "\n";
}
