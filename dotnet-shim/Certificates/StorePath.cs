using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.Certificates
{
    /// <summary>Paths on PowerShell's Cert: drive.</summary>
    internal static class StorePath
    {
        /// <summary>The thumbprint at the end of such a path; null for any other path.</summary>
        internal static string? Thumbprint(string? path)
        {
            if (path is null || !path.StartsWith("Cert:", StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }

            return path.Substring(path.LastIndexOfAny(new[] { '\\', '/', ':' }) + 1);
        }

        /// <summary>Whose store of personal certificates a path names, with or without the drive in front.</summary>
        /// <exception cref="SecureAppException">It names another store, or one that this system has not.</exception>
        internal static StoreLocation Location(string path)
        {
            // What Get-Item gives as PSPath has its provider in front.
            string onDrive = path.Substring(path.LastIndexOf("::", StringComparison.Ordinal) is int at && at >= 0 ? at + 2 : 0);
            string[] parts = onDrive.Split(new[] { '\\', '/', ':' }, StringSplitOptions.RemoveEmptyEntries)
                .Select(part => part.Trim())
                .Where(part => !string.Equals(part, "Cert", StringComparison.OrdinalIgnoreCase))
                .ToArray();
            if (parts.Length != 2 || !string.Equals(parts[1], "My", StringComparison.OrdinalIgnoreCase)
                || !Enum.TryParse(parts[0], ignoreCase: true, out StoreLocation location) || !Enum.IsDefined(typeof(StoreLocation), location))
            {
                throw CertificateParts.Refuse(
                    "What was given as a certificate store is not one that holds certificates with their keys.",
                    @"Use Cert:\CurrentUser\My or, on Windows, Cert:\LocalMachine\My.");
            }

            return location == StoreLocation.LocalMachine && !RuntimeInformation.IsOSPlatform(OSPlatform.Windows)
                ? throw CertificateParts.Refuse(
                    "Only Windows has a store of the machine's own certificates.", @"Use Cert:\CurrentUser\My, which is .NET's store of this user here, or -PfxPath.")
                : location;
        }

        /// <summary>The store's path.</summary>
        internal static string Of(StoreLocation location) => @"Cert:\" + location + @"\My";
    }
}
