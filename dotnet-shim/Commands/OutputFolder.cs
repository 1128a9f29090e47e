using System;
using System.IO;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>A folder to write to, named as PowerShell names it: relative to its location, or on a drive of its own.</summary>
    internal static class OutputFolder
    {
        private const string Advice = "Give -Path a folder on a file system in which this user may create files.";

        /// <summary>The absolute path; wildcard characters stand for themselves. Touches nothing.</summary>
        /// <exception cref="SecureAppException">It is no place on a file system.</exception>
        internal static string Resolve(SessionState session, string path)
        {
            try
            {
                string full = session.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
                return provider.Name == "FileSystem"
                    ? full
                    : throw Refuse("'" + path + "' is on the " + provider.Name + " provider, which holds no files.", null);
            }
            catch (Exception cause) when (cause is RuntimeException or ArgumentException or NotSupportedException)
            {
                throw Refuse("'" + path + "' is not a usable path: " + cause.Message, cause);
            }
        }

        /// <summary>Creates the folder where it is missing and makes sure that files can be created in it.</summary>
        /// <exception cref="SecureAppException">That is not so.</exception>
        internal static void Ensure(string path)
        {
            try
            {
                Directory.CreateDirectory(path);
                string probe = Path.Combine(path, ".secureapp-" + Guid.NewGuid().ToString("N"));
                using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
                {
                }
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or System.Security.SecurityException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Storage, "The folder '" + path + "' cannot be written to: " + cause.Message, Advice, cause);
            }
        }

        private static SecureAppException Refuse(string message, Exception? cause) =>
            new SecureAppException(SecureAppErrorKind.InvalidInput, message, Advice, cause);
    }
}
