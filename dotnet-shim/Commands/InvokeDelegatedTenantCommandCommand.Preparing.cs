using System;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using SecureAppModel.Tenants;

namespace SecureAppModel.Commands
{
    /// <summary>What scripts run in.</summary>
    public sealed partial class InvokeDelegatedTenantCommandCommand
    {
        /// <summary>Makes ready what scripts run in, and tries it once: a module that cannot be imported is said before anything is sent.</summary>
        private void Prepare()
        {
            string folder = Path.GetDirectoryName(typeof(InvokeDelegatedTenantCommandCommand).Assembly.Location) ?? string.Empty;
            InitialSessionState state = InitialSessionState.CreateDefault2();
            state.LanguageMode = SessionState.LanguageMode;
            state.ThrowOnRunspaceOpenError = true;
            state.ImportPSModule(new[] { Path.Combine(folder, "SecureAppModel.psd1") });
            if (Module is not null)
            {
                state.ImportPSModule(Module);
            }

            state.Variables.Add(new SessionStateVariableEntry("ProgressPreference", ActionPreference.SilentlyContinue, string.Empty));
            foreach (string stream in new[] { "Verbose", "Debug" })
            {
                if (Reads(stream))
                {
                    state.Variables.Add(new SessionStateVariableEntry(stream + "Preference", ActionPreference.Continue, string.Empty));
                }
            }

            PathInfo location = SessionState.Path.CurrentFileSystemLocation;
            TenantRunspaces runspaces = new TenantRunspaces(state, _credential!, ResolveEnvironment(Environment), location?.ProviderPath);
            _runner = new TenantRunner(
                runspaces,
                ScriptBlock.ToString(),
                UsingValues.Of(ScriptBlock, SessionState),
                ArgumentList ?? Array.Empty<object?>(),
                ThrottleLimit,
                TimeSpan.FromSeconds(TimeoutSeconds ?? 0));
            try
            {
                runspaces.Return(runspaces.Rent());
            }
            catch (RuntimeException failure)
            {
                // PowerShell's words repeat the names.
                bool repeatable = Module is null || Module.All(Shown.IsPath);
                throw new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    repeatable ? Said(failure) : "The session that scripts run in could not be made.",
                    "Check the names of -Module: each must be found by Import-Module.",
                    repeatable ? failure : null);
            }
        }

        /// <summary>Why there is no session, without the words about the engine's own objects that its message wraps around that.</summary>
        private string Said(RuntimeException failure)
        {
            ErrorRecord? first = (failure as RunspaceOpenModuleLoadException)?.ErrorRecords.FirstOrDefault();
            if (first?.TargetObject is string name && first.FullyQualifiedErrorId.StartsWith("Modules_ModuleNotFound", StringComparison.Ordinal))
            {
                return "The module '" + name + "' was not found.";
            }

            string with = Module is null ? string.Empty : " with " + string.Join(", ", Module);
            return "The session that scripts run in could not be made" + with + ": " + (first?.Exception ?? failure).Message;
        }
    }
}
