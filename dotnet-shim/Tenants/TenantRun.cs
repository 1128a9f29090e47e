using System;
using System.Collections;
using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;
using System.Threading.Tasks;

namespace SecureAppModel.Tenants
{
    /// <summary>One run of the script for a tenant.</summary>
    internal sealed class TenantRun
    {
        private readonly Action<TenantRun, object> _post;
        private readonly Action<TenantRun, RunEnd> _end;
        private readonly PowerShell _shell = PowerShell.Create();
        private readonly Stopwatch _elapsed = Stopwatch.StartNew();
        private readonly object _gate = new object();
        private Task? _stop;
        private bool _released;

        /// <param name="work">The tenant and its tokens.</param>
        /// <param name="post">Takes what comes of the script, on the script's own thread.</param>
        /// <param name="end">Is told there once that the script has ended.</param>
        internal TenantRun(TenantWork work, Action<TenantRun, object> post, Action<TenantRun, RunEnd> end)
        {
            Work = work;
            _post = post;
            _end = end;
        }

        internal TenantWork Work { get; }

        internal Runspace? Runspace { get; private set; }

        /// <summary>How long the script has been running.</summary>
        internal TimeSpan Elapsed => Runspace is null ? TimeSpan.Zero : _elapsed.Elapsed;

        /// <summary>When it was told to stop, after its start; null where it was not.</summary>
        internal TimeSpan? StoppedAfter { get; private set; }

        /// <summary>Starts the script in a runspace that nobody else uses.</summary>
        internal void Start(Runspace runspace, string script, Hashtable usings, object?[] arguments)
        {
            _elapsed.Restart();
            Runspace = runspace;
            runspace.SessionStateProxy.SetVariable("Tenant", Work.Tenant);
            runspace.SessionStateProxy.SetVariable("Token", Work.Token);
            _shell.Runspace = runspace;
            _shell.AddScript(script, useLocalScope: true);
            if (usings.Count > 0)
            {
                _shell.AddParameter(UsingValues.Parameter, usings);
            }

            foreach (object? argument in arguments)
            {
                _shell.AddArgument(argument);
            }

            PSDataCollection<PSObject> output = new PSDataCollection<PSObject>();
            output.DataAdded += (_, _) =>
            {
                foreach (PSObject? value in output.ReadAll())
                {
                    _post(this, new RunOutput(value));
                }
            };
            PSDataStreams streams = _shell.Streams;
            Forward(streams.Error);
            Forward(streams.Warning);
            Forward(streams.Verbose);
            Forward(streams.Debug);
            Forward(streams.Information);
            streams.Progress.DataAdded += (_, _) => streams.Progress.Clear();
            _shell.InvocationStateChanged += OnStateChanged;
            _shell.BeginInvoke<PSObject, PSObject>(null, output);
        }

        /// <summary>Tells the script to stop; returns at once. Any thread.</summary>
        /// <remarks>
        /// Not by BeginStop: where a command of the script ends at that very moment, the engine cancels what it has disposed,
        /// and on the thread that BeginStop makes nobody catches that, which ends the process. Stop itself lets it pass.
        /// </remarks>
        internal void Stop()
        {
            lock (_gate)
            {
                StoppedAfter ??= _elapsed.Elapsed;
                if (!_released)
                {
                    _stop ??= Task.Factory.StartNew(_shell.Stop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                }
            }
        }

        /// <summary>Frees what has ended.</summary>
        internal void Release()
        {
            Task? stop;
            lock (_gate)
            {
                _released = true;
                stop = _stop;
            }

            // A stop still looks at the shell when the script has ended.
            if (stop is not null)
            {
                Task.WaitAny(stop);
            }

            _shell.Dispose();
        }

        private void Forward<T>(PSDataCollection<T> stream)
            where T : class => stream.DataAdded += (_, _) =>
        {
            foreach (T record in stream.ReadAll())
            {
                _post(this, record);
            }
        };

        private void OnStateChanged(object? sender, PSInvocationStateChangedEventArgs change)
        {
            if (change.InvocationStateInfo.State is PSInvocationState.Completed or PSInvocationState.Failed or PSInvocationState.Stopped)
            {
                _elapsed.Stop();
                bool failed = change.InvocationStateInfo.State == PSInvocationState.Failed;
                _end(this, new RunEnd(failed ? change.InvocationStateInfo.Reason : null));
            }
        }
    }
}
