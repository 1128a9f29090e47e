using System.Reflection;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>Where things are: the clone, the staged module and its native files, as the build wrote them down.</summary>
public static class Repository
{
    private static readonly Dictionary<string, string?> s_facts = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .ToDictionary(fact => fact.Key, fact => fact.Value, StringComparer.Ordinal);

    /// <summary>The clone's root folder.</summary>
    public static string Root { get; } = Path.GetFullPath(Fact("RepositoryRoot"));

    /// <summary>The staged, importable module folder: <c>out/SecureAppModel/&lt;version&gt;</c>.</summary>
    public static string Module { get; } = Path.GetFullPath(Fact("StagedModule")).TrimEnd(Path.DirectorySeparatorChar);

    /// <summary>The manifest inside <see cref="Module"/>.</summary>
    public static string Manifest { get; } = Path.Combine(Module, "SecureAppModel.psd1");

    /// <summary>The folder of this machine's native files inside <see cref="Module"/>.</summary>
    public static string Native { get; } = Path.Combine(Module, Fact("NativeRid"));

    /// <summary>The staged sandbox program.</summary>
    public static string SandboxProgram { get; } =
        Path.Combine(Native, OperatingSystem.IsWindows() ? "secureapp-sandbox.exe" : "secureapp-sandbox");

    /// <summary>The program that runs a script in an engine of its own.</summary>
    public static string TestHost { get; } = Path.GetFullPath(Fact("TestHost"));

    /// <summary>The program behind the README's first command.</summary>
    public static string Demo { get; } = Path.GetFullPath(Fact("Demo"));

    /// <summary>The version that the build took from Cargo.toml.</summary>
    public static string Version { get; } = Fact("ProductVersion");

    /// <summary>The files of the clone that match, generated folders left out.</summary>
    public static IEnumerable<string> Files(params string[] extensions)
    {
        string[] generated = [".git", ".crates", ".cargo", "target", "out", "bin", "obj", "node_modules", "TestResults"];
        var pending = new Stack<string>([Root]);
        while (pending.TryPop(out string? folder))
        {
            foreach (string child in Directory.EnumerateDirectories(folder))
            {
                if (!generated.Contains(Path.GetFileName(child), StringComparer.Ordinal))
                {
                    pending.Push(child);
                }
            }

            foreach (string file in Directory.EnumerateFiles(folder))
            {
                if (extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                {
                    yield return file;
                }
            }
        }
    }

    private static string Fact(string key) =>
        s_facts.TryGetValue(key, out string? value) && !string.IsNullOrEmpty(value)
            ? value
            : throw new InvalidOperationException($"The build did not record {key}.");
}
