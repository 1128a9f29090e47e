using System.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Connect;

/// <summary>A parameter as the real cmdlet declares it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, in PowerShell's words.</param>
/// <param name="Sets">The parameter sets that it is in, with ! where it is mandatory there; empty for all.</param>
internal sealed record Declared(string Name, string Type = "string", string Sets = "")
{
    public string? Alias { get; init; }

    /// <summary>What a value must be that is passed to it, before PowerShell converts anything.</summary>
    public Type Passed => Type switch
    {
        "string" => typeof(string),
        "string[]" => typeof(string[]),
        "securestring" => typeof(SecureString),
        "switch" or "bool" => typeof(bool),
        "datetimeoffset" => typeof(DateTimeOffset),
        "System.Security.Cryptography.X509Certificates.X509Certificate2" => typeof(X509Certificate2),
        // Types of the modules' own are made of texts.
        _ => typeof(string),
    };

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (string set in Sets.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            text.Append($"[Parameter(ParameterSetName = '{set.TrimEnd('!')}'{(set.EndsWith('!') ? ", Mandatory" : string.Empty)})] ");
        }

        return text + (Alias is null ? string.Empty : $"[Alias('{Alias}')] ") + $"[{Type}] ${Name}";
    }
}

/// <summary>A stand-in for a service's module: its Connect cmdlet with the true signature, and the one that disconnects.</summary>
internal sealed record ServiceModule(string Name, string Version, string Command, params Declared[] Parameters)
{
    /// <summary>Types that the module brings itself.</summary>
    public string Types { get; init; } = string.Empty;

    public string? Disconnect { get; init; }

    /// <summary>What that takes beside -Confirm.</summary>
    public string DisconnectParameters { get; init; } = string.Empty;

    public string DefaultSet { get; init; } = "Default";

    /// <summary>What the cmdlet does with its parameters.</summary>
    public string Body { get; init; } = "$global:got = $PSBoundParameters";

    /// <summary>Imports it into a session, as installed at its version.</summary>
    public void ImportInto(Engine engine, string folder)
    {
        string home = Path.Combine(folder, Name, Version);
        Directory.CreateDirectory(home);
        string commands = string.Join(", ", new[] { Command, Disconnect }.Where(name => name is not null).Select(name => $"'{name}'"));
        File.WriteAllText(Path.Combine(home, Name + ".psd1"), $"@{{ ModuleVersion = '{Version}'; RootModule = '{Name}.psm1'; FunctionsToExport = @({commands}) }}");
        File.WriteAllText(
            Path.Combine(home, Name + ".psm1"),
            $$"""
            {{Types}}
            function {{Command}} {
                [CmdletBinding(DefaultParameterSetName = '{{DefaultSet}}')] param(
                    {{string.Join(",\n        ", Parameters.Select(parameter => parameter.ToString()))}})
                {{Body}}
            }
            {{(Disconnect is null ? string.Empty : $"function {Disconnect} {{ [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param({DisconnectParameters}) $global:ended += @('{Disconnect}'); $global:endedWith = $PSBoundParameters }}")}}
            """);
        engine.Run("param($path) Import-Module -Name $path -Global -ErrorAction Stop", Path.Combine(home, Name + ".psd1")).Succeeded();
    }
}
