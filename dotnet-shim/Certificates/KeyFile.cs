using System.Management.Automation;
using System.Runtime.InteropServices;

namespace SecureAppModel.Certificates
{
    /// <summary>Files with a private key or a secret, which nobody but their owner may read.</summary>
    internal static class KeyFile
    {
        private const string OwnerAlone = @"
            param($path)
            $user = [System.Security.Principal.WindowsIdentity]::GetCurrent().User
            $rule = [System.Security.AccessControl.FileSystemAccessRule]::new($user, 'FullControl', 'Allow')
            $security = [System.Security.AccessControl.FileSecurity]::new()
            $security.SetAccessRuleProtection($true, $false)
            $security.AddAccessRule($rule)
            $file = [System.IO.FileInfo]::new($path)
            if ($PSEdition -eq 'Core') { [System.IO.FileSystemAclExtensions]::SetAccessControl($file, $security) }
            else { $file.SetAccessControl($security) }";

        /// <summary>
        /// Takes the permissions away that a file has from its folder on Windows; elsewhere the native library has made it so.
        /// .NET Standard 2.0 names no such permissions, the session's own language does.
        /// </summary>
        internal static void KeepToOwner(PSCmdlet cmdlet, string path)
        {
            if (!RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            {
                return;
            }

            try
            {
                cmdlet.InvokeCommand.InvokeScript(useLocalScope: true, ScriptBlock.Create(OwnerAlone), null, path);
            }
            catch (RuntimeException cause)
            {
                cmdlet.WriteWarning("'" + path + "' holds a secret and has the permissions of its folder, which could not be narrowed: " + cause.Message);
            }
        }
    }
}
