using System;
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
    /// The runspaces of one command: made when they are needed, used again with variables, location and defaults reset, and all closed
    /// when the command ends, however it ends. Making one takes a core's time and no waiting, so no more than the cores can make
    /// are made at once; whoever waits for that takes one that has become free before.
    /// </summary>
    internal sealed class TenantRunspaces
    {
        private readonly InitialSessionState _state;
        private readonly SecureAppCredential _credential;
        private readonly string _environment;
        private readonly string? _location;
        private readonly object _gate = new object();
        private readonly Stack<Runspace> _idle = new Stack<Runspace>();
        private readonly ConcurrentDictionary<Runspace, bool> _all = new ConcurrentDictionary<Runspace, bool>();
        private int _made;
        private int _inTheMaking;
        private bool _closing;

        /// <param name="state">What a runspace begins with.</param>
        /// <param name="credential">The default credential in it.</param>
        /// <param name="environment">The default environment in it.</param>
        /// <param name="location">The folder that relative paths start from; null where the caller is in none.</param>
        internal TenantRunspaces(InitialSessionState state, SecureAppCredential credential, string environment, string? location)
        {
            _state = state;
            _credential = credential;
            _environment = environment;
            _location = location;
        }

        /// <summary>One that nobody else has, ready to run; any thread.</summary>
        internal Runspace Rent()
        {
            Runspace runspace = Free() ?? Made();
            try
            {
                Furnish(runspace);
            }
            catch
            {
                Discard(runspace);
                throw;
            }

            return runspace;
        }

        private void Furnish(Runspace runspace)
        {
            RunspaceState defaults = RunspaceState.Of(runspace);
            defaults.Credential = _credential;
            defaults.Environment = _environment;

            // Setting a location has PowerShell list every folder on the way; most are where they should be already.
            PathIntrinsics path = runspace.SessionStateProxy.Path;
            if (_location is not null && path.CurrentFileSystemLocation?.ProviderPath != _location)
            {
                path.SetLocation(WildcardPattern.Escape(_location));
            }
        }

        /// <summary>Takes one back whose script has ended.</summary>
        internal void Return(Runspace runspace)
        {
            if (runspace.RunspaceStateInfo.State != System.Management.Automation.Runspaces.RunspaceState.Opened)
            {
                Discard(runspace);
                return;
            }

            try
            {
                runspace.ResetRunspaceState();
            }
            catch (InvalidOperationException)
            {
                Discard(runspace);
                return;
            }

            lock (_gate)
            {
                // One that was given up meanwhile is being closed.
                if (_all.ContainsKey(runspace))
                {
                    _idle.Push(runspace);
                    Monitor.Pulse(_gate);
                }
            }
        }

        /// <summary>Closes one in the background: its script may not end at once.</summary>
        internal Task Discard(Runspace runspace) => Task.Run(() => Close(runspace));

        /// <summary>Closes all of them, and waits for that for a time at most; what takes longer goes on in the background.</summary>
        internal void CloseAll(TimeSpan limit)
        {
            lock (_gate)
            {
                _closing = true;
                Monitor.PulseAll(_gate);
            }

            Task.WaitAll(_all.Keys.Select(Discard).ToArray(), limit);
        }

        /// <summary>One that is free, or null where the caller is to make one.</summary>
        private Runspace? Free()
        {
            lock (_gate)
            {
                while (!_closing)
                {
                    if (_idle.Count > 0)
                    {
                        return _idle.Pop();
                    }

                    if (_inTheMaking < System.Environment.ProcessorCount)
                    {
                        _inTheMaking++;
                        return null;
                    }

                    Monitor.Wait(_gate);
                }

                throw new OperationCanceledException();
            }
        }

        private Runspace Made()
        {
            Runspace runspace;
            bool closing;
            try
            {
                runspace = RunspaceFactory.CreateRunspace(_state.Clone());
                runspace.Name = "SecureAppModel tenant " + Interlocked.Increment(ref _made);
                runspace.ThreadOptions = PSThreadOptions.ReuseThread;
                Open(runspace);
                _all[runspace] = true;
            }
            finally
            {
                lock (_gate)
                {
                    _inTheMaking--;
                    closing = _closing;
                    Monitor.Pulse(_gate);
                }
            }

            // Whoever closes them all may have looked before this one was there.
            if (closing)
            {
                Close(runspace);
                throw new OperationCanceledException();
            }

            return runspace;
        }

        /// <summary>One that cannot be opened has a thread already, which would stay.</summary>
        private static void Open(Runspace runspace)
        {
            try
            {
                runspace.Open();
            }
            catch
            {
                runspace.Dispose();
                throw;
            }
        }

        private void Close(Runspace runspace)
        {
            if (!_all.TryRemove(runspace, out _))
            {
                return;
            }

            // Ends what the module's commands have under way there, so that no connection waits for the script.
            SecureAppModel.RunspaceState.Remove(runspace);
            runspace.Dispose();
        }
    }
}
