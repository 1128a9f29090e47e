using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Sandboxing;

/// <summary>
/// The staged sandbox program, started for one test or one collection: its facts, and its control interface. It lives on
/// this process's pipe (<c>--exit-with-stdin</c>), so it is gone when the tests are, however they end.
/// </summary>
public sealed class Sandbox : IDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(2);
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>What is posted to be read.</summary>
    private static readonly string[] s_reading = ["/oauth2/", "getByIds", "$batch"];

    private readonly Process _process;
    private readonly HttpClient _http;

    private Sandbox(Process process, SandboxFacts facts, string line)
    {
        Line = line;
        _process = process;
        Facts = facts;
        _http = new HttpClient(Trust.Only(facts.CertificatePath)) { BaseAddress = new Uri(facts.Endpoints["login"] + "/") };
    }

    /// <summary>What the program printed when it was ready.</summary>
    public SandboxFacts Facts { get; }

    /// <summary>The same as it was printed, for what <see cref="SandboxFacts"/> does not name.</summary>
    public string Line { get; }

    /// <summary>Starts a sandbox and waits until it says that it is ready.</summary>
    /// <param name="arguments">Command-line arguments, for example <c>"--tenants", "3"</c>.</param>
    public static Sandbox Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Repository.SandboxProgram)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add("--exit-with-stdin");
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException("The sandbox did not start.");
        var complaint = new System.Text.StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (complaint)
            {
                complaint.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        try
        {
            using var limit = new CancellationTokenSource(s_startLimit);
            string? line = process.StandardOutput.ReadLineAsync(limit.Token).AsTask().GetAwaiter().GetResult();
            SandboxFacts facts = JsonSerializer.Deserialize<SandboxFacts>(line ?? "null", s_json)
                ?? throw new InvalidOperationException("The sandbox ended before it was ready.");
            return new Sandbox(process, facts, line!);
        }
        catch (Exception error) when (error is InvalidOperationException or JsonException or OperationCanceledException)
        {
            process.Kill();
            process.WaitForExit();
            throw new InvalidOperationException($"The sandbox is not usable: {error.Message}\n{complaint}", error);
        }
    }

    /// <summary>What exists: the distinct records of every tenant.</summary>
    public JsonNode Truth() => Get("sandbox/truth");

    /// <summary>The record ids of one tenant, sorted.</summary>
    public IReadOnlyList<string> RecordIds(string tenantId, string query = "")
    {
        string text = Send(HttpMethod.Get, $"sandbox/truth/{tenantId}{query}", null);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    /// <summary>The ids of the first tenant's records whose events happened in a time, sorted.</summary>
    public IReadOnlyList<string> EventIds(DateTimeOffset start, DateTimeOffset end) =>
        RecordIds(Facts.Tenants[0].TenantId, $"?by=event&start={start.UtcDateTime:s}&end={end.UtcDateTime:s}");

    /// <summary>What was asked since the start or the last <see cref="ResetStats"/>.</summary>
    public JsonNode Stats() => Get("sandbox/stats");

    /// <summary>How often each (tenant, resource, grant) got a token.</summary>
    public IReadOnlyList<TokenCount> TokenCounts() =>
        Stats()["tokens"].Deserialize<List<TokenCount>>(s_json) ?? [];

    /// <summary>The requests that change something, as method and path: all but those that read, and those that only ask for a token.</summary>
    public IReadOnlyList<string> Changes() =>
        [.. Stats()["byPath"]!.AsObject().Select(count => count.Key).Where(path => !path.StartsWith("GET ", StringComparison.Ordinal) && !s_reading.Any(path.Contains))];

    public void ResetStats() => Send(HttpMethod.Post, "sandbox/stats/reset", null);

    /// <summary>Adds one fault or an array of them; see the sandbox's own documentation for the fields.</summary>
    public void AddFault(object fault) => Send(HttpMethod.Post, "sandbox/faults", fault);

    public void ClearFaults() => Send(HttpMethod.Delete, "sandbox/faults", null);

    /// <summary>Changes a customer's health, for example <c>new { consent = "missing" }</c>.</summary>
    public void SetTenant(string tenantId, object change) => Send(HttpMethod.Post, $"sandbox/tenants/{tenantId}", change);

    /// <summary>Changes the partner's application, for example <c>new { tokenLifetimeSeconds = 60 }</c>.</summary>
    public void SetApplication(object change) => Send(HttpMethod.Post, "sandbox/application", change);

    /// <summary>Blocks until a hold fault has reached a state: <c>held</c>, <c>closed</c> (the client went away) or <c>released</c>.</summary>
    public JsonNode WaitForHold(string faultId, string state, int count = 1) =>
        Get($"sandbox/holds/{faultId}?wait={state}&count={count}&timeoutMs=30000");

    public void Release(string faultId) => Send(HttpMethod.Post, $"sandbox/holds/{faultId}/release", null);

    /// <summary>Any control request; a refusal fails the test with the sandbox's own words.</summary>
    public string Send(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(
                body as string ?? JsonSerializer.Serialize(body, s_json), System.Text.Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = _http.Send(request);
        using var reader = new StreamReader(response.Content.ReadAsStream());
        string text = reader.ReadToEnd();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path} answered {(int)response.StatusCode}: {text}");
        return text;
    }

    /// <summary>A client for the sandbox's services that trusts its certificate authority and nothing else.</summary>
    public HttpClient Client(string service) => new(Trust.Only(Facts.CertificatePath)) { BaseAddress = new Uri(Facts.Endpoints[service] + "/") };

    public void Dispose()
    {
        _http.Dispose();
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private JsonNode Get(string path) =>
        JsonNode.Parse(Send(HttpMethod.Get, path, null)) ?? throw new InvalidOperationException($"{path} answered null.");
}
