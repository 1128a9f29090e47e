using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// What belongs to one runspace: its native session, so that its operations can be cancelled together, and its
    /// defaults. Everything else is shared by the process, natively.
    /// </summary>
    internal sealed class RunspaceState
    {
        /// <summary>The environment that is used when neither a command nor a default names one.</summary>
        internal const string PublicEnvironment = "Public";

        private static readonly ConditionalWeakTable<Runspace, RunspaceState> s_states =
            new ConditionalWeakTable<Runspace, RunspaceState>();

        private readonly object _gate = new object();
        private SessionHandle? _session;
        private string? _environment;

        /// <summary>The state of the runspace whose pipeline thread is calling.</summary>
        internal static RunspaceState Current => s_states.GetOrCreateValue(Runspace.DefaultRunspace);

        internal SecureAppCredential? Credential { get; set; }

        /// <summary>The customers that this session has listed, by tenant id: what completion and names are taken from.</summary>
        internal ConcurrentDictionary<string, DelegatedTenant> Customers { get; } =
            new ConcurrentDictionary<string, DelegatedTenant>(StringComparer.OrdinalIgnoreCase);

        /// <summary>The services that Connect-DelegatedTenant has connected and nothing has disconnected since.</summary>
        internal HashSet<string> Connected { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

        internal string? Environment
        {
            get => _environment;
            set
            {
                _environment = value;
                RemovedEnvironment = null;
            }
        }

        /// <summary>The default that was removed and that nothing has replaced yet; null where none was.</summary>
        internal string? RemovedEnvironment { get; private set; }

        internal SessionHandle Session
        {
            get
            {
                lock (_gate)
                {
                    return _session ??= Native.OpenSession();
                }
            }
        }

        /// <summary>Forgets a default whose environment is gone, and that there was one.</summary>
        internal void LoseEnvironment()
        {
            string? lost = _environment;
            Environment = null;
            RemovedEnvironment = lost;
        }

        /// <summary>The state of any runspace.</summary>
        internal static RunspaceState Of(Runspace runspace) => s_states.GetOrCreateValue(runspace);

        /// <summary>Cancels what the calling runspace has running and forgets its defaults.</summary>
        internal static void RemoveCurrent() => Remove(Runspace.DefaultRunspace);

        /// <summary>Cancels what a runspace has running and forgets its defaults.</summary>
        internal static void Remove(Runspace? runspace)
        {
            if (runspace is null || !s_states.TryGetValue(runspace, out RunspaceState state))
            {
                return;
            }

            s_states.Remove(runspace);
            lock (state._gate)
            {
                if (state._session is not null)
                {
                    Native.CancelSession(state._session);
                    state._session.Dispose();
                    state._session = null;
                }
            }
        }
    }
}
