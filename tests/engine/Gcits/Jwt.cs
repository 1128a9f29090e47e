using System.Text;
using System.Text.Json;

namespace SecureAppModel.EngineTests.Gcits;

/// <summary>Reads what a token says, for tests only.</summary>
internal static class Jwt
{
    public static JsonElement Claims(object? token)
    {
        string text = Assert.IsType<string>(token is System.Management.Automation.PSObject wrapped ? wrapped.BaseObject : token);
        string[] parts = text.Split('.');
        Assert.Equal(3, parts.Length);
        string payload = parts[1].Replace('-', '+').Replace('_', '/');
        payload = payload.PadRight((payload.Length + 3) / 4 * 4, '=');
        return JsonDocument.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(payload))).RootElement;
    }

    /// <summary>Fails unless the token is a bare one for that audience, issued by that tenant.</summary>
    public static void ForAudience(string audience, string tenantId, object? token)
    {
        JsonElement claims = Claims(token);
        Assert.Equal(audience, claims.GetProperty("aud").GetString()?.TrimEnd('/'));
        Assert.Equal(tenantId, claims.GetProperty("tid").GetString());
    }
}
