// Finds the sandbox's executable and makes sure that it can be run: a package from a gallery arrives without execute bits.
using System;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using SecureAppModel.Interop;

namespace SecureAppModel.Sandbox
{
    internal static class SandboxExecutable
    {
        /// <summary>Names the file, or the folder with it, to use instead of the one in the module.</summary>
        internal const string PathVariable = "SECUREAPP_SANDBOX_PATH";

        private const int ExecuteAccess = 1;
        private const uint OwnerOnly = 0x1C0;
        private const uint EverybodyReadsAndRuns = 0x1ED;
        private const int AccessDenied = 13;

        private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

        /// <summary>The executable's path; it may still lack the right to be run.</summary>
        /// <exception cref="SecureAppException">There is none.</exception>
        internal static string Find()
        {
            string? named = Environment.GetEnvironmentVariable(PathVariable);
            string file = IsWindows ? "secureapp-sandbox.exe" : "secureapp-sandbox";
            string candidate = string.IsNullOrEmpty(named)
                ? Path.Combine(NativeLoader.NativeFolder(), file)
                : Directory.Exists(named) ? Path.Combine(Path.GetFullPath(named), file) : Path.GetFullPath(named);
            if (File.Exists(candidate))
            {
                return candidate;
            }

            throw new SecureAppException(
                SecureAppErrorKind.NotFound,
                "The sandbox was not found for " + NativeLoader.Rid() + ". Tried: " + candidate + ".",
                string.IsNullOrEmpty(named)
                    ? "Install the SecureAppModel module again, or name the file in the environment variable " + PathVariable + "."
                    : "Correct or remove the environment variable " + PathVariable + ".");
        }

        /// <summary>
        /// Starts it as <paramref name="prepare"/> says. Where the right to run it is missing, gives it that, or runs a
        /// private copy where that is not allowed either.
        /// </summary>
        /// <exception cref="SecureAppException">It could not be started.</exception>
        internal static Process Start(string path, Func<string, ProcessStartInfo> prepare)
        {
            try
            {
                if (IsWindows || CanRun(path) || (chmod(path, EverybodyReadsAndRuns) == 0 && CanRun(path)))
                {
                    try
                    {
                        return Launch(prepare(path));
                    }
                    catch (Win32Exception cause) when (cause.NativeErrorCode == AccessDenied && !IsWindows)
                    {
                        // A file system that runs nothing; the copy's may.
                    }
                }

                return RunCopy(path, prepare);
            }
            catch (Exception cause) when (cause is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Internal,
                    "The sandbox '" + path + "' could not be started: " + cause.Message,
                    "Check that this user may run it, or name another copy in the environment variable " + PathVariable + ".",
                    cause);
            }
        }

        private static Process RunCopy(string path, Func<string, ProcessStartInfo> prepare)
        {
            string folder = Path.Combine(Path.GetTempPath(), "secureapp-" + Guid.NewGuid().ToString("N"));
            Directory.CreateDirectory(folder);
            chmod(folder, OwnerOnly);
            try
            {
                string copy = Path.Combine(folder, Path.GetFileName(path));
                File.Copy(path, copy);
                chmod(copy, OwnerOnly);
                return Launch(prepare(copy));
            }
            finally
            {
                // The running program keeps its file; the name is not needed any more.
                Directory.Delete(folder, recursive: true);
            }
        }

        private static Process Launch(ProcessStartInfo start) =>
            Process.Start(start) ?? throw new InvalidOperationException("the system started no process");

        private static bool CanRun(string path) => access(path, ExecuteAccess) == 0;

        [DllImport("libc", CharSet = CharSet.Ansi, ExactSpelling = true, SetLastError = true)]
        private static extern int access(string path, int mode);

        [DllImport("libc", CharSet = CharSet.Ansi, ExactSpelling = true, SetLastError = true)]
        private static extern int chmod(string path, uint mode);
    }
}
