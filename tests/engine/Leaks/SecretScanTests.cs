using System.Diagnostics;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Leaks;

/// <summary>The run's secrets are nowhere but where a command is there to return them.</summary>
[Collection(LastCollection.Name)]
public sealed class SecretScanTests
{
    /// <summary>
    /// The places: what a script says that asks for a secret. It may write the secret then, by itself or in an object of its
    /// own; no stream, error, view or serialised object of the module may hold one in any case, but for one.
    /// </summary>
    private static readonly string[] s_asked =
    [
        // The properties of what Get-SecureAppAccessToken (with -IncludeRefreshToken the second too), New-PartnerAccessToken and
        // Start-SecureAppSandbox return.
        @"\.AccessToken\b",
        @"\.RefreshToken\b",
        @"\.Secret\b",
        // Of Get-SecureAppAccessToken and Get-SecureAppKeyVaultSecret.
        "-AsPlainText",
        // Of Get-SecureAppAccessToken, and of Connect-DelegatedTenant for a command that takes a SecureString; serialised where it
        // cannot be encrypted, that has the token.
        "-AsSecureString",
        "-AsHashtable",
        // The drop-in function, whose answer is the token's text.
        "Get-GCITSAccessTokenByResource",
        // PowerShell's own making of text from a token object, which scripts build their headers with.
        """
        "\$token"|\[string\] \$token|'Bearer ' \+ \$token|-f \$token|throw \$token
        """,
    ];

    /// <summary>Serialised as it is: its secrets are made up and open nothing but itself, and a job that uses it needs them.</summary>
    private const string MadeUp = "SecureAppModel.SecureAppSandbox";

    /// <summary>Files that are there to hold a key: those of New-SecureAppCertificate, and those that tests make for -Certificate.</summary>
    private static readonly string[] s_keyFiles = [".pem", ".key"];

    private static readonly Regex s_contract = new(string.Join('|', s_asked), RegexOptions.IgnoreCase);

    [Fact]
    public void The_runs_secrets_are_only_where_they_were_asked_for()
    {
        foreach (string folder in StateFolders().Where(Directory.Exists))
        {
            Recorder.HearFiles(folder);
        }

        IReadOnlyDictionary<string, string> secrets = RunSecrets.Known();
        var watch = Stopwatch.StartNew();
        var scan = new Scan(secrets);
        string[] findings = [.. Recorder.Run.Where(heard => !WasAsked(heard)).SelectMany(scan.In).Select(finding => finding.ToString())];

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{secrets.Count:n0} secrets, {Recorder.Run.Count:n0} texts of {Recorder.Run.Sum(heard => (long)heard.Text.Length):n0} characters, {watch.Elapsed.TotalSeconds:n1} seconds");
        Assert.True(findings.Length == 0, string.Join('\n', findings));
    }

    [Fact]
    public void A_leak_is_found_wherever_it_is()
    {
        using Sandbox sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
        IReadOnlyCollection<Heard> heard = Recorder.Apart(() => LeakEverywhere(sandbox));
        var scan = new Scan(RunSecrets.Known());
        List<Finding> findings = [.. heard.SelectMany(scan.In)];

        Assert.Empty(Enum.GetValues<Place>().Except(findings.Select(finding => finding.Heard.Place)));
        Assert.Contains(findings, finding => finding.Heard is { Place: Place.View, Script: "variables of the session" });
        Assert.Contains(findings, finding => finding.Kind == "JSON Web Token");
        Assert.DoesNotContain(findings, finding => finding.ToString().Contains(sandbox.Facts.Secret));
    }

    [Fact]
    public void What_a_commands_own_sandbox_holds_is_among_the_secrets()
    {
        using Engine engine = Engine.Open();
        Outcome outcome = engine.Run(
            "$own = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0 -Seed 4242; $own.Secret; $own.RefreshToken; Stop-SecureAppSandbox $own");

        Assert.All(outcome.Succeeded().Output, secret => Assert.Contains(secret.ToString(), RunSecrets.Known().Keys));
        Assert.Equal(2, outcome.Output.Count);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("half of it: {1}")]
    [InlineData("https://localhost/?client_secret={2}&x")]
    [InlineData("<S>{3}</S>")]
    [InlineData("Basic {4}")]
    [InlineData("<SS>{5}</SS>")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----")]
    [InlineData("Bearer eyJhbGciOiJub25l.eyJhdWQiOiJ4In0.")]
    public void A_secret_is_found_in_parts_and_however_it_is_written(string shape)
    {
        const string Secret = "~Q8&<h/+m'z0T.w?Kc=V5\"n!d{LrYe}x";
        var scan = new Scan([KeyValuePair.Create(Secret, "secret")]);
        string text = string.Format(
            shape,
            Secret,
            Secret[..(Secret.Length / 2)],
            Uri.EscapeDataString(Secret),
            System.Security.SecurityElement.Escape(Secret),
            Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("client:" + Secret)),
            Convert.ToHexStringLower(System.Text.Encoding.Unicode.GetBytes(Secret)));

        Assert.Single(scan.In(new Heard(Place.Text, "test", "script", text, string.Empty)));
        Assert.Empty(scan.In(new Heard(Place.Text, "test", "script", "nothing of the kind, although it is long enough", string.Empty)));
    }

    private static bool WasAsked(Heard heard) => heard.Place switch
    {
        Place.Text or Place.ChildOutput or Place.Screen => s_contract.IsMatch(heard.Script),
        Place.Serialised => heard.Type == MadeUp,
        Place.File => s_keyFiles.Contains(Path.GetExtension(heard.Script)),
        _ => false,
    };

    /// <summary>Where the module keeps what outlives a process.</summary>
    private static IEnumerable<string> StateFolders()
    {
        string home = OperatingSystem.IsLinux()
            ? Environment.GetEnvironmentVariable("XDG_STATE_HOME")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state")
            : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return new[] { home, Path.GetTempPath() }.Select(parent => Path.Combine(parent, "secureappmodel"));
    }

    private static void LeakEverywhere(Sandbox sandbox)
    {
        using (Engine engine = Engine.Open().Join(sandbox))
        {
            engine.Run(
                """
                [CmdletBinding()] param()
                $secret = $sandbox.Secret
                $PSCmdlet.WriteVerbose($secret); $PSCmdlet.WriteDebug($secret); $PSCmdlet.WriteWarning($secret)
                $PSCmdlet.WriteInformation($secret, @())
                $PSCmdlet.WriteProgress([System.Management.Automation.ProgressRecord]::new(1, 'leak', $secret))
                $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([Exception]::new($secret), 'Leak', 'NotSpecified', $null))
                $Host.UI.Write($secret)
                $secret
                # As if a remote session had sent one of the module's objects.
                $global:ours = [pscustomobject]@{ Secret = $secret }
                $ours.PSTypeNames.Insert(0, 'Deserialized.SecureAppModel.Leak')
                $ours
                (Get-SecureAppAccessToken -TenantId $customer -Resource https://graph.microsoft.com).AccessToken
                """);
        }

        ChildEngine.Run("param($secret) $secret; throw $secret", sandbox.Facts.Secret);
        string folder = Directory.CreateTempSubdirectory("secureapp-leak-").FullName;
        File.WriteAllText(Path.Combine(folder, "manifest.json"), sandbox.Facts.Secret);
        Recorder.HearAndDelete(folder);
    }
}
