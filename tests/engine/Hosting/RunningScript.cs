using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using SecureAppModel.EngineTests.Leaks;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>A script under way. <see cref="Wait"/> or <see cref="Stop"/> end it; both may follow each other.</summary>
public sealed class RunningScript
{
    /// <summary>The longest script of a test is an export of a large estate.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(8);

    private readonly PowerShell _shell;
    private readonly CapturingHost _host;
    private readonly PSDataCollection<PSObject> _output = new() { BlockingEnumerator = true };
    private readonly IAsyncResult _invocation;
    private readonly string _script;
    private Outcome? _outcome;

    internal RunningScript(PowerShell shell, CapturingHost host, PSDataCollection<object>? input)
    {
        _shell = shell;
        _host = host;
        host.TakeText();
        _script = string.Join(" | ", shell.Commands.Commands.Select(command => command.CommandText));
        // Completed by hand, so that a reader of the output wakes up at the end.
        _invocation = shell.BeginInvoke(input, _output, new PSInvocationSettings(), _ => _output.Complete(), null);
    }

    /// <summary>What was written so far; enumerating it blocks until the next object or the end.</summary>
    public PSDataCollection<PSObject> Output => _output;

    /// <summary>True when the script has ended.</summary>
    public bool Ended => _invocation.IsCompleted;

    /// <summary>Blocks until the script has written this many objects or ended; returns what there is.</summary>
    public IReadOnlyList<PSObject> TakeUntil(int count)
    {
        return Within.Take(
            () =>
            {
                // The enumerator waits; LINQ would take the collection for a list and not ask it.
                List<PSObject> taken = [];
                using IEnumerator<PSObject> output = _output.GetEnumerator();
                while (taken.Count < count && output.MoveNext())
                {
                    taken.Add(output.Current);
                }

                return taken;
            },
            $"{count} objects of a script that has written {_output.Count}");
    }

    /// <summary>Stops the script as Ctrl+C does and waits for it; returns how long the stop took.</summary>
    /// <remarks>
    /// Not by BeginStop, whose thread dies, and the process with it, where a command of the script ends at that very
    /// moment: the engine cancels a token source that it has disposed.
    /// </remarks>
    public TimeSpan Stop()
    {
        long start = Stopwatch.GetTimestamp();
        Task stop = Task.Run(_shell.Stop);
        Await(((IAsyncResult)stop).AsyncWaitHandle, Within.Limit, "stop");
        Await(_invocation.AsyncWaitHandle, Within.Limit, "stop");
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits for the end and returns all that the script left behind.</summary>
    public Outcome Wait()
    {
        if (_outcome is not null)
        {
            return _outcome;
        }

        Await(_invocation.AsyncWaitHandle, s_limit, "end");
        RuntimeException? failure = null;
        try
        {
            _shell.EndInvoke(_invocation);
        }
        catch (RuntimeException error)
        {
            failure = error;
        }

        _outcome = new Outcome([.. _output], _shell.Streams, _host.TakeText(), failure);
        Runspace runspace = _shell.Runspace;
        _shell.Dispose();
        ScriptRecorder.Hear(_script, _outcome, runspace, _host);
        return _outcome;
    }

    private void Await(WaitHandle end, TimeSpan limit, string what)
    {
        if (!end.WaitOne(limit))
        {
            Assert.Fail($"The script did not {what} within {limit.TotalMinutes} minutes. On the screen:\n{_host.TakeText()}");
        }
    }
}
