// Puts a new certificate with its key into a store. On Windows the key goes to the one provider that Exchange's module and
// Windows PowerShell can use as well: a CSP, with a key for exchange. Keys of the newer CNG providers they cannot.
using System;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.Certificates
{
    internal static class CertificateInstaller
    {
        private const string Provider = "Microsoft Enhanced RSA and AES Cryptographic Provider";

        /// <summary>PROV_RSA_AES of Windows' wincrypt.h.</summary>
        private const int ProviderType = 24;

        /// <summary>Makes sure that something can be put into the store.</summary>
        /// <exception cref="SecureAppException">It cannot.</exception>
        internal static void Check(StoreLocation location) => Guarded(location, () => InStore(location, _ => { }));

        /// <summary>Installs the certificate of a PKCS #12 with an empty password, and returns it with the installed key.</summary>
        /// <exception cref="SecureAppException">It could not be.</exception>
        internal static X509Certificate2 Install(byte[] pkcs12, StoreLocation location)
        {
            X509Certificate2? installed = null;
            Guarded(location, () =>
            {
                if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
                {
                    installed = InContainer(pkcs12, location);
                    return;
                }

                installed = new X509Certificate2(pkcs12, string.Empty, X509KeyStorageFlags.Exportable | X509KeyStorageFlags.PersistKeySet);
                InStore(location, store => store.Add(installed));
            });
            return installed!;
        }

        /// <summary>Installs it with its key in a container of its own.</summary>
        private static X509Certificate2 InContainer(byte[] pkcs12, StoreLocation location)
        {
            CspParameters parameters = new CspParameters(ProviderType, Provider, "SecureAppModel-" + Guid.NewGuid().ToString("D"))
            {
                KeyNumber = (int)KeyNumber.Exchange,
                Flags = location == StoreLocation.LocalMachine ? CspProviderFlags.UseMachineKeyStore : CspProviderFlags.NoFlags,
            };
            using X509Certificate2 opened = Pkcs12Value.Open(pkcs12);
            using X509Certificate2 alone = new X509Certificate2(opened.RawData);
            using RSA source = opened.GetRSAPrivateKey() ?? throw new CryptographicException("The new certificate has no RSA key.");
            using RSACryptoServiceProvider target = new RSACryptoServiceProvider(parameters) { PersistKeyInCsp = true };
            RSAParameters key = source.ExportParameters(includePrivateParameters: true);
            try
            {
                target.ImportParameters(key);
                X509Certificate2 joined = Join(alone, target);
                InStore(location, store => store.Add(joined));
                return joined;
            }
            catch
            {
                // The container goes with the object then.
                target.PersistKeyInCsp = false;
                throw;
            }
            finally
            {
                foreach (byte[] secret in new[] { key.D, key.P, key.Q, key.DP, key.DQ, key.InverseQ })
                {
                    Array.Clear(secret, 0, secret.Length);
                }
            }
        }

        private static void InStore(StoreLocation location, Action<X509Store> use)
        {
            using X509Store store = new X509Store(StoreName.My, location);
            store.Open(OpenFlags.ReadWrite);
            use(store);
        }

        /// <summary>RSACertificateExtensions.CopyWithPrivateKey, which .NET Framework 4.7.2 and .NET have and .NET Standard 2.0 does not name.</summary>
        private static X509Certificate2 Join(X509Certificate2 certificate, RSA key)
        {
            MethodInfo join = typeof(RSACertificateExtensions).GetMethod("CopyWithPrivateKey", new[] { typeof(X509Certificate2), typeof(RSA) })
                ?? throw new PlatformNotSupportedException("This .NET cannot join a certificate and its key; .NET Framework 4.7.2 or later can.");
            try
            {
                return (X509Certificate2)join.Invoke(null, new object[] { certificate, key })!;
            }
            catch (TargetInvocationException cause) when (cause.InnerException is CryptographicException inner)
            {
                throw new CryptographicException(inner.Message, inner);
            }
        }

        private static void Guarded(StoreLocation location, Action work)
        {
            try
            {
                work();
            }
            catch (Exception cause) when (cause is CryptographicException or PlatformNotSupportedException or UnauthorizedAccessException or System.IO.IOException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Storage,
                    "The certificate cannot be installed in " + StorePath.Of(location) + ": " + cause.GetBaseException().Message.TrimEnd('.') + ".",
                    location == StoreLocation.LocalMachine
                        ? "Run PowerShell as administrator, or use Cert:\\CurrentUser\\My of the account that will sign in."
                        : "Check that this account has a profile that it can write to, or use -PfxPath.",
                    cause);
            }
        }
    }
}
