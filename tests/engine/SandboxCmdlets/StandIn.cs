using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.SandboxCmdlets;

/// <summary>Another program in the sandbox's place. The variable that names it belongs to the whole process.</summary>
internal static class StandIn
{
    /// <summary>A shell script in the sandbox's place.</summary>
    public static string Program(string body)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-in is a shell script.");
        string path = Path.Combine(Path.GetTempPath(), $"secureapp-{Guid.NewGuid():n}.sh");
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        SetMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Sets a file's rights where there are such.</summary>
    public static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    /// <summary>Runs a script in a session whose sandbox program is the one at that path.</summary>
    public static Outcome Run(string path, string script)
    {
        Environment.SetEnvironmentVariable("SECUREAPP_SANDBOX_PATH", path);
        try
        {
            using Engine engine = Engine.Open();
            return engine.Run(script);
        }
        finally
        {
            Environment.SetEnvironmentVariable("SECUREAPP_SANDBOX_PATH", null);
        }
    }
}
