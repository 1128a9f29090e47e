namespace SecureAppModel.EngineTests.Hosting;

/// <summary>The browser that the folder tests/browser drives.</summary>
public static class Chromium
{
    /// <summary>Its program; skips the test, in one line, where there is none.</summary>
    public static string Need()
    {
        string? named = Environment.GetEnvironmentVariable("CHROMIUM");
        string[] names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        IEnumerable<string> found =
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
            from name in names
            select Path.Combine(folder, name);
        string? chromium = named ?? found.FirstOrDefault(File.Exists);
        Assert.SkipWhen(chromium is null, "tests/browser needs chromium, which is not installed here.");
        return chromium!;
    }
}
