using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Pester;

/// <summary>The Pester suites: by Pester where a whole <c>pwsh</c> with Pester 5 is installed, and by a stand-in everywhere.</summary>
[Collection(AloneCollection.Name)]
public sealed class PesterTests
{
    public static TheoryData<string> Suites =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "pester"), "*.Tests.ps1").Select(path => Path.GetFileName(path))];

    /// <summary>
    /// Not Pester: a module of its name with the few words that the suites use runs the bodies in the hosted engine, those whose
    /// commands are there. It keeps the suites from rotting where nobody has Pester.
    /// </summary>
    [Theory]
    [MemberData(nameof(Suites))]
    public void The_bodies_of_a_suite_hold_under_a_stand_in_for_Pester(string suite)
    {
        string drive = Directory.CreateTempSubdirectory("secureapp-pester-").FullName;
        try
        {
            ChildResult child = ChildEngine.Run(
                """
                param($modules, $suite, $drive)
                [System.Environment]::SetEnvironmentVariable('PSModulePath', $modules)
                $global:ErrorActionPreference = 'Stop'
                Import-Module Pester
                $global:TestDrive = $drive
                . $suite
                """,
                Path.Combine(Repository.Root, "tests", "engine", "Pester", "StandIn"),
                Path.Combine(Repository.Root, "tests", "pester", suite),
                drive);

            Assert.DoesNotContain(child.Lines, line => line.StartsWith("FAIL", StringComparison.Ordinal));
            Assert.All(child.Lines, line => Assert.Matches("^(PASS|SKIP .*(there is no|by itself))", line));
            Assert.Contains(child.Lines, line => line.StartsWith("PASS", StringComparison.Ordinal));
            child.Succeeded();
        }
        finally
        {
            Recorder.HearAndDelete(drive);
        }
    }

    [Fact]
    public void The_Pester_suites_pass()
    {
        string version = Pwsh("(Get-Module Pester -ListAvailable | Sort-Object Version -Descending | Select-Object -First 1).Version.Major");
        bool there = int.TryParse(version.Trim(), NumberStyles.Integer, CultureInfo.InvariantCulture, out int major) && major >= 5;
        Assert.SkipUnless(there, "tests/pester needs pwsh with Pester 5, which is not installed here.");

        string report = Path.Combine(Path.GetTempPath(), $"secureapp-pester-{Guid.NewGuid():n}.xml");
        try
        {
            string output = Pwsh(
                $$"""
                $configuration = New-PesterConfiguration
                $configuration.Run.Path = '{{Path.Combine(Repository.Root, "tests", "pester")}}'
                $configuration.TestResult.Enabled = $true
                $configuration.TestResult.OutputFormat = 'JUnitXml'
                $configuration.TestResult.OutputPath = '{{report}}'
                Invoke-Pester -Configuration $configuration
                """);
            XElement summary = XDocument.Load(report).Root!;
            Assert.True((int)summary.Attribute("tests")! > 0, output);
            Assert.True((int)summary.Attribute("failures")! == 0 && (int)summary.Attribute("errors")! == 0, output);
        }
        finally
        {
            File.Delete(report);
        }
    }

    /// <summary>What a <c>pwsh</c> of its own writes; nothing when there is none.</summary>
    private static string Pwsh(string script)
    {
        try
        {
            return Within.Run(new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-Command", script]), limit: TimeSpan.FromMinutes(10)).Output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return string.Empty;
        }
    }
}
