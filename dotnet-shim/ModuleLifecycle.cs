using System;
using System.Management.Automation;
using System.Threading;
using SecureAppModel.Interop;
using SecureAppModel.Sandbox;

namespace SecureAppModel
{
    /// <summary>
    /// Import loads no native code. Removal cancels the operations of that runspace and stops its
    /// sandboxes. The native side is shut down when
    /// the process ends and at no other time, because other runspaces may use it.
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
            SandboxRegistry.StopCallers();
            RunspaceState.RemoveCurrent();
        }
    }
}
