using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Runspaces;
using SecureAppModel.Commands;

namespace SecureAppModel.Sandbox
{
    /// <summary>The sandboxes that this process has running, and the runspace that started each. Any thread.</summary>
    internal static class SandboxRegistry
    {
        /// <summary>.NET Framework gives all exit handlers together two seconds.</summary>
        private const int ExitMilliseconds = 300;

        private static readonly ConcurrentDictionary<int, Entry> s_running = new ConcurrentDictionary<int, Entry>();

        internal static IReadOnlyList<int> Running => s_running.Keys.OrderBy(id => id).ToList();

        internal static void Add(SandboxProcess process) => s_running[process.Id] = new Entry(process, Caller());

        internal static string? EnvironmentOf(int processId) =>
            s_running.TryGetValue(processId, out Entry? entry) ? entry.Process.Environment : null;

        /// <summary>Stops one and forgets its environment; false where this process has no such sandbox running.</summary>
        internal static bool Stop(int processId)
        {
            if (!s_running.TryRemove(processId, out Entry? entry))
            {
                return false;
            }

            entry.Process.Dispose();
            if (entry.Process.Environment.Length > 0)
            {
                try
                {
                    EnvironmentStore.Remove(entry.Process.Environment);
                }
                catch (SecureAppException)
                {
                    // The user has removed it already.
                }
            }

            return true;
        }

        /// <summary>Stops what the calling runspace has started: its module goes.</summary>
        internal static void StopCallers()
        {
            Guid caller = Caller();
            foreach (KeyValuePair<int, Entry> running in s_running.Where(running => running.Value.Owner == caller).ToList())
            {
                Stop(running.Key);
            }
        }

        /// <summary>The process ends: ends every sandbox soon, without touching native code.</summary>
        internal static void Abandon()
        {
            foreach (int processId in Running)
            {
                if (s_running.TryRemove(processId, out Entry? entry))
                {
                    entry.Process.Dispose(ExitMilliseconds);
                }
            }
        }

        private static Guid Caller() => Runspace.DefaultRunspace?.InstanceId ?? Guid.Empty;

        private sealed class Entry
        {
            internal Entry(SandboxProcess process, Guid owner)
            {
                Process = process;
                Owner = owner;
            }

            internal SandboxProcess Process { get; }

            internal Guid Owner { get; }
        }
    }
}
