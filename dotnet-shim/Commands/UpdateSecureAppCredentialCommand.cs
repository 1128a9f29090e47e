using System;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Puts a new secret or certificate in place of a credential's old one with no time in which neither works: adds it, proves it,
    /// stores it, and removes the old one.
    /// </summary>
    [Cmdlet(VerbsData.Update, "SecureAppCredential", SupportsShouldProcess = true, DefaultParameterSetName = CredentialSet)]
    [OutputType(typeof(SecureAppCredentialUpdate))]
    public sealed class UpdateSecureAppCredentialCommand : AdministratorCmdlet
    {
        private const string CredentialSet = "Credential";

        /// <summary>The id of the error that says that the application may not change itself.</summary>
        private const string NeedsAdministrator = "NeedsAdministrator";

        private SecureAppCredential? _subject;
        private SecureAppCredential? _certificate;
        private SecureAppCredential? _opener;

        /// <summary>The session's default credential is the one that is updated, so it becomes the updated one.</summary>
        private bool _isDefault;

        private SecureAppException? _refusal;
        private bool _loads;

        /// <summary>The credential that is to prove itself anew; one that is stored is stored again.</summary>
        [Parameter(Position = 0, ParameterSetName = CredentialSet, ValueFromPipeline = true)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>The name of a stored credential.</summary>
        [Parameter(Position = 0, ParameterSetName = StoredCredentialCmdlet.KeyVault, ValueFromPipeline = true)]
        [Parameter(Position = 0, ParameterSetName = StoredCredentialCmdlet.Secrets, ValueFromPipeline = true)]
        public string? Name { get; set; }

        /// <summary>An Azure key vault, by its name or its address.</summary>
        [Parameter(ParameterSetName = StoredCredentialCmdlet.KeyVault)]
        [Alias("VaultUri")]
        public string? VaultName { get; set; }

        /// <summary>A vault of Microsoft.PowerShell.SecretManagement.</summary>
        [Parameter(ParameterSetName = StoredCredentialCmdlet.Secrets, Mandatory = true)]
        [AllowEmptyString]
        public string? SecretManagementVault { get; set; }

        /// <summary>Who reads and writes the key vault.</summary>
        [Parameter(ParameterSetName = StoredCredentialCmdlet.KeyVault)]
        [Alias("AccessCredential")]
        public object? VaultCredential { get; set; }

        /// <summary>Reads and writes the key vault as the application although -VaultCredential has a refresh token.</summary>
        [Parameter(ParameterSetName = StoredCredentialCmdlet.KeyVault)]
        public SwitchParameter AppOnly { get; set; }

        /// <summary>A certificate in place of the old key: one with its key, or a credential that has one.</summary>
        [Parameter]
        [Alias("Certificate")]
        public object? CertificateCredential { get; set; }

        /// <summary>How long the new secret lives.</summary>
        [Parameter]
        [ValidateRange(1, 730)]
        public int? SecretDays { get; set; }

        /// <summary>The old key stays until the next update.</summary>
        [Parameter]
        public SwitchParameter KeepOld { get; set; }

        /// <summary>How long the old key stays after the new credential was stored.</summary>
        [Parameter]
        [DurationTransformation]
        public TimeSpan? RetireAfter { get; set; }

        /// <summary>The old key goes although the new secret is stored nowhere, or another credential at hand proves itself with it.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        /// <summary>Who changes the application, where it may not do that itself.</summary>
        [Parameter]
        public object? AdministratorCredential { get; set; }

        internal override string AdministratorParameter => nameof(AdministratorCredential);

        internal override object? Administrator => AdministratorCredential;

        internal override bool IsDefaultAdministrator => false;

        internal override string[] Scopes => new[] { "Application.ReadWrite.All" };

        private StorePlace? Place => ParameterSetName switch
        {
            StoredCredentialCmdlet.KeyVault => new StorePlace(Name, isKeyVault: true, VaultName),
            StoredCredentialCmdlet.Secrets => new StorePlace(Name, isKeyVault: false, SecretManagementVault),
            _ => null,
        };

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(CertificateCredential));
            CheckCaller();
            if (KeepOld && Force)
            {
                FailInput("The old key is to be kept and to be removed.", "Use -KeepOld or -Force.", null);
            }

            _certificate = CertificateCredential is null ? null : Guarded(() => CertificateCredentialInput.Resolve(CertificateCredential, GetUnresolvedProviderPathFromPSPath), null);
        }

        protected override void ProcessRecord() => Each(Serve, Place?.Target);

        internal override void OnAnswer(ValueMap record)
        {
            if (_loads)
            {
                _subject = TakeCredential();
            }
            else if (record.Get("document") is byte[] document)
            {
                SecureString text = Utf8.TakeSecret(document);
                HostStore.Write(record.Int("id"), () => SecretManagement.Write(this, record.Text("hostStore"), record.Text("name"), text), failure => FailItem(failure, Place?.Target));
            }
            else
            {
                SecureAppCredentialUpdate update = new SecureAppCredentialUpdate(record, TakeCredential(_certificate?.Needs ?? _subject?.Needs));
                Adopt(update);
                WriteObject(update);
            }
        }

        /// <summary>Where the application may not change itself, an administrator is asked.</summary>
        internal override void OnWorkEnded(SecureAppException failure)
        {
            if (failure.Id != NeedsAdministrator)
            {
                throw failure;
            }

            _refusal = failure;
        }

        private void Serve()
        {
            _subject = Place is StorePlace place ? Load(place) : ResolveCredential(Given());
            bool isAdministered = AccessToken is not null || UseDeviceCode || IsGiven(nameof(AdministratorCredential));
            if (!isAdministered)
            {
                Rotate(new RequestBuilder("credential_rotate").Text("environment", ResolveEnvironment(Environment)).Text("tenant", TenantId?.Trim()));
                if (_refusal is null)
                {
                    return;
                }

                WriteWarning(_refusal.Problem + " An administrator signs in.");
            }

            Rotate(Request("credential_rotate"));
        }

        /// <summary>The credential of the command line or the pipeline; a wrong one is an item's failure.</summary>
        private object? Given() =>
            IsGiven(nameof(Credential))
                ? CredentialInput.Resolve(Credential ?? throw CredentialInput.Empty(nameof(Credential)), GetUnresolvedProviderPathFromPSPath)
                : null;

        private SecureAppCredential Load(StorePlace place)
        {
            if (place.Refusal() is SecureAppException refusal)
            {
                throw refusal;
            }

            SecureAppCredential? access = place.IsKeyVault ? ResolveCredential(VaultCredential, nameof(VaultCredential)) : null;
            _opener = IsGiven(nameof(VaultCredential)) ? access : null;
            using RequestBuilder request = place.Request("credential_load", ResolveEnvironment(Environment), access, AppOnly);
            if (!place.IsKeyVault)
            {
                request.Secret("document", SecretManagement.Read(this, place.Vault, place.Name));
            }

            _subject = null;
            _loads = true;
            try
            {
                Run(request);
            }
            finally
            {
                _loads = false;
            }

            // Only a stop ends it without an error and without a credential.
            return _subject ?? throw new PipelineStoppedException();
        }

        private void Rotate(RequestBuilder request)
        {
            _refusal = null;
            SecureAppCredential? standing = State.Credential;
            _isDefault = standing is not null && IsUpdatedWith(_subject!, standing);
            using (request)
            {
                request.Credential("subject", _subject!)
                    .Int("secretDays", SecretDays)
                    .Flag("keepOld", KeepOld)
                    .Flag("force", Force)
                    .Int("retireAfterSeconds", RetireAfter is TimeSpan after ? (long)Math.Ceiling(after.TotalSeconds) : null);
                if (_certificate is not null)
                {
                    request.Credential("certificateCredential", _certificate);
                }

                if (_opener is not null)
                {
                    request.Credential("vaultCredential", _opener);
                }

                if (standing is not null && !_isDefault)
                {
                    request.Credential("defaultCredential", standing);
                }

                Restart(request);
                Follow();
            }
        }

        /// <summary>Has the session go on with the updated credential where its default was that, and the old one is over.</summary>
        private void Adopt(SecureAppCredentialUpdate update)
        {
            if (_isDefault && (update.Store is not null || update.Retired.Length > 0))
            {
                State.Credential = update.Credential;
                WriteVerbose("The session's default credential was this one, and is the updated one from now on.");
            }
        }

        /// <summary>The same object, or the same application's credential from the same place of a store.</summary>
        private static bool IsUpdatedWith(SecureAppCredential subject, SecureAppCredential other) =>
            ReferenceEquals(subject, other)
            || subject.Store is string store
            && string.Equals(store, other.Store, StringComparison.OrdinalIgnoreCase)
            && string.Equals(subject.ApplicationId, other.ApplicationId, StringComparison.OrdinalIgnoreCase);
    }
}
