using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Makes a self-signed certificate for an application, writes it to files and installs it.</summary>
    [Cmdlet(VerbsCommon.New, "SecureAppCertificate", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppCertificate))]
    public sealed class NewSecureAppCertificateCommand : OperationCmdlet
    {
        private StoreLocation? _store;

        /// <summary>A common name, or a whole name such as 'CN=Contoso SAM, O=Contoso'; the first DNS name where none is given.</summary>
        [Parameter(Position = 0)]
        public string? Subject { get; set; }

        [Parameter]
        public string[]? DnsName { get; set; }

        /// <summary>Bits of the RSA key.</summary>
        [Parameter]
        [Alias("KeySize")]
        public int KeyLength { get; set; } = 2048;

        /// <summary>How long it is valid.</summary>
        [Parameter]
        public int Days { get; set; } = 365;

        /// <summary>Cert:\CurrentUser\My or Cert:\LocalMachine\My.</summary>
        [Parameter]
        public string? CertStoreLocation { get; set; }

        /// <summary>The certificate alone, as DER.</summary>
        [Parameter]
        public string? CerPath { get; set; }

        /// <summary>The certificate and its key, as PKCS #12.</summary>
        [Parameter]
        public string? PfxPath { get; set; }

        /// <summary>The key, as PKCS #8, and the certificate.</summary>
        [Parameter]
        public string? PemPath { get; set; }

        /// <summary>What the files with the key are encrypted with.</summary>
        [Parameter]
        [SecretTransformation(Trim = false)]
        public SecureString? Password { get; set; }

        /// <summary>How the PFX file is encrypted.</summary>
        [Parameter]
        [ValidateSet("AES256_SHA256", "TripleDES_SHA1")]
        public string? CryptoAlgorithmOption { get; set; }

        /// <summary>Replaces files that are there.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        protected override void ProcessRecord()
        {
            // A password or a place that was given, even as an empty variable, never silently becomes none.
            if (IsGiven(nameof(Password)) && Password is not { Length: > 0 })
            {
                FailInput("The password is empty.", "Check the variable that it comes from, or leave -Password out for files that are not encrypted.", null);
            }

            if (IsGiven(nameof(CertStoreLocation)))
            {
                _store = Guarded(() => StorePath.Location(CertStoreLocation ?? string.Empty), null);
                Guarded(() => CertificateInstaller.Check(_store.Value), null);
            }

            using RequestBuilder request = new RequestBuilder("certificate_create")
                .Text("subject", Subject)
                .Texts("dnsNames", DnsName)
                .Int("keyLength", KeyLength)
                .Int("days", Days)
                .Text("cerPath", FullPath(nameof(CerPath), CerPath))
                .Text("pfxPath", FullPath(nameof(PfxPath), PfxPath))
                .Text("pemPath", FullPath(nameof(PemPath), PemPath))
                .Secret("password", Password)
                .Text("pfxEncryption", CryptoAlgorithmOption)
                .Flag("force", Force);
            string places = string.Join(", ", Places());
            if (ShouldProcess(Subject ?? DnsName?.FirstOrDefault() ?? string.Empty, "Make a certificate" + (places.Length == 0 ? string.Empty : " in " + places)))
            {
                Run(request);
            }
        }

        internal override void OnRecord(ValueMap record)
        {
            foreach (string? path in new[] { record.OptionalText("pfxPath"), record.OptionalText("pemPath") })
            {
                if (path is not null)
                {
                    KeyFile.KeepToOwner(this, path);
                }
            }

            X509Certificate2 certificate = Pkcs12Value.Use((byte[])record.Get("pkcs12")!, Install);
            if (_store is null && PfxPath is null && PemPath is null)
            {
                WriteWarning("The private key is in this object alone and is lost with it: keep it with -PfxPath, -PemPath or -CertStoreLocation.");
            }

            WriteObject(new SecureAppCertificate(record, certificate, _store is StoreLocation store ? StorePath.Of(store) : null));
        }

        private X509Certificate2 Install(byte[] pkcs12)
        {
            if (_store is StoreLocation store)
            {
                try
                {
                    return CertificateInstaller.Install(pkcs12, store);
                }
                catch (SecureAppException failure)
                {
                    // The certificate and its files are there; what follows is the certificate as if no store had been named.
                    _store = null;
                    FailItem(failure, null);
                }
            }

            try
            {
                return Pkcs12Value.Open(pkcs12);
            }
            catch (CryptographicException cause)
            {
                Fail(
                    new SecureAppException(
                        SecureAppErrorKind.Internal,
                        "The certificate was made and its files are written, but .NET does not open it: " + cause.Message,
                        "Use the files, or make it on another machine.",
                        cause),
                    null);
                throw;
            }
        }

        private IEnumerable<string> Places() =>
            new[] { CertStoreLocation, CerPath, PfxPath, PemPath }.Where(place => place is not null).Select(place => place!);

        private string? FullPath(string parameter, string? path)
        {
            if (IsGiven(parameter) && string.IsNullOrWhiteSpace(path))
            {
                FailInput("-" + parameter + " is empty.", "Give the path of the file, or leave it out.", null);
            }

            return path is null ? null : Guarded(() => OutputPath.Resolve(SessionState, path, "Give the path of a file on a file system."), new FilePath(path));
        }
    }
}
