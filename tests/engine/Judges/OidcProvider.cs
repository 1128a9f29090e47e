using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Judges;

/// <summary>npm's oidc-provider in a process of its own (tests/oidc), over HTTPS, with one client; ends with its test.</summary>
internal sealed class OidcProvider : IDisposable
{
    internal const string Tenant = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    internal const string ClientId = "3d9c5b44-6d0a-4d0c-9a3e-0f2a4b7f6f10";
    internal const string Secret = "of-the-client+/=%&-that-only-this-test-has";

    private static readonly NodeFolder s_folder = new("oidc");

    private readonly TestAuthority _authority = new();
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly HttpClient _http;

    private OidcProvider(JsonObject client, string[] scopes)
    {
        client["client_id"] = ClientId;
        // Any port of this machine is the same reply URL (RFC 8252, section 7.3), which the provider grants to native clients.
        client["application_type"] = "native";
        client["redirect_uris"] = new JsonArray("http://localhost");
        client["grant_types"] = new JsonArray(
            "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code");
        _process = s_folder.Start("node", "provider.mjs");
        _errors = _process.StandardError.ReadToEndAsync();
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(new
        {
            tenant = Tenant,
            key = _authority.KeyPem,
            certificate = _authority.CertificatePem,
            scopes,
            clients = new[] { client },
        }));
        _process.StandardInput.Flush();
        string? line = _process.StandardOutput.ReadLine();
        Assert.True(line is not null, line is null ? $"The provider ended: {_errors.GetAwaiter().GetResult()}" : null);
        Address = $"https://localhost:{JsonNode.Parse(line!)!["port"]}";
        _http = new HttpClient(Trust.Only(_authority.RootPath)) { BaseAddress = new Uri(Address) };
    }

    /// <summary>Where its sign-in is, as an environment's.</summary>
    internal string Address { get; }

    /// <summary>The root that its certificate comes from.</summary>
    internal string RootPath => _authority.RootPath;

    /// <summary>Starts one whose client proves itself by <see cref="Secret"/>; skips the test where it cannot be had.</summary>
    internal static OidcProvider WithSecret(params string[] scopes) =>
        Start(new JsonObject { ["token_endpoint_auth_method"] = "client_secret_post", ["client_secret"] = Secret }, scopes);

    /// <summary>Starts one whose client proves itself by the key of a JSON Web Key, with that algorithm alone.</summary>
    internal static OidcProvider WithKey(JsonObject key, string algorithm, params string[] scopes) => Start(
        new JsonObject
        {
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["token_endpoint_auth_signing_alg"] = algorithm,
            ["jwks"] = new JsonObject { ["keys"] = new JsonArray(key) },
        },
        scopes);

    /// <summary>What it noticed: refused requests, refresh tokens that were rotated out, grants that were revoked.</summary>
    internal Seen WhatItSaw() =>
        JsonSerializer.Deserialize<Seen>(_http.GetStringAsync("/seen").GetAwaiter().GetResult(), JsonSerializerOptions.Web)!;

    /// <summary>A request of somebody else to the token endpoint, with the client's secret; its status.</summary>
    internal int Redeem(string refreshToken)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "refresh_token",
            ["refresh_token"] = refreshToken,
            ["client_id"] = ClientId,
            ["client_secret"] = Secret,
        });
        using HttpResponseMessage reply = _http.PostAsync($"/{Tenant}/oauth2/v2.0/token", form).GetAwaiter().GetResult();
        return (int)reply.StatusCode;
    }

    public void Dispose()
    {
        RunSecrets.Know("client secret", Secret);
        foreach (string token in JsonSerializer.Deserialize<string[]>(_http.GetStringAsync("/issued").GetAwaiter().GetResult())!)
        {
            RunSecrets.Know("token of the provider", token);
        }

        _http.Dispose();
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        _authority.Dispose();
    }

    private static OidcProvider Start(JsonObject client, string[] scopes)
    {
        s_folder.Need();
        return new OidcProvider(client, scopes);
    }

    internal sealed record Seen(IReadOnlyList<string> Refused, int Rotated, int Revoked);
}
