using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;
using System.Threading.Tasks;

namespace SecureAppModel.Tenants
{
    /// <summary>
    /// Runs a script for many tenants side by side. What comes of them is taken by one thread; whoever writes faster than that takes
    /// waits, so that no more than a little is held. <see cref="Stop"/> may be called from any thread.
    /// </summary>
    internal sealed class TenantRunner : IDisposable
    {
        private const int MostWaiting = 512;

        /// <summary>A script that does not stop in this time is left to itself, with its runspace.</summary>
        private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
        private static readonly TimeSpan s_closing = TimeSpan.FromMilliseconds(350);

        private readonly TenantRunspaces _runspaces;
        private readonly string _script;
        private readonly Hashtable _usings;
        private readonly object?[] _arguments;
        private readonly int _limit;
        private readonly TimeSpan _timeout;
        private readonly BlockingCollection<TenantMessage> _messages = new BlockingCollection<TenantMessage>(MostWaiting);
        private readonly CancellationTokenSource _stop = new CancellationTokenSource();
        private readonly ConcurrentDictionary<TenantRun, bool> _running = new ConcurrentDictionary<TenantRun, bool>();

        /// <param name="runspaces">Where scripts run.</param>
        /// <param name="script">The script's text.</param>
        /// <param name="usings">What its $using: expressions stand for.</param>
        /// <param name="arguments">Its arguments.</param>
        /// <param name="limit">How many run side by side.</param>
        /// <param name="timeout">How long one may run; zero for any time.</param>
        internal TenantRunner(TenantRunspaces runspaces, string script, Hashtable usings, object?[] arguments, int limit, TimeSpan timeout)
        {
            _runspaces = runspaces;
            _script = script;
            _usings = usings;
            _arguments = arguments;
            _limit = limit;
            _timeout = timeout;
        }

        internal int Running => _running.Count;

        internal bool HasRoom => _running.Count < _limit && !_stop.IsCancellationRequested;

        /// <summary>Starts the script for a tenant. A runspace that is not there yet is made in the background.</summary>
        internal void Start(TenantWork work)
        {
            TenantRun run = new TenantRun(work, Post, End);
            _running[run] = true;
            Aside(() =>
            {
                Runspace? runspace = null;
                try
                {
                    runspace = _runspaces.Rent();
                    run.Start(runspace, _script, _usings, _arguments);
                    if (_stop.IsCancellationRequested)
                    {
                        run.Stop();
                    }
                }
                catch (OperationCanceledException)
                {
                    // The command is being stopped.
                }
                catch (Exception failure)
                {
                    if (runspace is not null)
                    {
                        _runspaces.Discard(runspace);
                    }

                    Post(run, new RunEnd(failure));
                }
            });
        }

        /// <summary>The next thing that came of a script, when it comes in time. Of a run whose end came the runspace is free again.</summary>
        internal TenantMessage? Take(int milliseconds)
        {
            if (StopLate() is TenantMessage givenUp)
            {
                return givenUp;
            }

            // Of what was given up nobody wants to hear any more.
            if (!_messages.TryTake(out TenantMessage? message, milliseconds) || !_running.ContainsKey(message.Run))
            {
                return null;
            }

            if (message.Content is RunEnd)
            {
                _running.TryRemove(message.Run, out _);
            }

            return message;
        }

        /// <summary>Stops all scripts; returns at once.</summary>
        internal void Stop()
        {
            _stop.Cancel();
            foreach (TenantRun run in _running.Keys)
            {
                run.Stop();
            }
        }

        /// <summary>Stops what runs and closes all runspaces, waiting for a third of a second at most.</summary>
        public void Dispose()
        {
            Stop();
            _runspaces.CloseAll(s_closing);
        }

        /// <summary>Stops scripts whose time is over. One that does not heed that is given up.</summary>
        private TenantMessage? StopLate()
        {
            if (_timeout == TimeSpan.Zero)
            {
                return null;
            }

            foreach (TenantRun run in _running.Keys.Where(run => run.Elapsed > _timeout))
            {
                if (run.StoppedAfter is not TimeSpan stopped)
                {
                    run.Stop();
                }
                else if (run.Elapsed - stopped > s_patience && _running.TryRemove(run, out _))
                {
                    if (run.Runspace is Runspace runspace)
                    {
                        _runspaces.Discard(runspace);
                    }

                    return new TenantMessage(run, new RunEnd(null));
                }
            }

            return null;
        }

        /// <summary>Frees what a run used, which takes a moment that neither the script's thread nor the pipeline's should wait.</summary>
        private void End(TenantRun run, RunEnd end) => Aside(() =>
        {
            run.Release();
            if (run.Runspace is Runspace runspace)
            {
                _runspaces.Return(runspace);
            }

            Post(run, end);
        });

        /// <summary>On a thread of its own: making a runspace blocks for long, and the pool, which has a thread a core, grows by two a second.</summary>
        private static void Aside(Action work) =>
            Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        private void Post(TenantRun run, object content)
        {
            try
            {
                _messages.Add(new TenantMessage(run, content), _stop.Token);
            }
            catch (OperationCanceledException)
            {
                // Nobody takes it any more.
            }
        }
    }
}
