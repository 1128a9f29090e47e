using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Module;

/// <summary>What the screen shows of a token, however it comes to be shown.</summary>
public sealed class ViewTests : IDisposable
{
    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "1");
    private readonly Engine _engine;

    public ViewTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Run("$global:token = Get-SecureAppAccessToken -TenantId $customer -Resource 'https://graph.microsoft.com' -IncludeRefreshToken").Succeeded();
    }

    /// <summary>Behind an object of another type PowerShell asks no view, but lists what the type says, or everything.</summary>
    [Theory]
    [InlineData("$token")]
    [InlineData("@(Get-SecureAppEnvironment)[0]; $token")]
    public void No_default_view_shows_the_token_or_the_refresh_token(string script)
    {
        string screen = _engine.Render(script);

        Assert.Contains(_sandbox.Facts.Tenants[0].TenantId, screen);
        string text = string.Concat(screen.Where(character => !char.IsWhiteSpace(character)));
        foreach (string property in new[] { "$token.AccessToken", "$token.RefreshToken" })
        {
            string secret = _engine.Run(property).Succeeded().Single<string>();
            Assert.DoesNotContain(secret[..16], text);
            Assert.DoesNotContain(secret[^16..], text);
        }
    }

    /// <summary>Where a script asks for text, or shows the token inside something else: ARCHITECTURE's threat model says so.</summary>
    [Theory]
    [InlineData("\"$token\"", true)]
    [InlineData("[string] $token", true)]
    [InlineData("'Bearer ' + $token", true)]
    [InlineData("'{0}' -f $token", true)]
    [InlineData("@{ t = $token }", true)]
    [InlineData("[pscustomobject]@{ t = $token }", true)]
    [InlineData("try { throw $token } catch { $_ }", true)]
    [InlineData("$token.ToString()", false)]
    [InlineData("$token", false)]
    [InlineData("@($token, $token)", false)]
    [InlineData(", @($token)", false)]
    [InlineData("[System.Collections.Generic.List[object]] @($token)", false)]
    [InlineData("[System.Management.Automation.PSSerializer]::Serialize(@{ t = $token })", false)]
    [InlineData("[System.Management.Automation.PSSerializer]::Serialize([pscustomobject]@{ t = @($token) })", false)]
    public void A_token_shows_where_it_is_text_or_nested_and_nowhere_else(string script, bool shows)
    {
        string screen = _engine.Render(script);

        Assert.Equal(shows, screen.Contains(_engine.Run("$token.AccessToken.Substring(0, 16)").Succeeded().Single<string>(), StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }
}
