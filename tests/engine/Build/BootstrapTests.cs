using System.Diagnostics;
using System.Runtime.Versioning;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Build;

/// <summary>What build/bootstrap.sh says on a machine that lacks something, and what it leaves alone.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class BootstrapTests : IDisposable
{
    private readonly string _clone = Directory.CreateTempSubdirectory("secureapp-boot-").FullName;
    private readonly string _tools;

    public BootstrapTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The bootstrap is a shell script; Windows uses cargo as it is.");
        Directory.CreateDirectory(Path.Combine(_clone, "build"));
        foreach (string name in new[] { "bootstrap.sh", "with-rust.sh" })
        {
            File.Copy(Path.Combine(Repository.Root, "build", name), Path.Combine(_clone, "build", name));
        }

        // A machine with the shell's everyday tools and nothing else.
        _tools = Directory.CreateDirectory(Path.Combine(_clone, "tools")).FullName;
        foreach (string name in new[] { "sh", "dirname", "mkdir", "rm", "cat", "grep" })
        {
            string real = new[] { "/usr/bin", "/bin" }.Select(folder => Path.Combine(folder, name)).First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(_tools, name), real);
        }
    }

    [Fact]
    public void Without_Rust_it_says_so()
    {
        Refuses("Rust is not installed");
    }

    [Fact]
    public void Without_a_C_compiler_it_says_so()
    {
        Tool("cargo", "exit 0");

        Refuses("no C toolchain");
    }

    [Fact]
    public void Without_the_OpenSSL_headers_it_says_so()
    {
        Tool("cargo", "exit 0");
        Tool("cc", "echo 'openssl/opensslv.h: No such file or directory' >&2; exit 1");

        Refuses("the OpenSSL 3 headers are missing");
    }

    [Fact]
    public void A_cargo_configuration_of_the_user_stays()
    {
        Tool("cargo", "exit 0");
        Tool("cc", "exit 0");
        string config = Path.Combine(_clone, ".cargo", "config.toml");
        Directory.CreateDirectory(Path.GetDirectoryName(config)!);
        File.WriteAllText(config, "[net]\nretry = 5\n");

        (int exit, string output, _) = Bootstrap();

        Assert.Equal(0, exit);
        Assert.Contains("own .cargo/config.toml", output);
        Assert.Equal("[net]\nretry = 5\n", File.ReadAllText(config));
    }

    [Fact]
    public void The_answer_is_remembered()
    {
        Tool("cargo", "[ \"$1\" = --version ] || echo asked >>\"$HOME/asked\"");
        Tool("cc", "exit 0");
        Tool("timeout", "shift; exec \"$@\"");

        Assert.Equal(0, Bootstrap().Exit);
        (int exit, string output, _) = Bootstrap();

        Assert.Equal(0, exit);
        Assert.Contains("using the public registry", output);
        Assert.Single(File.ReadAllLines(Path.Combine(_clone, "asked")));
    }

    public void Dispose() => Directory.Delete(_clone, recursive: true);

    /// <summary>One sentence on standard error, the same in the file that the build reads, and a failing exit code.</summary>
    private void Refuses(string reason)
    {
        (int exit, _, string errors) = Bootstrap();

        Assert.Equal(1, exit);
        string line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ", line);
        Assert.Contains(reason, line);
        Assert.Equal(line["error: ".Length..], File.ReadAllText(Path.Combine(_clone, ".crates", "failure")).Trim());
    }

    private void Tool(string name, string script)
    {
        string path = Path.Combine(_tools, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private (int Exit, string Output, string Errors) Bootstrap()
    {
        var start = new ProcessStartInfo(Path.Combine(_tools, "sh"));
        start.ArgumentList.Add(Path.Combine(_clone, "build", "bootstrap.sh"));
        start.Environment.Clear();
        start.Environment["PATH"] = _tools;
        start.Environment["HOME"] = _clone;
        return Within.Run(start);
    }
}
