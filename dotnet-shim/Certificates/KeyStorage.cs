using System;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.Certificates
{
    /// <summary>Where .NET puts the key of a PFX that it opens.</summary>
    internal static class KeyStorage
    {
        /// <summary>X509KeyStorageFlags.EphemeralKeySet, which .NET Standard 2.0 does not name.</summary>
        private const X509KeyStorageFlags Ephemeral = (X509KeyStorageFlags)32;

        /// <summary>
        /// The key stays in memory where the host can do that: .NET on Windows and Linux. macOS cannot, and .NET Framework's own
        /// callers (TLS, Exchange) cannot use such a key; there it lives in a temporary key container of this user.
        /// </summary>
        internal static X509KeyStorageFlags Flags()
        {
            bool framework = RuntimeInformation.FrameworkDescription.StartsWith(".NET Framework", StringComparison.Ordinal);
            bool ephemeral = !framework && !RuntimeInformation.IsOSPlatform(OSPlatform.OSX);
            return X509KeyStorageFlags.Exportable | (ephemeral ? Ephemeral : X509KeyStorageFlags.DefaultKeySet);
        }
    }
}
