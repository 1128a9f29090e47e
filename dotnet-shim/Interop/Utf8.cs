using System;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;

namespace SecureAppModel.Interop
{
    /// <summary>Text as the ABI wants it: UTF-8 bytes with a length.</summary>
    internal static class Utf8
    {
        private static readonly UTF8Encoding s_encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

        internal static byte[] Bytes(string text) => s_encoding.GetBytes(text);

        internal static string Text(byte[] bytes, int offset, int length) => s_encoding.GetString(bytes, offset, length);

        internal static char[] Chars(byte[] bytes, int offset, int length) => s_encoding.GetChars(bytes, offset, length);

        internal static UIntPtr Length(byte[] bytes) => new UIntPtr((uint)bytes.Length);

        /// <summary>Copies bytes that a native handle owns; the caller's next call on that handle may free them.</summary>
        internal static byte[] Copy(IntPtr data, UIntPtr length)
        {
            byte[] bytes = new byte[checked((int)length.ToUInt64())];
            if (bytes.Length > 0)
            {
                Marshal.Copy(data, bytes, 0, bytes.Length);
            }

            return bytes;
        }

        /// <summary>Takes a secret over from bytes, which are cleared, as is every copy made on the way.</summary>
        internal static SecureString TakeSecret(byte[] bytes)
        {
            char[] characters = new char[s_encoding.GetMaxCharCount(bytes.Length)];
            GCHandle pinned = GCHandle.Alloc(characters, GCHandleType.Pinned);
            try
            {
                int length = s_encoding.GetChars(bytes, 0, bytes.Length, characters, 0);
                SecureString secure = new SecureString();
                for (int i = 0; i < length; i++)
                {
                    secure.AppendChar(characters[i]);
                }

                secure.MakeReadOnly();
                return secure;
            }
            finally
            {
                Array.Clear(characters, 0, characters.Length);
                Array.Clear(bytes, 0, bytes.Length);
                pinned.Free();
            }
        }

        /// <summary>Hands the base64 of bytes to <paramref name="use"/> and clears every copy made on the way.</summary>
        internal static void WithBase64(byte[] bytes, Action<byte[]> use)
        {
            char[] characters = new char[(bytes.Length + 2) / 3 * 4];
            byte[] text = new byte[characters.Length];
            GCHandle pinnedCharacters = GCHandle.Alloc(characters, GCHandleType.Pinned);
            GCHandle pinnedText = GCHandle.Alloc(text, GCHandleType.Pinned);
            try
            {
                Convert.ToBase64CharArray(bytes, 0, bytes.Length, characters, 0);
                s_encoding.GetBytes(characters, 0, characters.Length, text, 0);
                use(text);
            }
            finally
            {
                Array.Clear(characters, 0, characters.Length);
                Array.Clear(text, 0, text.Length);
                pinnedCharacters.Free();
                pinnedText.Free();
            }
        }

        /// <summary>
        /// Hands the UTF-8 bytes of a secret to <paramref name="use"/> and clears every copy made on the way, also when
        /// it throws. The arrays are pinned, so the collector leaves no further copy behind.
        /// </summary>
        internal static void WithSecret(SecureString secret, Action<byte[]> use)
        {
            IntPtr unicode = IntPtr.Zero;
            char[] characters = new char[secret.Length];
            byte[] bytes = new byte[s_encoding.GetMaxByteCount(secret.Length)];
            GCHandle pinnedCharacters = GCHandle.Alloc(characters, GCHandleType.Pinned);
            GCHandle pinnedBytes = GCHandle.Alloc(bytes, GCHandleType.Pinned);
            byte[]? exact = null;
            GCHandle pinnedExact = default;
            try
            {
                unicode = Marshal.SecureStringToGlobalAllocUnicode(secret);
                Marshal.Copy(unicode, characters, 0, characters.Length);
                int length = s_encoding.GetBytes(characters, 0, characters.Length, bytes, 0);
                exact = new byte[length];
                pinnedExact = GCHandle.Alloc(exact, GCHandleType.Pinned);
                Array.Copy(bytes, exact, length);
                use(exact);
            }
            finally
            {
                if (unicode != IntPtr.Zero)
                {
                    Marshal.ZeroFreeGlobalAllocUnicode(unicode);
                }

                Array.Clear(characters, 0, characters.Length);
                Array.Clear(bytes, 0, bytes.Length);
                pinnedCharacters.Free();
                pinnedBytes.Free();
                if (exact is not null)
                {
                    Array.Clear(exact, 0, exact.Length);
                    pinnedExact.Free();
                }
            }
        }
    }
}
