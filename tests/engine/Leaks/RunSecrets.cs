using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SecureAppModel.EngineTests.Leaks;

/// <summary>
/// What is secret in this run: what its sandboxes hold, issue and are sent, whoever starts them, and whatever a test makes a
/// SecureString of. JSON Web Tokens are told by their shape. Thread-safe.
/// </summary>
public static partial class RunSecrets
{
    /// <summary>Shorter texts are found anywhere by chance.</summary>
    public const int Shortest = 16;

    private static readonly ConcurrentDictionary<string, string> s_known = new(StringComparer.Ordinal);

    private static readonly string s_folder = Directory.CreateTempSubdirectory("secureapp-run-").FullName;

    /// <summary>The secrets so far, each with what it is.</summary>
    internal static IReadOnlyDictionary<string, string> Known()
    {
        foreach (string file in Directory.EnumerateFiles(s_folder))
        {
            // Some are still written to.
            using var lines = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            while (lines.ReadLine() is { } line)
            {
                string[] secret = JsonSerializer.Deserialize<string[]>(line)!;
                Know(secret[0], secret[1]);
            }
        }

        return s_known;
    }

    /// <summary>
    /// Takes a secret down. A GUID is none: the module repeats those on purpose. Of a text that only holds secrets it is those.
    /// </summary>
    public static void Know(string kind, string? text)
    {
        if (text is null || text.TrimStart().StartsWith('{') || Guid.TryParse(text, out _))
        {
            return;
        }

        if (text.Contains("-----BEGIN", StringComparison.Ordinal))
        {
            // A key begins with its public part, which certificates show.
            string key = PrivateKey().Match(text).Groups[1].Value.ReplaceLineEndings("\n").Trim();
            text = key[(key.Length / 2)..];
        }

        if (text.Length >= Shortest)
        {
            s_known.TryAdd(text, kind);
        }
    }

    /// <summary>Every sandbox below this process writes its secrets down, those of commands, programs and Rust tests too.</summary>
    [ModuleInitializer]
    internal static void Begin()
    {
        Environment.SetEnvironmentVariable("SECUREAPP_SANDBOX_SECRETS", s_folder);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(s_folder, recursive: true);
    }

    [GeneratedRegex("PRIVATE KEY-----(.*?)-----END", RegexOptions.Singleline)]
    private static partial Regex PrivateKey();
}
