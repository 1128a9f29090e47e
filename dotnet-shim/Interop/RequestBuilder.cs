using System;
using System.Collections.Generic;
using System.Security;

namespace SecureAppModel.Interop
{
    /// <summary>Builds one native request, field by field. Dispose of it when it has been started, submitted or called.</summary>
    internal sealed class RequestBuilder : IDisposable
    {
        internal RequestBuilder(string kind)
        {
            NativeLoader.Ensure();
            byte[] bytes = Utf8.Bytes(kind);
            NativeError.Check(NativeMethods.sa_request_new(bytes, Utf8.Length(bytes), out IntPtr request, out IntPtr error), error);
            Handle = new RequestHandle(request);
        }

        internal RequestHandle Handle { get; }

        /// <summary>Sets a text; null leaves the field absent.</summary>
        internal RequestBuilder Text(string key, string? value)
        {
            if (value is not null)
            {
                byte[] name = Utf8.Bytes(key);
                byte[] bytes = Utf8.Bytes(value);
                NativeError.Check(NativeMethods.sa_request_set_text(Handle, name, Utf8.Length(name), bytes, Utf8.Length(bytes), out IntPtr error), error);
            }

            return this;
        }

        /// <summary>Adds to a list of texts; null or nothing leaves the field absent.</summary>
        internal RequestBuilder Texts(string key, IEnumerable<string>? values)
        {
            byte[] name = Utf8.Bytes(key);
            foreach (string value in values ?? Array.Empty<string>())
            {
                byte[] bytes = Utf8.Bytes(value);
                NativeError.Check(NativeMethods.sa_request_add_text(Handle, name, Utf8.Length(name), bytes, Utf8.Length(bytes), out IntPtr error), error);
            }

            return this;
        }

        internal RequestBuilder Int(string key, long? value)
        {
            if (value is long number)
            {
                byte[] name = Utf8.Bytes(key);
                NativeError.Check(NativeMethods.sa_request_set_int(Handle, name, Utf8.Length(name), number, out IntPtr error), error);
            }

            return this;
        }

        /// <summary>Sets a switch; off leaves the field absent.</summary>
        internal RequestBuilder Flag(string key, bool value) => value ? Int(key, 1) : this;

        /// <summary>Sets a point in time as milliseconds since 1970 UTC; null leaves the field absent.</summary>
        internal RequestBuilder Time(string key, DateTimeOffset? value) => Int(key, value?.ToUnixTimeMilliseconds());

        /// <summary>Copies a secret into native memory, which is cleared when the last user drops it.</summary>
        internal RequestBuilder Secret(string key, SecureString? value)
        {
            if (value is not null)
            {
                byte[] name = Utf8.Bytes(key);
                Utf8.WithSecret(value, bytes => NativeError.Check(
                    NativeMethods.sa_request_set_secret(Handle, name, Utf8.Length(name), bytes, Utf8.Length(bytes), out IntPtr error), error));
            }

            return this;
        }

        /// <summary>Copies bytes into native memory as a secret in base64. The bytes stay the caller's to clear.</summary>
        internal RequestBuilder Base64(string key, byte[] bytes)
        {
            byte[] name = Utf8.Bytes(key);
            Utf8.WithBase64(bytes, text => NativeError.Check(
                NativeMethods.sa_request_set_secret(Handle, name, Utf8.Length(name), text, Utf8.Length(text), out IntPtr error), error));
            return this;
        }

        internal RequestBuilder Signer(string key, SignerHandle signer)
        {
            byte[] name = Utf8.Bytes(key);
            NativeError.Check(NativeMethods.sa_request_set_signer(Handle, name, Utf8.Length(name), signer, out IntPtr error), error);
            return this;
        }

        internal RequestBuilder Credential(string key, SecureAppCredential credential)
        {
            byte[] name = Utf8.Bytes(key);
            NativeError.Check(NativeMethods.sa_request_set_credential(Handle, name, Utf8.Length(name), credential.Handle, out IntPtr error), error);
            return this;
        }

        public void Dispose() => Handle.Dispose();
    }
}
