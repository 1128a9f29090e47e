using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Runspaces;
using System.Threading;
using System.Threading.Tasks;

namespace SecureAppModel.Tenants
{
    /// <summary>
    /// The runspaces of one command: made when they are needed, used again with variables, location and defaults reset, and all closed
    /// when the command ends, however it ends.
    /// </summary>
    internal sealed class TenantRunspaces
    {
        private readonly InitialSessionState _state;
        private readonly SecureAppCredential _credential;
        private readonly string _environment;
        private readonly string? _location;
        private readonly ConcurrentBag<Runspace> _idle = new ConcurrentBag<Runspace>();
        private readonly ConcurrentDictionary<Runspace, bool> _all = new ConcurrentDictionary<Runspace, bool>();
        private int _made;
        private volatile bool _closing;

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
            if (!_idle.TryTake(out Runspace? runspace))
            {
                runspace = RunspaceFactory.CreateRunspace(_state.Clone());
                runspace.Name = "SecureAppModel tenant " + Interlocked.Increment(ref _made);
                runspace.ThreadOptions = PSThreadOptions.ReuseThread;
                Open(runspace);
                _all[runspace] = true;
            }

            // Whoever closes them all may have looked before this one was there.
            if (_closing)
            {
                Close(runspace);
                throw new OperationCanceledException();
            }

            RunspaceState defaults = RunspaceState.Of(runspace);
            defaults.Credential = _credential;
            defaults.Environment = _environment;
            if (_location is not null)
            {
                runspace.SessionStateProxy.Path.SetLocation(System.Management.Automation.WildcardPattern.Escape(_location));
            }

            return runspace;
        }

        /// <summary>Takes one back whose script has ended.</summary>
        internal void Return(Runspace runspace)
        {
            if (_closing || runspace.RunspaceStateInfo.State != System.Management.Automation.Runspaces.RunspaceState.Opened)
            {
                Discard(runspace);
                return;
            }

            try
            {
                runspace.ResetRunspaceState();
            }
            catch (Exception failure) when (failure is System.Management.Automation.PSInvalidOperationException or InvalidOperationException)
            {
                Discard(runspace);
                return;
            }

            _idle.Add(runspace);
        }

        /// <summary>Closes one in the background: its script may not end at once.</summary>
        internal Task Discard(Runspace runspace) => Task.Run(() => Close(runspace));

        /// <summary>Closes all of them, and waits for that for a time at most; what takes longer goes on in the background.</summary>
        internal void CloseAll(TimeSpan limit)
        {
            _closing = true;
            Task.WaitAll(_all.Keys.Select(Discard).ToArray(), limit);
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
