using System.Diagnostics;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Interop;

/// <summary>When and from where the native library is loaded. Each in a process of its own: it is never unloaded.</summary>
public sealed class NativeLoaderTests
{
    private const string Prepare = "param($module, $native) if ($native) { [Environment]::SetEnvironmentVariable('SECUREAPP_NATIVE_PATH', $native) }; Import-Module $module; ";
    /// <summary>The process's exit code counts an error that was caught, so it says nothing here.</summary>
    private const string Try = "try { $null = Get-SecureAppEnvironment Public; 'loaded' } catch { $_.Exception.Message }";

    [Fact]
    public void Import_completion_and_defaults_load_no_native_code()
    {
        // A path that does not exist would fail whatever loads the library.
        ChildResult child = ChildEngine.Run(
            Prepare + """
            (Get-Command -Module SecureAppModel).Count -gt 0
            [System.Management.Automation.CommandCompletion]::CompleteInput('Get-SecureAppAccessToken -Environment US', 40, $null).CompletionMatches.Count
            $null -eq (Get-SecureAppDefault).Credential
            Clear-SecureAppDefault
            Remove-Module SecureAppModel
            """, Repository.Manifest, "/nowhere/secureapp.so").Succeeded();

        Assert.Equal(["True", "3", "True"], child.Lines);
    }

    [Fact]
    public void A_library_that_is_missing_is_explained_with_every_path_tried()
    {
        ChildResult child = ChildEngine.Run(Prepare + Try, Repository.Manifest, Path.Combine(Path.GetTempPath(), "nowhere", "secureapp.so"));

        Assert.Contains(Path.Combine("nowhere", "secureapp.so"), child.Output);
        Assert.Contains("SECUREAPP_NATIVE_PATH", child.Output);
    }

    [Fact]
    public void A_file_that_is_no_library_is_explained_with_its_path()
    {
        string file = Path.GetTempFileName();
        try
        {
            ChildResult child = ChildEngine.Run(Prepare + Try, Repository.Manifest, file);

            Assert.Contains(file, child.Output);
            Assert.Contains("could not be loaded", child.Output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_library_that_is_not_in_the_module_is_explained_with_the_path_tried()
    {
        string module = Directory.CreateTempSubdirectory("secureapp-module-").FullName;
        try
        {
            foreach (string file in Directory.EnumerateFiles(Repository.Module))
            {
                File.Copy(file, Path.Combine(module, Path.GetFileName(file)));
            }

            ChildResult child = ChildEngine.Run(Prepare + Try, Path.Combine(module, "SecureAppModel.psd1"));

            string rid = Path.GetFileName(Repository.Native);
            Assert.Contains($"was not found for {rid}. Tried: {Path.Combine(module, rid, "secureapp")}", child.Output);
            Assert.Contains("Install the module again", child.Output);
        }
        finally
        {
            Directory.Delete(module, recursive: true);
        }
    }

    [Fact]
    public void A_library_of_another_release_is_refused_in_one_sentence_with_both_files_and_versions()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-in is made with a C compiler called cc.");
        string folder = Directory.CreateTempSubdirectory("secureapp-other-").FullName;
        string source = Path.Combine(folder, "other.c");
        string library = Path.Combine(folder, OperatingSystem.IsMacOS() ? "secureapp.dylib" : "secureapp.so");
        File.WriteAllText(source, "unsigned int sa_abi_version(void) { return 4711; }\n");
        try
        {
            Assert.Equal(0, Within.Run(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-o", library, source])).Exit);

            ChildResult child = ChildEngine.Run(Prepare + Try + "; " + Try, Repository.Manifest, library);

            // The second call says the same: nothing of the wrong library is used after the first.
            Assert.Equal(2, child.Lines.Count);
            Assert.Equal(child.Lines[0], child.Lines[1]);
            Assert.StartsWith(
                $"The native library '{library}' has interface version 4711, but '{Path.Combine(Repository.Module, "SecureAppModel.dll")}' needs version 1.",
                child.Lines[0]);
            Assert.Contains("both files come from one release", child.Lines[0]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_folder_can_be_named_instead_of_the_file()
    {
        Assert.Equal(["loaded"], ChildEngine.Run(Prepare + Try, Repository.Manifest, Repository.Native).Succeeded().Lines);
    }

    [Fact]
    public void Without_a_named_path_the_modules_own_library_is_loaded()
    {
        Assert.Equal(["loaded"], ChildEngine.Run(Prepare + Try, Repository.Manifest).Succeeded().Lines);
    }
}
