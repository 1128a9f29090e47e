using System.Management.Automation;
using System.Xml.Linq;

namespace SecureAppModel.Help;

/// <summary>Writes the help format that Get-Help reads on every edition.</summary>
internal static class Maml
{
    private static readonly XNamespace s_root = "http://msh";
    private static readonly XNamespace s_maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace s_command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace s_dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    public static XDocument Document(IEnumerable<(Page Page, CommandInfo Command)> commands) =>
        new(new XElement(
            s_root + "helpItems",
            new XAttribute("schema", "maml"),
            commands.Select(pair => Command(pair.Page, pair.Command))));

    private static XElement Command(Page page, CommandInfo command) =>
        new(
            s_command + "command",
            new XAttribute(XNamespace.Xmlns + "maml", s_maml),
            new XAttribute(XNamespace.Xmlns + "command", s_command),
            new XAttribute(XNamespace.Xmlns + "dev", s_dev),
            new XElement(
                s_command + "details",
                new XElement(s_command + "name", command.Name),
                new XElement(s_command + "verb", command.Name.Split('-')[0]),
                new XElement(s_command + "noun", command.Name.Split('-')[1]),
                new XElement(s_maml + "description", Paragraphs(page.Synopsis))),
            new XElement(s_maml + "description", Paragraphs(page.Description)),
            new XElement(s_command + "syntax", command.ParameterSets.Select(set => SyntaxItem(command, set))),
            new XElement(
                s_command + "parameters",
                Documented(command).Select(parameter => Parameter(parameter, Text(page, parameter.Name), Default(page, command, parameter)))),
            new XElement(
                s_command + "returnValues",
                new XElement(
                    s_command + "returnValue",
                    new XElement(s_dev + "type", new XElement(s_maml + "name", string.Join(", ", command.OutputType.Select(type => type.Name)))),
                    new XElement(s_maml + "description", Paragraphs(page.Outputs)))),
            new XElement(s_maml + "alertSet", new XElement(s_maml + "alert", Paragraphs(page.Notes))),
            new XElement(s_command + "examples", page.Examples.Select(Example)));

    /// <summary>What each command that changes something takes, in the same words everywhere.</summary>
    public static IReadOnlyDictionary<string, string> Shared { get; } = new Dictionary<string, string>
    {
        ["WhatIf"] = "Says what the command would do, and does not do it.",
        ["Confirm"] = "Asks before each change.",
    };

    /// <summary>The parameters that are described; the common ones have their own help.</summary>
    public static IEnumerable<CommandParameterInfo> Documented(CommandInfo command) =>
        command.ParameterSets
            .SelectMany(set => set.Parameters)
            .Where(parameter => !IsCommon(parameter.Name))
            .DistinctBy(parameter => parameter.Name)
            .OrderBy(parameter => parameter.Name, StringComparer.Ordinal);

    private static bool IsCommon(string name) =>
        !Shared.ContainsKey(name) && (Cmdlet.CommonParameters.Contains(name) || Cmdlet.OptionalCommonParameters.Contains(name));

    private static string Text(Page page, string parameter) => Shared.TryGetValue(parameter, out string? text) ? text : page.Parameters[parameter];

    /// <summary>What counts where the parameter is not given: the command's own value, or what the page says that it does then.</summary>
    private static string Default(Page page, CommandInfo command, CommandParameterInfo parameter) =>
        DefaultValue.Of(command, parameter) ?? page.Defaults.GetValueOrDefault(parameter.Name, "None");

    private static XElement SyntaxItem(CommandInfo command, CommandParameterSetInfo set) =>
        new(
            s_command + "syntaxItem",
            new XElement(s_maml + "name", command.Name),
            set.Parameters
                .Where(parameter => !IsCommon(parameter.Name))
                .OrderBy(parameter => parameter.Position < 0 ? int.MaxValue : parameter.Position)
                .Select(parameter => Parameter(parameter, "", "")));

    private static XElement Parameter(CommandParameterInfo parameter, string text, string defaultValue)
    {
        string pipeline = (parameter.ValueFromPipeline, parameter.ValueFromPipelineByPropertyName) switch
        {
            (true, true) => "True (ByValue, ByPropertyName)",
            (true, false) => "True (ByValue)",
            (false, true) => "True (ByPropertyName)",
            _ => "False",
        };
        var element = new XElement(
            s_command + "parameter",
            new XAttribute("required", parameter.IsMandatory),
            new XAttribute("globbing", false),
            new XAttribute("pipelineInput", pipeline),
            new XAttribute("position", parameter.Position < 0 ? "named" : parameter.Position.ToString()),
            new XAttribute("aliases", parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases)),
            new XElement(s_maml + "name", parameter.Name),
            new XElement(s_maml + "description", Paragraphs(text)));
        string type = (Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType).Name;
        if (parameter.ParameterType != typeof(SwitchParameter))
        {
            element.Add(new XElement(s_command + "parameterValue", new XAttribute("required", true), type));
        }

        element.Add(new XElement(s_dev + "type", new XElement(s_maml + "name", type)));
        if (defaultValue.Length > 0)
        {
            element.Add(new XElement(s_dev + "defaultValue", defaultValue));
        }

        return element;
    }

    private static XElement Example((string Title, string Code, string Remarks) example) =>
        new(
            s_command + "example",
            new XElement(s_maml + "title", example.Title),
            new XElement(s_dev + "code", example.Code),
            new XElement(s_dev + "remarks", Paragraphs(example.Remarks)));

    private static IEnumerable<XElement> Paragraphs(string text) =>
        text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(paragraph => new XElement(s_maml + "para", Plain(paragraph)));

    /// <summary>Markdown's marks mean nothing in a console; headings look as Get-Help's own, and lists keep their lines.</summary>
    private static string Plain(string paragraph)
    {
        const string heading = "### ";
        if (paragraph.StartsWith(heading, StringComparison.Ordinal))
        {
            return paragraph[heading.Length..].ToUpperInvariant();
        }

        string separator = paragraph.StartsWith("- ", StringComparison.Ordinal) ? "\n" : " ";
        return string.Join(separator, paragraph.Split('\n').Select(line => line.Trim())).Replace("`", "").Replace("**", "");
    }
}
