using System.ComponentModel;
using System.Diagnostics;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>A folder under tests whose programs run in node, with the packages that its package.json names.</summary>
public sealed class NodeFolder(string name)
{
    private static readonly Lock s_installing = new();

    private readonly string _path = Path.Combine(Repository.Root, "tests", name);

    /// <summary>Skips the test, in one line, where there is no node or no registry.</summary>
    public void Need() => Assert.SkipUnless(Installed(), $"tests/{name} needs node and npm with a registry, which are not here.");

    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    public string Run(string program, string[] arguments, string input)
    {
        (int exit, string output, string errors) = Within.Run(Node(program, arguments), input, TimeSpan.FromMinutes(10));
        return exit == 0 ? output : throw new InvalidOperationException($"{program} ended with {exit}: {output}\n{errors}");
    }

    /// <summary>Starts a program whose streams are the caller's.</summary>
    public Process Start(string program, params string[] arguments)
    {
        ProcessStartInfo start = Node(program, arguments);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
    }

    private ProcessStartInfo Node(string program, string[] arguments) => new(program, arguments) { WorkingDirectory = _path };

    /// <summary>Gets the packages once; false where that cannot be done here.</summary>
    private bool Installed()
    {
        lock (s_installing)
        {
            // What npm writes last.
            if (File.Exists(Path.Combine(_path, "node_modules", ".package-lock.json")))
            {
                return true;
            }

            try
            {
                Run("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--engine-strict"], string.Empty);
                return true;
            }
            catch (Exception failure) when (failure is Win32Exception or InvalidOperationException)
            {
                return false;
            }
        }
    }
}
