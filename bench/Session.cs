using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.PowerShell;

namespace SecureAppModel.Bench;

/// <summary>A session of the real engine with the staged module and a sandbox of its own as its default cloud.</summary>
internal sealed class Session : IDisposable
{
    private static readonly Dictionary<string, string?> s_facts = typeof(Session).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(fact => fact.Key, fact => fact.Value, StringComparer.Ordinal);

    private readonly Runspace _runspace;

    /// <summary>Starts the engine and a sandbox with these arguments of Start-SecureAppSandbox.</summary>
    public Session(string sandboxArguments)
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }

        _runspace = RunspaceFactory.CreateRunspace(state);
        _runspace.Open();
        Invoke("param($manifest) Import-Module -Name $manifest -ErrorAction Stop", Path.Combine(s_facts["StagedModule"]!, "SecureAppModel.psd1"));
        Sandbox = Invoke(
            $"""
            $global:sandbox = Start-SecureAppSandbox {sandboxArguments}
            Set-SecureAppDefault -Credential $sandbox.Credential -Environment $sandbox.Environment
            $sandbox
            """).Single();
        Control = new HttpClient(Trusting(Text("CertificatePath"))) { BaseAddress = new Uri(Endpoint("Login") + "/") };
    }

    /// <summary>The clone's root.</summary>
    public static string Root { get; } = Path.GetFullPath(s_facts["RepositoryRoot"]!);

    /// <summary>What Start-SecureAppSandbox wrote.</summary>
    public PSObject Sandbox { get; }

    /// <summary>A client for the sandbox's control interface.</summary>
    public HttpClient Control { get; }

    public string Text(string property) => (string)Sandbox.Properties[property].Value;

    public string Endpoint(string service) =>
        ((string)PSObject.AsPSObject(Sandbox.Properties["Endpoints"].Value).Properties[service].Value).TrimEnd('/');

    /// <summary>Runs a script to its end; the first error is an exception.</summary>
    public IReadOnlyList<PSObject> Invoke(string script, params object[] arguments)
    {
        using PowerShell shell = Shell(script, arguments);
        IReadOnlyList<PSObject> output = shell.Invoke();
        return shell.Streams.Error.FirstOrDefault() is { } error
            ? throw new InvalidOperationException(error.ToString(), error.Exception)
            : output;
    }

    /// <summary>A script that has not been started.</summary>
    public PowerShell Shell(string script, params object[] arguments)
    {
        PowerShell shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object argument in arguments)
        {
            shell.AddArgument(argument);
        }

        return shell;
    }

    public JsonNode Get(string path) => JsonNode.Parse(Control.GetStringAsync(path).GetAwaiter().GetResult())!;

    public void Send(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = Control.Send(request);
        response.EnsureSuccessStatusCode();
    }

    public static SocketsHttpHandler Trusting(string certificatePath)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(certificatePath);
        return new SocketsHttpHandler { UseProxy = false, SslOptions = { CertificateChainPolicy = policy } };
    }

    public void Dispose()
    {
        using (PowerShell shell = Shell("Stop-SecureAppSandbox $sandbox"))
        {
            shell.Invoke();
        }

        Control.Dispose();
        _runspace.Dispose();
    }
}
