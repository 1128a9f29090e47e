using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.SignIn;

/// <summary>A user without a browser: reads the address off the screen, signs in there and carries the answer back.</summary>
internal static partial class User
{
    private static readonly HttpClient s_browser = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>The sandbox's application without a user, as <c>$application</c>.</summary>
    internal static Engine WithApplication(this Engine engine)
    {
        engine.Run("$global:application = New-SecureAppCredential -ApplicationId $sandbox.ApplicationId -Secret (ConvertTo-Secret $sandbox.Secret)").Succeeded();
        return engine;
    }

    /// <summary>Waits until a sign-in address is on the screen.</summary>
    internal static string AddressOnScreen(this Engine engine) => engine.WaitForText(Address()).Value;

    /// <summary>What the user does at the page; the answer as the page gives it.</summary>
    internal static JsonNode SignIn(this Sandbox sandbox, object attempt) =>
        JsonNode.Parse(sandbox.Send(HttpMethod.Post, "sandbox/sign-in", attempt))!;

    /// <summary>Takes an answer to where it belongs, as the form on the page does; returns the page that comes last.</summary>
    internal static (Uri Address, string Html) Carry(JsonNode answer)
    {
        Dictionary<string, string> form = answer["parameters"].Deserialize<Dictionary<string, string>>()!;
        using HttpResponseMessage response = s_browser
            .PostAsync(answer["redirectUri"]!.GetValue<string>(), new FormUrlEncodedContent(form)).GetAwaiter().GetResult();
        return (response.RequestMessage!.RequestUri!, response.Content.ReadAsStringAsync().GetAwaiter().GetResult());
    }

    [GeneratedRegex(@"https://localhost:\d+/\S*authorize\?\S+")]
    private static partial Regex Address();
}
