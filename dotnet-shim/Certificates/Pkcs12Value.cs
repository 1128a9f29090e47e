using System;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Certificates
{
    /// <summary>A certificate with its key as the native library hands it over: PKCS #12 with an empty password, in base64.</summary>
    internal static class Pkcs12Value
    {
        /// <summary>Decodes it without a string of it, hands it to <paramref name="use"/>, and clears every copy.</summary>
        internal static T Use<T>(byte[] text, Func<byte[], T> use)
        {
            char[] characters = Utf8.Chars(text, 0, text.Length);
            byte[]? pkcs12 = null;
            try
            {
                pkcs12 = Convert.FromBase64CharArray(characters, 0, characters.Length);
                return use(pkcs12);
            }
            finally
            {
                Array.Clear(characters, 0, characters.Length);
                Array.Clear(text, 0, text.Length);
                Array.Clear(pkcs12 ?? text, 0, (pkcs12 ?? text).Length);
            }
        }

        /// <summary>The certificate with its key, which stays in memory where the host can do that.</summary>
        /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be opened here.</exception>
        internal static X509Certificate2 Open(byte[] pkcs12) => new X509Certificate2(pkcs12, string.Empty, KeyStorage.Flags());
    }
}
