using System.Collections.Concurrent;

namespace SecureAppModel.EngineTests.Leaks;

/// <summary>Keeps what came to light in the whole run, for the scan at its end. Thread-safe.</summary>
internal static class Recorder
{
    private static readonly ConcurrentQueue<Heard> s_run = new();
    private static readonly AsyncLocal<ConcurrentQueue<Heard>?> s_apart = new();

    /// <summary>What came to light so far.</summary>
    internal static IReadOnlyCollection<Heard> Run => s_run;

    internal static void Hear(Place place, string script, string? text, string type = "")
    {
        if (!string.IsNullOrWhiteSpace(text))
        {
            string test = TestContext.Current.Test?.TestDisplayName ?? TestContext.Current.TestClass?.TestClassName ?? "no test";
            (s_apart.Value ?? s_run).Enqueue(new Heard(place, test, script, text, type));
        }
    }

    /// <summary>Takes every file below a folder down, read as text.</summary>
    internal static void HearFiles(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Hear(Place.File, Path.GetFileName(file), File.ReadAllText(file));
        }
    }

    /// <summary>The same before the folder goes.</summary>
    internal static void HearAndDelete(string folder)
    {
        HearFiles(folder);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What comes to light in there is returned and not part of the run: for what leaks on purpose.</summary>
    internal static IReadOnlyCollection<Heard> Apart(Action leak)
    {
        var apart = new ConcurrentQueue<Heard>();
        s_apart.Value = apart;
        try
        {
            leak();
        }
        finally
        {
            s_apart.Value = null;
        }

        return apart;
    }
}
