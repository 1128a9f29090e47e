using System;
using System.IO;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>A folder to write to, named as PowerShell names it: relative to its location, or on a drive of its own.</summary>
    internal static class OutputFolder
    {
        private const string Advice = "Give -Path a folder on a file system in which this user may create files.";

        /// <summary>The absolute path; see <see cref="OutputPath"/>.</summary>
        internal static string Resolve(SessionState session, string path) => OutputPath.Resolve(session, path, Advice);

        /// <summary>Creates the folder where it is missing and makes sure that files can be created in it.</summary>
        /// <exception cref="SecureAppException">That is not so.</exception>
        internal static void Ensure(string path)
        {
            if (File.Exists(path))
            {
                throw new SecureAppException(SecureAppErrorKind.Storage, Shown.Sentence(Shown.Path(path)) + " is a file and not a folder.", "Give -Path the folder to write to.");
            }

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
                    SecureAppErrorKind.Storage, "The folder " + Shown.Path(path) + " cannot be written to" + Shown.Reason(path, cause), Advice, Shown.IsPath(path) ? cause : null);
            }
        }
    }
}
