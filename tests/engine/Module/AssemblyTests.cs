using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Module;

/// <summary>One managed file that depends on nothing, and native files that come only when they are needed.</summary>
public sealed class AssemblyTests
{
    [Fact]
    public void The_assembly_refers_to_the_engine_and_the_standard_library_only()
    {
        using FileStream file = File.OpenRead(Path.Combine(Repository.Module, "SecureAppModel.dll"));
        using var image = new PEReader(file);
        MetadataReader metadata = image.GetMetadataReader();

        string[] references = [.. metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Order(StringComparer.Ordinal)];

        Assert.Equal(["System.Management.Automation", "netstandard"], references);
    }

    [Fact]
    public void Nothing_managed_ships_beside_it()
    {
        string[] managed = [.. Directory.EnumerateFiles(Repository.Module, "*.dll", SearchOption.AllDirectories)
            .Where(IsManaged).Select(path => Path.GetRelativePath(Repository.Module, path))];

        Assert.Equal(["SecureAppModel.dll"], managed);
    }

    [Fact]
    public void The_native_files_are_in_the_folder_of_their_platform()
    {
        string[] names = [.. Directory.EnumerateFiles(Repository.Native).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

        string library = OperatingSystem.IsWindows() ? "secureapp.dll" : OperatingSystem.IsMacOS() ? "secureapp.dylib" : "secureapp.so";
        Assert.Equal(new[] { Path.GetFileName(Repository.SandboxProgram), library }.Order(StringComparer.Ordinal), names);
        if (!OperatingSystem.IsWindows())
        {
            Assert.True(File.GetUnixFileMode(Repository.SandboxProgram).HasFlag(UnixFileMode.UserExecute));
        }
    }

    [Fact]
    public void An_import_loads_no_native_code_and_the_first_use_does()
    {
        ChildResult child = ChildEngine.Run(
            """
            param($manifest)
            function Find-Library {
                $modules = [System.Diagnostics.Process]::GetCurrentProcess().Modules
                $found = 0
                foreach ($module in $modules) { if ($module.FileName -match '[\\/]secureapp\.(so|dll|dylib)$') { $found++ } }
                $found
            }
            Import-Module -Name $manifest
            $null = Get-Command -Module SecureAppModel
            "after import: $(Find-Library)"
            $null = Get-SecureAppEnvironment
            "after first use: $(Find-Library)"
            """,
            Repository.Manifest).Succeeded();

        Assert.Equal(["after import: 0", "after first use: 1"], child.Lines);
    }

    private static bool IsManaged(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var image = new PEReader(file);
        return image.HasMetadata;
    }
}
