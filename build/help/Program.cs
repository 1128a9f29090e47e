using System.Management.Automation;
using System.Management.Automation.Runspaces;
using SecureAppModel.Help;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: HelpBuilder <staged module folder> <folder of pages>");
    return 2;
}

(string module, string pages) = (args[0], args[1]);
using PowerShell shell = PowerShell.Create(InitialSessionState.CreateDefault2());
shell.AddCommand("Import-Module").AddParameter("Name", Path.Combine(module, "SecureAppModel.psd1")).AddParameter("ErrorAction", "Stop").Invoke();
shell.Commands.Clear();
CmdletInfo[] cmdlets =
[
    .. shell.AddCommand("Get-Command").AddParameter("Module", "SecureAppModel").AddParameter("CommandType", "Cmdlet").Invoke<CmdletInfo>()
        .OrderBy(cmdlet => cmdlet.Name, StringComparer.Ordinal),
];

var problems = new List<string>();
var commands = new List<(Page, CmdletInfo)>();
foreach (CmdletInfo cmdlet in cmdlets)
{
    string path = Path.Combine(pages, cmdlet.Name + ".md");
    if (!File.Exists(path))
    {
        problems.Add($"docs/cmdlets/{cmdlet.Name}.md is missing");
        continue;
    }

    Page page = Page.Read(path);
    string[] real = [.. Maml.Documented(cmdlet).Select(parameter => parameter.Name).Except(Maml.Shared.Keys)];
    problems.AddRange(real.Except(page.Parameters.Keys, StringComparer.OrdinalIgnoreCase).Select(name => $"{cmdlet.Name}.md does not describe -{name}"));
    problems.AddRange(page.Parameters.Keys.Except(real, StringComparer.OrdinalIgnoreCase).Select(name => $"{cmdlet.Name}.md describes -{name}, which the cmdlet does not have"));
    problems.AddRange(
        Maml.Documented(cmdlet)
            .Where(parameter => page.Defaults.ContainsKey(parameter.Name) && DefaultValue.Of(cmdlet, parameter) is not null)
            .Select(parameter => $"{cmdlet.Name}.md gives -{parameter.Name} a default, which the cmdlet has itself"));
    commands.Add((page, cmdlet));
}

problems.AddRange(
    Directory.GetFiles(pages, "*.md").Select(Path.GetFileNameWithoutExtension)
        .Except(cmdlets.Select(cmdlet => cmdlet.Name))
        .Select(name => $"docs/cmdlets/{name}.md describes no exported cmdlet"));
if (problems.Count > 0)
{
    problems.ForEach(problem => Console.Error.WriteLine($"help: error HELP1: {problem}"));
    return 1;
}

string folder = Directory.CreateDirectory(Path.Combine(module, "en-US")).FullName;
Maml.Document(commands).Save(Path.Combine(folder, "SecureAppModel.dll-Help.xml"));
Console.WriteLine($"help: {commands.Count} cmdlets");
return 0;
