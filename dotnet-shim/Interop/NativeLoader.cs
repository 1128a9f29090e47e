// Finds the native library, loads it once at its first use, and checks that it fits. It is never unloaded.
//
// Where it looks: the file (or the folder) that SECUREAPP_NATIVE_PATH names and nowhere else; without that variable,
// <folder of this assembly>/<os>[-musl]-<architecture of the process>/secureapp.<ext>, PowerShell's own convention.
using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;

namespace SecureAppModel.Interop
{
    internal static class NativeLoader
    {
        internal const string PathVariable = "SECUREAPP_NATIVE_PATH";

        /// <summary>The version of the C ABI that this assembly was written against.</summary>
        internal const uint AbiVersion = 1;

        private const uint SearchDllLoadDirectory = 0x100;
        private const uint SearchDefaultDirectories = 0x1000;

        private static readonly object s_gate = new object();
        private static volatile bool s_ready;
        private static bool s_resolverSet;
        private static string? s_path;

        /// <summary>True once the library has been loaded and fits.</summary>
        internal static bool IsLoaded => s_ready;

        /// <summary>Loads the library if that has not happened yet. Any thread.</summary>
        /// <exception cref="SecureAppException">There is none, it cannot be loaded, or it is of another release.</exception>
        internal static void Ensure()
        {
            if (s_ready)
            {
                return;
            }

            lock (s_gate)
            {
                if (!s_ready)
                {
                    Load();
                    s_ready = true;
                }
            }
        }

        private static void Load()
        {
            List<string> tried = new List<string>();
            s_path = Find(tried) ?? throw NotFound(tried);
            uint version;
            try
            {
                if (!ResolveByPath())
                {
                    Preload(s_path);
                }

                version = NativeMethods.sa_abi_version();
            }
            catch (Exception cause) when (cause is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or Win32Exception)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Internal,
                    "The native library '" + s_path + "' could not be loaded into this " + Rid() + " process: " + cause.Message,
                    "Install the SecureAppModel module again; on Linux, check that OpenSSL 3 is installed.",
                    cause);
            }

            if (version != AbiVersion)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Internal,
                    "The native library '" + s_path + "' has interface version " + version + ", but '" + AssemblyPath() + "' needs version " + AbiVersion + ".",
                    "Install the SecureAppModel module again so that both files come from one release, then start a new PowerShell.");
            }
        }

        private static string? Find(List<string> tried)
        {
            string? named = Environment.GetEnvironmentVariable(PathVariable);
            string file = FileName();
            string candidate;
            if (!string.IsNullOrEmpty(named))
            {
                string full = Path.GetFullPath(named);
                candidate = Directory.Exists(full) ? Path.Combine(full, file) : full;
            }
            else
            {
                candidate = Path.Combine(NativeFolder(), file);
            }

            tried.Add(candidate);
            return File.Exists(candidate) ? candidate : null;
        }

        /// <summary>The folder of this platform's native files beside this assembly.</summary>
        internal static string NativeFolder() => Path.Combine(Path.GetDirectoryName(AssemblyPath()) ?? string.Empty, Rid());

        /// <summary>The platform as PowerShell names its folders: win-x64, linux-musl-x64, osx-arm64, ..</summary>
        internal static string Rid()
        {
            string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
            if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            {
                return "win-" + architecture;
            }

            if (RuntimeInformation.IsOSPlatform(OSPlatform.OSX))
            {
                return "osx-" + architecture;
            }

            return (IsMusl() ? "linux-musl-" : "linux-") + architecture;
        }

        /// <summary>Ends the native work of this process and waits for it, at most as long as told.</summary>
        internal static void Shutdown(uint timeoutMilliseconds)
        {
            if (s_ready)
            {
                NativeMethods.sa_shutdown(timeoutMilliseconds);
            }
        }

        private static bool IsMusl()
        {
            try
            {
                return Directory.GetFiles("/lib", "ld-musl-*").Length > 0;
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        private static string FileName() =>
            RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "secureapp.dll"
            : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "secureapp.dylib"
            : "secureapp.so";

        private static string AssemblyPath() => typeof(NativeLoader).Assembly.Location;

        private static SecureAppException NotFound(List<string> tried)
        {
            bool named = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(PathVariable));
            return new SecureAppException(
                SecureAppErrorKind.Internal,
                "The native library of SecureAppModel was not found for " + Rid() + ". Tried: " + string.Join(", ", tried) + ".",
                named
                    ? "Correct or remove the environment variable " + PathVariable + "."
                    : "Install the module again, or name the file in the environment variable " + PathVariable + ".");
        }

        /// <summary>
        /// Registers <see cref="Resolve"/> for this assembly's imports; false on .NET Framework, which has no such thing.
        /// By reflection, because netstandard2.0 does not know these types.
        /// </summary>
        private static bool ResolveByPath()
        {
            Type? library = typeof(object).Assembly.GetType("System.Runtime.InteropServices.NativeLibrary");
            Type? resolver = typeof(object).Assembly.GetType("System.Runtime.InteropServices.DllImportResolver");
            MethodInfo? register = library?.GetMethod("SetDllImportResolver");
            if (resolver is null || register is null)
            {
                return false;
            }

            if (!s_resolverSet)
            {
                MethodInfo resolve = typeof(NativeLoader).GetMethod(nameof(Resolve), BindingFlags.NonPublic | BindingFlags.Static)!;
                try
                {
                    register.Invoke(null, new object[] { typeof(NativeLoader).Assembly, Delegate.CreateDelegate(resolver, resolve) });
                }
                catch (TargetInvocationException cause) when (cause.InnerException is InvalidOperationException)
                {
                    // A resolver is already there; PowerShell's own search then finds the same folder.
                }

                s_resolverSet = true;
            }

            return true;
        }

        private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? search)
        {
            if (name != NativeMethods.Library || s_path is null)
            {
                return IntPtr.Zero;
            }

            MethodInfo load = typeof(object).Assembly
                .GetType("System.Runtime.InteropServices.NativeLibrary")!
                .GetMethod("Load", new[] { typeof(string) })!;
            try
            {
                return (IntPtr)load.Invoke(null, new object[] { s_path })!;
            }
            catch (TargetInvocationException cause) when (cause.InnerException is not null)
            {
                throw new DllNotFoundException(cause.InnerException.Message, cause.InnerException);
            }
        }

        /// <summary>.NET Framework: a module loaded by its absolute path is what a later import by name binds to.</summary>
        private static void Preload(string path)
        {
            if (LoadLibraryExW(path, IntPtr.Zero, SearchDllLoadDirectory | SearchDefaultDirectories) == IntPtr.Zero)
            {
                throw new Win32Exception(Marshal.GetLastWin32Error());
            }
        }

        [DllImport("kernel32", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
        private static extern IntPtr LoadLibraryExW(string fileName, IntPtr reserved, uint flags);
    }
}
