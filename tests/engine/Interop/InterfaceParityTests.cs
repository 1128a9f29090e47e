using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Interop;

/// <summary>The C header, the library's exports and the assembly's imports must say the same.</summary>
public sealed partial class InterfaceParityTests
{
    private static readonly string s_header = File.ReadAllText(Path.Combine(Repository.Root, "rust/ffi/include/secureapp.h"));

    [Fact]
    public void Every_function_of_the_header_is_imported_and_nothing_else()
    {
        Assert.Equal(
            Declaration().Matches(s_header).Select(match => match.Groups[1].Value).Order(),
            Imports().Where(import => import.Module == "secureapp").Select(import => import.Name).Order());
    }

    [Fact]
    public void Every_status_of_the_header_has_the_same_number_here()
    {
        Assert.Equal(Constants("SA_STATUS_"), Members("NativeStatus"));
    }

    [Fact]
    public void Every_event_kind_of_the_header_has_the_same_number_here()
    {
        Assert.Equal(Constants("SA_EVENT_KIND_"), Members("NativeEventKind"));
    }

    [Fact]
    public void The_assembly_was_written_against_the_headers_version()
    {
        string loader = File.ReadAllText(Path.Combine(Repository.Root, "dotnet-shim/Interop/NativeLoader.cs"));

        Assert.Equal(
            Regex.Match(s_header, @"#define SA_ABI_VERSION (\d+)").Groups[1].Value,
            Regex.Match(loader, @"AbiVersion = (\d+);").Groups[1].Value);
    }

    [Fact]
    public void The_assembly_needs_nothing_that_could_conflict_with_another_module()
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(Repository.Module, "SecureAppModel.dll")));
        MetadataReader reader = file.GetMetadataReader();

        Assert.Subset(
            new HashSet<string> { "netstandard", "System.Management.Automation" },
            reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name)).ToHashSet());
    }

    private static IEnumerable<(string Module, string Name)> Imports()
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(Repository.Module, "SecureAppModel.dll")));
        MetadataReader reader = file.GetMetadataReader();
        foreach (MethodDefinitionHandle handle in reader.MethodDefinitions)
        {
            MethodImport import = reader.GetMethodDefinition(handle).GetImport();
            if (!import.Module.IsNil)
            {
                yield return (reader.GetString(reader.GetModuleReference(import.Module).Name), reader.GetString(import.Name));
            }
        }
    }

    private static SortedDictionary<string, long> Constants(string prefix) => new(
        Regex.Matches(s_header, prefix + @"([A-Z_]+) = (-?\d+),")
            .ToDictionary(match => match.Groups[1].Value.Replace("_", string.Empty, StringComparison.Ordinal), match => long.Parse(match.Groups[2].Value)));

    private static SortedDictionary<string, long> Members(string type)
    {
        string source = File.ReadAllText(Path.Combine(Repository.Root, "dotnet-shim/Interop/NativeStatus.cs"));
        string body = Regex.Match(source, $@"enum {type}\b[^{{]*{{([^}}]*)}}").Groups[1].Value;
        return new(Regex.Matches(body, @"(\w+) = (-?\d+),")
            .ToDictionary(match => match.Groups[1].Value.ToUpperInvariant(), match => long.Parse(match.Groups[2].Value)));
    }

    [GeneratedRegex(@"^\w[\w ]*? \**(sa_\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
