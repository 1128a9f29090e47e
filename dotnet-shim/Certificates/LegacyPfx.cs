using System;
using System.IO;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Certificates
{
    /// <summary>
    /// Opens a PFX whose algorithms the native library's OpenSSL does not offer (RC2, as old Windows exports have it) with
    /// .NET's own reader. The library never loads OpenSSL's legacy provider: its libcrypto may be the whole process's.
    /// </summary>
    internal static class LegacyPfx
    {
        internal static X509Certificate2 Open(string path, SecureString? password, SecureAppException otherwise)
        {
            try
            {
                byte[] bytes = File.ReadAllBytes(path);
                try
                {
                    return new X509Certificate2(bytes, password ?? new SecureString(), KeyStorage.Flags());
                }
                finally
                {
                    Array.Clear(bytes, 0, bytes.Length);
                }
            }
            catch (Exception cause) when (cause is CryptographicException or IOException or UnauthorizedAccessException or PlatformNotSupportedException)
            {
                // The native library has said what it is; this reader could not open it either.
                throw new SecureAppException(
                    otherwise.Kind, otherwise.Problem.TrimEnd('.') + "; .NET could not open it either (" + cause.Message.TrimEnd('.') + ").", otherwise.Advice, cause);
            }
        }
    }
}
