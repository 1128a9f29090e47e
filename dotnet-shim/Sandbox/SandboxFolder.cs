// The folders in which a sandbox keeps its certificates and what a platform leaves on a disk, named after its process. The
// sandbox removes them when it ends by itself; what was killed leaves them behind.
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;

namespace SecureAppModel.Sandbox
{
    internal static class SandboxFolder
    {
        private const string Prefix = "secureapp-sandbox-";

        private static readonly Regex s_name = new Regex("^" + Prefix + "([0-9]{1,10})(-[0-9a-f]{16})?$", RegexOptions.CultureInvariant);

        /// <summary>Removes the folders of a process that has ended.</summary>
        internal static void Remove(int processId) => RemoveWhere(owner => owner == processId);

        /// <summary>Removes the folders whose processes are gone.</summary>
        internal static void RemoveStale() => RemoveWhere(owner => !IsRunning(owner));

        private static void RemoveWhere(Func<int, bool> meant)
        {
            try
            {
                foreach (DirectoryInfo folder in new DirectoryInfo(Path.GetTempPath()).GetDirectories(Prefix + "*"))
                {
                    Match name = s_name.Match(folder.Name);
                    if (name.Success && int.TryParse(name.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int owner) && meant(owner))
                    {
                        RemoveFolder(folder);
                    }
                }
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
            {
                // A temporary folder that cannot be listed keeps what is in it.
            }
        }

        private static bool IsRunning(int processId)
        {
            try
            {
                using Process process = Process.GetProcessById(processId);
                return true;
            }
            catch (Exception cause) when (cause is ArgumentException or InvalidOperationException)
            {
                return false;
            }
        }

        /// <summary>Never follows a link: the place is open to every user.</summary>
        private static void RemoveFolder(DirectoryInfo folder)
        {
            try
            {
                if ((folder.Attributes & FileAttributes.ReparsePoint) == 0)
                {
                    folder.Delete(recursive: true);
                }
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
            {
                // Somebody else's, or in use: what it holds opens nothing but a sandbox.
            }
        }
    }
}
