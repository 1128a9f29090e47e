using System;
using System.Collections.Concurrent;
using System.Security;
using System.Security.Cryptography;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>
    /// Remembers for which partner a refresh token has listed customers: a table of an application is another credential in every
    /// command that it is given to, and its refresh token is the same. The token itself is not kept, only its keyed hash, and the key
    /// is this process's.
    /// </summary>
    internal static class ListedPartners
    {
        private static readonly byte[] s_key = NewKey();
        private static readonly ConcurrentDictionary<string, string> s_partners = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);

        /// <summary>What stands for an application's refresh token.</summary>
        internal static string Mark(string applicationId, SecureString refreshToken)
        {
            string mark = string.Empty;
            Utf8.WithSecret(refreshToken, bytes =>
            {
                using HMACSHA256 hash = new HMACSHA256(s_key);
                mark = applicationId + " " + Convert.ToBase64String(hash.ComputeHash(bytes));
            });
            return mark;
        }

        internal static string? Of(string? mark) => mark is not null && s_partners.TryGetValue(mark, out string partner) ? partner : null;

        internal static void Remember(string mark, string partner) => s_partners[mark] = partner;

        private static byte[] NewKey()
        {
            byte[] key = new byte[32];
            using RandomNumberGenerator random = RandomNumberGenerator.Create();
            random.GetBytes(key);
            return key;
        }
    }
}
