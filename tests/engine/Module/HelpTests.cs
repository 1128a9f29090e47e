using System.Collections;
using System.Management.Automation;
using System.Xml.Linq;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Module;

/// <summary>Help that is there, and true: every command, every parameter, nothing that no longer exists.</summary>
public sealed class HelpTests
{
    private static readonly XNamespace s_command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace s_maml = "http://schemas.microsoft.com/maml/2004/10";

    public static TheoryData<string> Commands()
    {
        using Engine engine = Engine.Open();
        return [.. engine.Run("Get-Command -Module SecureAppModel -CommandType Cmdlet, Function").Succeeded()
            .Output.Select(item => ((CommandInfo)item.BaseObject).Name)];
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_has_help_for_itself_and_each_parameter(string name)
    {
        using Engine engine = Engine.Open();
        Describes(engine, name);
    }

    internal static void Describes(Engine engine, string name)
    {
        var command = engine.Run("param($name) Get-Command -Name $name", name).Single<CommandInfo>();
        PSObject help = Assert.Single(engine.Run("param($name) Get-Help -Name $name -Full", name).Succeeded().Output);

        string synopsis = help.Properties["Synopsis"]?.Value?.ToString()?.Trim() ?? string.Empty;
        Assert.True(synopsis.Length > 0 && !synopsis.StartsWith(name, StringComparison.Ordinal), $"{name} has no help of its own: {synopsis}");

        Dictionary<string, string> described = Parameters(help);
        string[] own = [.. command.Parameters.Values
            .Where(parameter => !Cmdlet.CommonParameters.Contains(parameter.Name))
            .Select(parameter => parameter.Name).Order(StringComparer.Ordinal)];
        Assert.Equal(own, described.Keys.Order(StringComparer.Ordinal));
        Assert.All(described, entry => Assert.False(string.IsNullOrWhiteSpace(entry.Value), $"{name} -{entry.Key} has no description."));
    }

    /// <summary>What a person reads of a parameter beside its text: in the words that PowerShell itself uses.</summary>
    [Theory]
    [InlineData("Export-SecureAppAuditLog", "StartTime", "DateTime", "25 hours before the end", "StartDate")]
    [InlineData("Export-SecureAppAuditLog", "SettleDelay", "TimeSpan", "00:10:00 for the feed, a day for Exchange and Graph", "none")]
    [InlineData("Export-SecureAppAuditLog", "Format", "String", "Ndjson", "none")]
    [InlineData("Export-SecureAppAuditLog", "ContentType", "String[]", "the four Audit types, or AuditLogQuery", "none")]
    [InlineData("Export-SecureAppAuditLog", "ThrottleLimit", "Int32", "8", "none")]
    [InlineData("Export-SecureAppAuditLog", "Path", "String", "None", "none")]
    [InlineData("Export-SecureAppAuditLog", "Force", "SwitchParameter", "False", "none")]
    [InlineData("Export-SecureAppAuditLog", "WhatIf", "SwitchParameter", "False", "wi")]
    [InlineData("Get-SecureAppAccessToken", "TenantId", "String[]", "None", "Tenant, CustomerId, CustomerContextId")]
    [InlineData("Get-SecureAppAccessToken", "Environment", "String", "the session's default, or Public", "none")]
    [InlineData("New-SecureAppCredential", "Secret", "SecureString", "None", "ClientSecret")]
    [InlineData("Set-SecureAppKeyVaultSecret", "Expires", "DateTimeOffset", "None", "none")]
    [InlineData("Start-SecureAppSandbox", "TenantCount", "Int32", "25", "none")]
    public void A_parameter_is_shown_with_its_type_its_default_and_its_aliases(string command, string parameter, string type, string value, string aliases)
    {
        using Engine engine = Engine.Open();

        PSObject help = Assert.Single(
            engine.Run("param($command, $parameter) Get-Help -Name $command -Parameter $parameter", command, parameter).Succeeded().Output);

        Assert.Equal(
            (type, value, aliases),
            (Nested(help, "type", "name")?.ToString(), Value(help, "defaultValue")?.ToString(), Value(help, "aliases")?.ToString()));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void What_a_command_shows_of_itself_is_for_people(string name)
    {
        using Engine engine = Engine.Open();
        PSObject help = Assert.Single(engine.Run("param($name) Get-Help -Name $name -Full", name).Succeeded().Output);
        bool asks = engine.Run("param($name) (Get-Command $name).Parameters.ContainsKey('WhatIf')", name).Single<bool>();

        object[] shown = Many(Nested(help, "parameters", "parameter"));
        string[] inSyntax = [.. Many(Nested(help, "syntax", "syntaxItem")).SelectMany(item => Many(Value(item, "parameter"))).Select(item => Value(item, "name")!.ToString()!)];

        Assert.Equal(asks, inSyntax.Contains("WhatIf"));
        Assert.All(shown, parameter => Assert.Matches(@"^[A-Z]\w*(\[\])?$", Nested(parameter, "type", "name")!.ToString()!));
        if (!name.Contains("GCITS", StringComparison.Ordinal))
        {
            Assert.All(shown, parameter => Assert.NotEmpty(Value(parameter, "defaultValue")?.ToString() ?? string.Empty));
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_examples_of_a_command_use_it_and_parse(string name)
    {
        using Engine engine = Engine.Open();
        HasExamples(engine, name);
    }

    internal static void HasExamples(Engine engine, string name)
    {
        PSObject help = Assert.Single(engine.Run("param($name) Get-Help -Name $name -Full", name).Succeeded().Output);

        object[] examples = Many(Nested(help, "examples", "example"));

        Assert.NotEmpty(examples);
        Assert.Contains(examples, example => Code(example).Contains(name, StringComparison.OrdinalIgnoreCase));
        Assert.All(examples, example =>
        {
            System.Management.Automation.Language.Parser.ParseInput(Code(example), out _, out var errors);
            Assert.Empty(errors.Select(error => error.Message));
        });
    }

    [Fact]
    public void The_help_describes_no_command_that_is_gone()
    {
        XDocument help = XDocument.Load(Path.Combine(Repository.Module, "en-US", "SecureAppModel.dll-Help.xml"));
        using Engine engine = Engine.Open();
        engine.Run("param($path) Import-Module $path", Path.Combine(Repository.Module, "SecureAppModel.PartnerCenter.psd1")).Succeeded();

        foreach (string name in help.Descendants(s_command + "details").Select(details => details.Element(s_command + "name")!.Value.Trim()))
        {
            Assert.Equal(name, engine.Run("param($name) (Get-Command -Name $name -Module SecureAppModel*).Name", name).Succeeded().Single<string>());
        }

        string[] paragraphs = [.. help.Descendants(s_maml + "para").Select(paragraph => paragraph.Value)];
        Assert.NotEmpty(paragraphs);
        Assert.DoesNotContain(paragraphs, paragraph => paragraph.StartsWith('#') || paragraph.Contains('`') || paragraph.Contains("**", StringComparison.Ordinal));
    }

    [Fact]
    public void The_topic_about_the_module_is_found()
    {
        using Engine engine = Engine.Open();

        string text = engine.Run("Get-Help -Name about_SecureAppModel").Succeeded().Output[0].ToString();

        Assert.Contains("SHORT DESCRIPTION", text);
        Assert.All(
            Commands().Select(row => row.Data).Where(name => !name.Contains("GCITS", StringComparison.Ordinal)),
            name => Assert.Contains(name, text));
    }

    private static Dictionary<string, string> Parameters(PSObject help) => Many(Nested(help, "parameters", "parameter"))
        .ToDictionary(
            parameter => Value(parameter, "name")?.ToString()?.Trim() ?? string.Empty,
            parameter => string.Join(' ', Many(Value(parameter, "description")).Select(line => Value(line, "Text")?.ToString()?.Trim())),
            StringComparer.Ordinal);

    private static string Code(object example) => Value(example, "code")?.ToString() ?? string.Empty;

    private static object? Nested(object owner, params string[] path) => path.Aggregate<string, object?>(owner, Value);

    private static object? Value(object? owner, string property) =>
        owner is null ? null : PSObject.AsPSObject(owner).Properties[property]?.Value;

    private static object[] Many(object? value) => value switch
    {
        null => [],
        PSObject { BaseObject: IEnumerable many and not string } => [.. many.Cast<object>()],
        IEnumerable many and not string => [.. many.Cast<object>()],
        _ => [value],
    };
}
