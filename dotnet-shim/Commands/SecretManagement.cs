using System;
using System.Collections;
using System.Collections.ObjectModel;
using System.Linq;
using System.Management.Automation;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// A vault of Microsoft.PowerShell.SecretManagement, through that module's own cmdlets on the pipeline thread: whatever
    /// extension the vault has runs where its author expects it to.
    /// </summary>
    internal static class SecretManagement
    {
        private const string Module = "Microsoft.PowerShell.SecretManagement";

        /// <summary>How that module's Get-Secret names the error of a secret that is not there.</summary>
        private const string NotFound = "GetSecretNotFound";

        /// <exception cref="SecureAppException">It is not there, or cannot be read.</exception>
        internal static SecureString Read(PSCmdlet cmdlet, string vault, string name) =>
            Find(cmdlet, vault, name) ?? throw new SecureAppException(
                SecureAppErrorKind.NotFound,
                "The vault '" + vault + "' has no secret '" + name + "'.",
                "Check the name with Get-SecretInfo, or save the credential with Save-SecureAppCredential.");

        /// <summary>What the vault holds under the name; null where there is nothing.</summary>
        /// <exception cref="SecureAppException">It cannot be read.</exception>
        internal static SecureString? Find(PSCmdlet cmdlet, string vault, string name)
        {
            Collection<PSObject> output = Call(cmdlet, "Get-Secret", vault, name, new Hashtable { ["Name"] = name, ["Vault"] = vault });
            object? value = output.Select(item => item?.BaseObject).FirstOrDefault(item => item is not null);
            return value switch
            {
                SecureString secure => secure,
                string text => CredentialInput.Secure(text),
                null => null,
                _ => throw new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    "The secret '" + name + "' of the vault '" + vault + "' is a " + value.GetType().Name + ", not a stored credential.",
                    "Save the credential with Save-SecureAppCredential under another name."),
            };
        }

        internal static void Write(PSCmdlet cmdlet, string vault, string name, SecureString value) =>
            Call(cmdlet, "Set-Secret", vault, name, new Hashtable { ["Name"] = name, ["Vault"] = vault, ["Secret"] = value });

        internal static void Remove(PSCmdlet cmdlet, string vault, string name) =>
            Call(cmdlet, "Remove-Secret", vault, name, new Hashtable { ["Name"] = name, ["Vault"] = vault });

        private static Collection<PSObject> Call(PSCmdlet cmdlet, string command, string vault, string name, Hashtable parameters)
        {
            CommandInfo? found = cmdlet.InvokeCommand.GetCommand(command, CommandTypes.Cmdlet | CommandTypes.Function);
            if (found is null)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.NotFound,
                    command + " was not found: the module " + Module + " is not installed here.",
                    "Install it: Install-Module " + Module + " -Scope CurrentUser");
            }

            parameters["ErrorAction"] = ActionPreference.Stop;
            try
            {
                return cmdlet.InvokeCommand.InvokeScript(
                    true, ScriptBlock.Create("param($command, $parameters) & $command @parameters"), null, found, parameters);
            }
            catch (RuntimeException failure) when (failure.ErrorRecord.FullyQualifiedErrorId.StartsWith(NotFound, StringComparison.Ordinal))
            {
                return new Collection<PSObject>();
            }
            catch (RuntimeException failure) when (failure is not PipelineStoppedException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Storage,
                    command + " failed for '" + name + "' in the vault '" + vault + "': " + failure.ErrorRecord.Exception.Message,
                    "Check that the vault is registered (Get-SecretVault) and unlocked (Unlock-SecretVault), and that the secret exists (Get-SecretInfo).",
                    failure);
            }
        }
    }
}
