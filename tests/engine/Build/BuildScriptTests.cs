using System.IO.Compression;
using System.Xml.Linq;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Build;

/// <summary>The tasks of build.ps1, run in a copy of what they touch and with a stand-in for <c>dotnet</c> that writes down its arguments.</summary>
public sealed class BuildScriptTests : IDisposable
{
    private readonly string _clone = Directory.CreateTempSubdirectory("secureapp-build-").FullName;
    private readonly Engine _engine = Engine.Bare();

    public BuildScriptTests()
    {
        foreach (string name in new[] { "build.ps1", "Cargo.toml" })
        {
            File.Copy(Path.Combine(Repository.Root, name), Path.Combine(_clone, name));
        }

        _engine.Run(
            """
            $global:calls = [System.Collections.Generic.List[string]]::new()
            $global:dotnetExit = 0
            function global:dotnet {
                $global:calls.Add("$($ExecutionContext.SessionState.Path.CurrentLocation.Path): $args")
                $global:LASTEXITCODE = $global:dotnetExit
            }
            """).Succeeded();
    }

    [Theory]
    [InlineData("Build", "build --configuration Release")]
    [InlineData("Test", "test --configuration Release")]
    [InlineData("Demo", "run --project demo --configuration Release")]
    public void A_task_calls_the_command_of_the_README_in_the_clone(string task, string command)
    {
        Task(task).Succeeded();

        Assert.Equal([$"{_clone}: {command}"], Calls());
    }

    [Fact]
    public void Several_tasks_run_in_their_order()
    {
        _engine.Run("param($script) & $script -Task Test, Build -Configuration Debug", Script()).Succeeded();

        Assert.Equal([$"{_clone}: test --configuration Debug", $"{_clone}: build --configuration Debug"], Calls());
    }

    [Fact]
    public void A_failed_command_ends_the_run_with_its_exit_code()
    {
        Outcome outcome = _engine.Run("param($script) $global:dotnetExit = 3; & $script -Task Build, Test", Script());

        Assert.Contains("exit code 3", outcome.FailureRecord?.Exception.Message);
        Assert.Single(Calls());
    }

    [Fact]
    public void The_session_stays_where_it_was()
    {
        Outcome outcome = _engine.Run(
            """
            param($script)
            $before = $ExecutionContext.SessionState.Path.CurrentLocation.Path
            & $script -Task Build
            $before -eq $ExecutionContext.SessionState.Path.CurrentLocation.Path
            """,
            Script());

        Assert.True(outcome.Succeeded().Single<bool>());
    }

    [Fact]
    public void A_package_is_the_staged_module_with_other_platforms_files()
    {
        Stage();
        string windows = Directory.CreateDirectory(Path.Combine(_clone, "artifacts", "win-x64")).FullName;
        File.WriteAllText(Path.Combine(windows, "secureapp.dll"), "for another platform");

        Outcome outcome = _engine.Run("param($script, $native) & $script -Task Package -NativePath $native", Script(), windows).Succeeded();

        string folder = outcome.Output[0].ToString();
        string archive = outcome.Output[1].ToString();
        string[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => Relative(folder, path)).Order(StringComparer.Ordinal)];
        string[] staged = [.. Directory.EnumerateFiles(Repository.Module, "*", SearchOption.AllDirectories).Select(path => Relative(Repository.Module, path))];
        Assert.Equal(staged.Append("win-x64/secureapp.dll").Order(StringComparer.Ordinal), files);

        using ZipArchive zip = ZipFile.OpenRead(archive);
        string[] parts = ["SecureAppModel.nuspec", "[Content_Types].xml", "_rels/.rels"];
        Assert.Equal(files.Concat(parts).Order(StringComparer.Ordinal), zip.Entries.Select(entry => entry.FullName).Order(StringComparer.Ordinal));
        XElement metadata = Assert.Single(Read(zip, "SecureAppModel.nuspec").Root!.Elements());
        Assert.Equal("SecureAppModel", Value(metadata, "id"));
        Assert.Equal(Repository.Version, Value(metadata, "version"));
        Assert.Contains("PSCmdlet_Get-SecureAppAccessToken", Value(metadata, "tags").Split(' '));
        string types = Read(zip, "[Content_Types].xml").ToString();
        Assert.All(
            zip.Entries.Select(entry => Path.GetExtension(entry.FullName)).Where(extension => extension.Length > 0 && extension != ".xml").Distinct(),
            extension => Assert.Contains($"Extension=\"{extension[1..]}\"", types));

        // In a process of its own: the first copy of an assembly that a process loads is the one that all its sessions get.
        ChildEngine.Run("param($path) Import-Module -Name $path", Path.Combine(folder, "SecureAppModel.psd1")).Succeeded();
    }

    [Fact]
    public void A_folder_that_is_no_platform_is_refused()
    {
        Stage();

        Outcome outcome = _engine.Run(
            "param($script, $native) & $script -Task Package -NativePath $native", Script(), Path.Combine(_clone, "artifacts"));

        Assert.Contains("runtime identifier", outcome.FailureRecord?.Exception.Message);
    }

    [Fact]
    public void Clean_removes_what_is_made_and_nothing_else()
    {
        string[] made = ["out/a", "target/release/b", ".crates/source", "demo/bin/c", "demo/obj/d", "TestResults/e"];
        string[] kept = ["demo/demo.csproj", "demo/demo.ps1", "rust/bin/keep", ".cargo/config.toml"];
        foreach (string path in made.Concat(kept))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_clone, path))!);
            File.WriteAllText(Path.Combine(_clone, path), "# the user's own");
        }

        Task("Clean").Succeeded();

        Assert.All(made, path => Assert.False(File.Exists(Path.Combine(_clone, path)), path));
        Assert.All(kept, path => Assert.True(File.Exists(Path.Combine(_clone, path)), path));

        File.WriteAllText(Path.Combine(_clone, ".cargo/config.toml"), "# Generated by build/bootstrap.sh: no registry\n");
        Task("Clean").Succeeded();
        Assert.False(File.Exists(Path.Combine(_clone, ".cargo/config.toml")));
    }

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(_clone, recursive: true);
    }

    private static string Relative(string root, string path) => Path.GetRelativePath(root, path).Replace('\\', '/');

    private static string Value(XElement metadata, string name) => metadata.Element(metadata.Name.Namespace + name)!.Value;

    private static XDocument Read(ZipArchive zip, string name)
    {
        using Stream stream = zip.GetEntry(name)!.Open();
        return XDocument.Load(stream);
    }

    private Outcome Task(string name) => _engine.Run("param($script, $task) & $script -Task $task", Script(), name);

    private string Script() => Path.Combine(_clone, "build.ps1");

    private string[] Calls() => [.. ((IEnumerable<string>)_engine.Get("calls")!)];

    /// <summary>Puts the staged module where the copy's own build would have put it.</summary>
    private void Stage()
    {
        string target = Path.Combine(_clone, "out", "SecureAppModel", Repository.Version);
        foreach (string path in Directory.EnumerateFiles(Repository.Module, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(Repository.Module, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
    }
}
