using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Text.RegularExpressions;
using Microsoft.PowerShell;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>
/// One runspace of the real PowerShell engine with the staged module in it: a session as a person has it, less the modules
/// that ship with <c>pwsh</c> only. Not thread-safe; open one for each parallel session.
/// </summary>
public sealed class Engine : IDisposable
{
    private readonly CapturingHost _host = new();
    private readonly Runspace _runspace;

    private Engine(Action<InitialSessionState>? configure)
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.ThreadOptions = PSThreadOptions.UseNewThread;
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = ExecutionPolicy.Bypass;
        }

        configure?.Invoke(state);
        _runspace = RunspaceFactory.CreateRunspace(_host, state);
        _runspace.Open();
    }

    /// <summary>Progress shown by every script so far.</summary>
    public IReadOnlyCollection<ProgressRecord> Progress => _host.Progress;

    /// <summary>The runspace, for what the helpers here do not offer.</summary>
    public Runspace Runspace => _runspace;

    /// <summary>A session that has imported the staged module, as its user would.</summary>
    public static Engine Open(Action<InitialSessionState>? configure = null)
    {
        Engine engine = Bare(configure);
        engine.Run("param($path) Import-Module -Name $path -ErrorAction Stop", Repository.Manifest).Succeeded();
        // What the module says to those alone who ask is heard in every test.
        engine.Set("VerbosePreference", ActionPreference.Continue);
        engine.Set("DebugPreference", ActionPreference.Continue);
        return engine;
    }

    /// <summary>A session without the module.</summary>
    public static Engine Bare(Action<InitialSessionState>? configure = null) => new(configure);

    /// <summary>Runs a script with positional arguments (declare <c>param($a, $b)</c>) and captures everything.</summary>
    public Outcome Run(string script, params object?[] arguments) => Start(script, arguments).Wait();

    /// <summary>Runs a script and pipes its output to Out-Default; <see cref="Outcome.Screen"/> is what is shown.</summary>
    public string Render(string script, params object?[] arguments)
    {
        using PowerShell shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object? argument in arguments)
        {
            shell.AddArgument(argument);
        }

        shell.AddCommand("Out-Default");
        var running = new RunningScript(shell, _host, input: null);
        return running.Wait().Succeeded().Screen;
    }

    /// <summary>Starts a script and returns at once; stop it or wait for it.</summary>
    public RunningScript Start(string script, params object?[] arguments)
    {
        PowerShell shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object? argument in arguments)
        {
            shell.AddArgument(argument);
        }

        return new RunningScript(shell, _host, input: null);
    }

    /// <summary>Starts a script whose pipeline input (<c>$input</c>, or a first command without arguments) is fed as the sequence yields.</summary>
    public RunningScript StartWithInput(IEnumerable input, string command, IDictionary? parameters = null)
    {
        PowerShell shell = PowerShell.Create(_runspace);
        shell.AddCommand(command);
        if (parameters is not null)
        {
            shell.AddParameters(parameters);
        }

        var collection = new PSDataCollection<object>();
        var running = new RunningScript(shell, _host, collection);
        _ = Task.Run(() =>
        {
            try
            {
                foreach (object? item in input)
                {
                    collection.Add(item!);
                }
            }
            finally
            {
                collection.Complete();
            }
        });
        return running;
    }

    /// <summary>Blocks until the text on the screen matches, while a script runs.</summary>
    public Match WaitForText(Regex pattern) => _host.WaitForText(pattern);

    /// <summary>Answers whoever asks for a line; without this a prompt fails the command.</summary>
    public void AnswerPrompts(Func<string, string> answer) => _host.Answer = answer;

    /// <summary>Sets a variable of the session.</summary>
    public void Set(string name, object? value) => _runspace.SessionStateProxy.SetVariable(name, value);

    /// <summary>Reads a variable of the session.</summary>
    public object? Get(string name) => _runspace.SessionStateProxy.GetVariable(name);

    /// <summary>Closes the session as closing a shell does: pipelines stop and the module's removal handlers run.</summary>
    public void Dispose()
    {
        ScriptRecorder.HearVariables(_runspace, _host);
        _runspace.Dispose();
    }
}
