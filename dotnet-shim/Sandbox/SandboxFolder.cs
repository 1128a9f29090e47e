// The folder in which a sandbox keeps its authority's and its application's certificate, named after its process. The sandbox removes it when it
// ends by itself; what was killed leaves it behind.
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;

namespace SecureAppModel.Sandbox
{
    internal static class SandboxFolder
    {
        private const string Prefix = "secureapp-sandbox-";

        private static readonly string[] s_files = { "ca.pem", "application.pfx" };

        /// <summary>Removes the folder of a process that has ended.</summary>
        internal static void Remove(int processId) =>
            RemoveFolder(new DirectoryInfo(Path.Combine(Path.GetTempPath(), Prefix + processId.ToString(CultureInfo.InvariantCulture))));

        /// <summary>Removes the folders whose processes are gone.</summary>
        internal static void RemoveStale()
        {
            try
            {
                foreach (DirectoryInfo folder in new DirectoryInfo(Path.GetTempPath()).GetDirectories(Prefix + "*"))
                {
                    string number = folder.Name.Substring(Prefix.Length);
                    if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int processId) && !IsRunning(processId))
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
            catch (ArgumentException)
            {
                return false;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }

        /// <summary>Never follows a link and never removes what a sandbox has not written: the place is open to every user.</summary>
        private static void RemoveFolder(DirectoryInfo folder)
        {
            try
            {
                if (folder.Exists && (folder.Attributes & FileAttributes.ReparsePoint) == 0)
                {
                    foreach (string file in s_files)
                    {
                        File.Delete(Path.Combine(folder.FullName, file));
                    }

                    folder.Delete();
                }
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
            {
                // Somebody else's, or in use: what it holds opens nothing but a sandbox.
            }
        }
    }
}
