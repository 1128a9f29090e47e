using System;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;

namespace SecureAppModel.Commands
{
    /// <summary>Opens an address in the user's browser.</summary>
    internal static class Browser
    {
        /// <summary>A program that is started with the address as its only argument, instead of the system's browser.</summary>
        private const string Variable = "BROWSER";

        /// <summary>False where no browser could be started. Whether it shows the page cannot be known.</summary>
        internal static bool Open(string address)
        {
            // What the service sends is not a command line: only a web address is ever handed to the system.
            if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme != Uri.UriSchemeHttps)
            {
                return false;
            }

            string? named = Environment.GetEnvironmentVariable(Variable);
            bool windows = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
            string program = !string.IsNullOrWhiteSpace(named) ? named!.Trim()
                : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? "open"
                : windows ? string.Empty
                : "xdg-open";
            try
            {
                return program.Length == 0 ? Started(new ProcessStartInfo(uri.AbsoluteUri) { UseShellExecute = true })
                    : windows ? Started(new ProcessStartInfo(program, Quoted(uri.AbsoluteUri)) { UseShellExecute = false })
                    : Detached(program, uri.AbsoluteUri);
            }
            catch (Exception failure) when (failure is Win32Exception || failure is FileNotFoundException || failure is InvalidOperationException)
            {
                return false;
            }
        }

        private static bool Started(ProcessStartInfo how)
        {
            using Process? process = Process.Start(how);
            return true;
        }

        /// <summary>
        /// Through a shell that ends at once: what a browser has to say does not belong on the user's screen, and it lives
        /// longer than this process.
        /// </summary>
        private static bool Detached(string program, string address)
        {
            const string script = "command -v \"$0\" >/dev/null 2>&1 || exit 127; \"$0\" \"$1\" </dev/null >/dev/null 2>&1 &";
            using Process process = Process.Start(new ProcessStartInfo("/bin/sh", "-c " + Quoted(script) + " " + Quoted(program) + " " + Quoted(address))
            {
                UseShellExecute = false,
            });
            process.WaitForExit();
            return process.ExitCode == 0;
        }

        private static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
    }
}
