using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Register;

/// <summary>An estate without an application, and its administrator.</summary>
internal static class Registering
{
    /// <summary>"Microsoft Graph Command Line Tools".</summary>
    internal const string GraphTools = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

    internal static Sandbox StartEmpty() => Sandbox.Start("--tenants", "2", "--records", "0", "--preset", "empty");

    /// <summary>Joins the sandbox and sets <c>$administrator</c>, a credential of the public client with a user's refresh token.</summary>
    internal static Engine WithAdministrator(this Engine engine, Sandbox sandbox, string user = "sam")
    {
        string name = sandbox.Facts.Users.First(one => one.UserPrincipalName.StartsWith(user, StringComparison.Ordinal)).UserPrincipalName;
        string answer = sandbox.Send(HttpMethod.Post, "sandbox/users", new { userPrincipalName = name, mfa = true, publicClient = GraphTools });
        engine.JoinCloud(sandbox);
        engine.Set("tools", GraphTools);
        engine.Set("administrators", JsonNode.Parse(answer)!["refreshToken"]!.GetValue<string>());
        engine.Run(
            "$global:administrator = New-SecureAppCredential -ApplicationId $tools -TenantId $sandbox.PartnerTenantId -RefreshToken (ConvertTo-Secret $administrators); Set-SecureAppDefault -Credential $administrator; $global:administrators = $null").Succeeded();
        return engine;
    }
}
