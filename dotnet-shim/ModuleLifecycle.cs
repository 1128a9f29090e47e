using System;
using System.Diagnostics;
using System.Management.Automation;
using System.Threading;
using Microsoft.PowerShell.Commands;
using SecureAppModel.Interop;
using SecureAppModel.Sandbox;

namespace SecureAppModel
{
    /// <summary>
    /// Import loads no native code. Removal cancels the operations of that runspace, forgets its defaults and stops its
    /// sandboxes; importing anew leaves them. The native side is shut down when the process ends and at no other time,
    /// because other runspaces may use it.
    /// </summary>
    public sealed class ModuleLifecycle : IModuleAssemblyInitializer, IModuleAssemblyCleanup
    {
        /// <summary>.NET Framework gives all exit handlers together two seconds.</summary>
        private const uint ShutdownMilliseconds = 1800;

        private static int s_registered;

        public void OnImport()
        {
            if (Interlocked.Exchange(ref s_registered, 1) == 0)
            {
                AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                {
                    SandboxRegistry.Abandon();
                    NativeLoader.Shutdown(ShutdownMilliseconds);
                };
            }
        }

        public void OnRemove(PSModuleInfo psModuleInfo)
        {
            if (IsImportedAnew())
            {
                return;
            }

            SandboxRegistry.StopCallers();
            RunspaceState.RemoveCurrent();
        }

        /// <summary>
        /// True where Import-Module -Force takes the module out to put it in again: this assembly serves the session on, and
        /// one that forgot its default environment would send the next command to the public cloud. PowerShell does not say
        /// so to a module; what does is which of its own commands is calling.
        /// </summary>
        private static bool IsImportedAnew()
        {
            foreach (StackFrame frame in new StackTrace().GetFrames() ?? Array.Empty<StackFrame>())
            {
                Type? caller = frame.GetMethod()?.DeclaringType;
                if (caller == typeof(ImportModuleCommand) || caller == typeof(RemoveModuleCommand))
                {
                    return caller == typeof(ImportModuleCommand);
                }
            }

            return false;
        }
    }
}
