using System;
using System.Linq;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SecureAppModel.Certificates
{
    /// <summary>The certificate's keys of a credential that is a hashtable or an object.</summary>
    internal static class CertificateFields
    {
        internal static readonly string[] ThumbprintKeys = { "certificateThumbprint", "thumbprint" };
        internal static readonly string[] CertificateKeys = { "certificate" };
        internal static readonly string[] PathKeys = { "certificatePath", "certificateFilePath" };
        internal static readonly string[] KeyPathKeys = { "certificateKeyPath" };
        internal static readonly string[] PasswordKeys = { "certificatePassword" };
        internal static readonly string[] PrivateKeyKeys = { "privateKey" };
        internal static readonly string[] AlgorithmKeys = { "assertionAlgorithm" };

        /// <summary>All of them.</summary>
        internal static readonly string[] Keys = ThumbprintKeys.Concat(CertificateKeys).Concat(PathKeys).Concat(KeyPathKeys)
            .Concat(PasswordKeys).Concat(PrivateKeyKeys).Concat(AlgorithmKeys).ToArray();

        /// <param name="find">Gives the value of the first of some keys that has one.</param>
        /// <param name="secret">Reads a value as a secret, by the name of its key.</param>
        /// <param name="path">Makes a path full, as the session sees it.</param>
        internal static CertificateParts Read(Func<string[], object?> find, Func<object?, string, SecureString?> secret, Func<string, string> path) =>
            new CertificateParts
            {
                Thumbprint = Text(find(ThumbprintKeys)),
                Certificate = find(CertificateKeys) is SecureAppCertificate made ? made.Certificate : As<X509Certificate2>(find(CertificateKeys), "certificate"),
                Path = FullPath(find(PathKeys), path),
                KeyPath = FullPath(find(KeyPathKeys), path),
                Password = secret(find(PasswordKeys), "certificatePassword"),
                PrivateKey = As<RSA>(find(PrivateKeyKeys), "privateKey"),
                Algorithm = Text(find(AlgorithmKeys)),
            };

        internal static string? FullPath(object? value, Func<string, string> path)
        {
            string? text = Text(value);
            return text is null || StorePath.Thumbprint(text) is not null ? text : path(text);
        }

        private static string? Text(object? value) => value is null ? null : Convert.ToString(value)?.Trim();

        private static T? As<T>(object? value, string name)
            where T : class =>
            value is null ? null : value as T ?? throw CertificateParts.Refuse(
                "The credential's '" + name + "' is a " + value.GetType().Name + ".", "Give an object of type " + typeof(T).Name + ".");
    }
}
