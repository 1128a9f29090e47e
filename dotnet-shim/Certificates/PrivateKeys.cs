using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Certificates
{
    /// <summary>The private key of a certificate object: found, and copied into native memory where its provider lets it go.</summary>
    internal static class PrivateKeys
    {
        /// <exception cref="SecureAppException">There is none, it is not RSA, or this account may not use it.</exception>
        internal static RSA Of(X509Certificate2 certificate)
        {
            if (!certificate.HasPrivateKey)
            {
                throw CertificateParts.Refuse(
                    "The certificate " + certificate.Subject + " comes without its private key.",
                    "Export it with the private key, or use -CertificateThumbprint where it is installed.");
            }

            try
            {
                return certificate.GetRSAPrivateKey() ?? throw CertificateParts.Refuse(
                    "The key of the certificate " + certificate.Subject + " is not an RSA key, but only RSA keys can sign in.",
                    "Make an RSA certificate of 2048 bits or more and upload it to the app registration.");
            }
            catch (CryptographicException cause)
            {
                throw CertificateParts.Refuse(
                    "The private key of the certificate " + certificate.Subject + " cannot be used: " + cause.Message,
                    "Let this account read the key (certlm.msc, All Tasks, Manage Private Keys), or run as an account that may.",
                    cause);
            }
        }

        /// <summary>Puts the key into a request; false where its provider does not let it go.</summary>
        internal static bool TryCopy(RSA key, RequestBuilder request)
        {
            RSAParameters parameters;
            try
            {
                parameters = key.ExportParameters(includePrivateParameters: true);
            }
            catch (Exception cause) when (cause is CryptographicException or NotSupportedException or NotImplementedException or InvalidOperationException)
            {
                return false;
            }

            byte[][] secrets = { parameters.D, parameters.P, parameters.Q, parameters.DP, parameters.DQ, parameters.InverseQ };
            byte[]? der = null;
            try
            {
                if (Array.Exists(secrets, secret => secret is null))
                {
                    return false;
                }

                der = Der(parameters);
                request.Base64("privateKey", der);
                return true;
            }
            finally
            {
                foreach (byte[]? secret in secrets)
                {
                    Clear(secret);
                }

                Clear(der);
            }
        }

        /// <summary>PKCS #1 RSAPrivateKey (RFC 8017, appendix A.1.2), which .NET Standard 2.0 cannot write.</summary>
        private static byte[] Der(RSAParameters key)
        {
            byte[][] numbers = { new byte[] { 0 }, key.Modulus, key.Exponent, key.D, key.P, key.Q, key.DP, key.DQ, key.InverseQ };
            int content = 0;
            foreach (byte[] number in numbers)
            {
                int length = Skip(number, out bool padded);
                length = number.Length - length + (padded ? 1 : 0);
                content += 1 + LengthSize(length) + length;
            }

            byte[] der = new byte[1 + LengthSize(content) + content];
            int at = 0;
            Header(der, ref at, 0x30, content);
            foreach (byte[] number in numbers)
            {
                int skipped = Skip(number, out bool padded);
                Header(der, ref at, 0x02, number.Length - skipped + (padded ? 1 : 0));
                at += padded ? 1 : 0;
                Array.Copy(number, skipped, der, at, number.Length - skipped);
                at += number.Length - skipped;
            }

            return der;
        }

        /// <summary>Leading zeros to leave out; padded where the first bit left would read as a minus.</summary>
        private static int Skip(byte[] number, out bool padded)
        {
            int skipped = 0;
            while (skipped < number.Length - 1 && number[skipped] == 0)
            {
                skipped++;
            }

            padded = (number[skipped] & 0x80) != 0;
            return skipped;
        }

        private static int LengthSize(int length) => length < 0x80 ? 1 : length < 0x100 ? 2 : 3;

        private static void Header(byte[] der, ref int at, byte tag, int length)
        {
            der[at++] = tag;
            switch (LengthSize(length))
            {
                case 1:
                    der[at++] = (byte)length;
                    break;
                case 2:
                    der[at++] = 0x81;
                    der[at++] = (byte)length;
                    break;
                default:
                    der[at++] = 0x82;
                    der[at++] = (byte)(length >> 8);
                    der[at++] = (byte)length;
                    break;
            }
        }

        private static void Clear(byte[]? bytes)
        {
            if (bytes is not null)
            {
                Array.Clear(bytes, 0, bytes.Length);
            }
        }
    }
}
