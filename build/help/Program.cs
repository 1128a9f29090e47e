using System.Management.Automation;
using System.Management.Automation.Runspaces;
using SecureAppModel.Help;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: HelpBuilder <staged module folder> <folder of pages>");
    return 2;
}

(string module, string pages) = (args[0], args[1]);

// The module's functions have their help with them; that of the module for existing scripts stands with the cmdlets'.
string[] modules = ["SecureAppModel", "SecureAppModel.PartnerCenter"];
using PowerShell shell = PowerShell.Create(InitialSessionState.CreateDefault2());
shell.AddCommand("Import-Module").AddParameter("Name", modules.Select(name => Path.Combine(module, name + ".psd1")).ToArray()).AddParameter("ErrorAction", "Stop").Invoke();
shell.Commands.Clear();
CommandInfo[] documented =
[
    .. shell.AddCommand("Get-Command").AddParameter("Module", modules).AddParameter("CommandType", CommandTypes.Cmdlet | CommandTypes.Function).Invoke<CommandInfo>()
        .Where(command => command is CmdletInfo || command.Source == "SecureAppModel.PartnerCenter")
        .OrderBy(command => command.Name, StringComparer.Ordinal),
];

var problems = new List<string>();
var commands = new List<(Page, CommandInfo)>();
foreach (CommandInfo command in documented)
{
    string path = Path.Combine(pages, command.Name + ".md");
    if (!File.Exists(path))
    {
        problems.Add($"docs/cmdlets/{command.Name}.md is missing");
        continue;
    }

    Page page = Page.Read(path);
    string[] real = [.. Maml.Documented(command).Select(parameter => parameter.Name).Except(Maml.Shared.Keys)];
    problems.AddRange(real.Except(page.Parameters.Keys, StringComparer.OrdinalIgnoreCase).Select(name => $"{command.Name}.md does not describe -{name}"));
    problems.AddRange(page.Parameters.Keys.Except(real, StringComparer.OrdinalIgnoreCase).Select(name => $"{command.Name}.md describes -{name}, which the command does not have"));
    problems.AddRange(
        Maml.Documented(command)
            .Where(parameter => page.Defaults.ContainsKey(parameter.Name) && DefaultValue.Of(command, parameter) is not null)
            .Select(parameter => $"{command.Name}.md gives -{parameter.Name} a default, which the command has itself"));
    commands.Add((page, command));
}

problems.AddRange(
    Directory.GetFiles(pages, "*.md").Select(Path.GetFileNameWithoutExtension)
        .Except(documented.Select(command => command.Name))
        .Select(name => $"docs/cmdlets/{name}.md describes no exported command"));
if (problems.Count > 0)
{
    problems.ForEach(problem => Console.Error.WriteLine($"help: error HELP1: {problem}"));
    return 1;
}

string folder = Directory.CreateDirectory(Path.Combine(module, "en-US")).FullName;
Maml.Document(commands).Save(Path.Combine(folder, "SecureAppModel.dll-Help.xml"));
Console.WriteLine($"help: {commands.Count} commands");
return 0;
