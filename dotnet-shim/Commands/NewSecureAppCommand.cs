using System.Management.Automation;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Registers an application, or changes one that is there into what is asked for.</summary>
    [Cmdlet(VerbsCommon.New, "SecureApp", SupportsShouldProcess = true, DefaultParameterSetName = ProfileSet)]
    [OutputType(typeof(SecureAppRegistration))]
    public sealed class NewSecureAppCommand : RegistrationCmdlet
    {
        private SecureAppCredential? _certificate;
        private string? _csv;

        [Parameter(Position = 0)]
        [Alias("Name")]
        public string? DisplayName { get; set; }

        /// <summary>An application that is there, where its name alone does not tell it.</summary>
        [Parameter]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        /// <summary>A certificate in place of a secret: one with its key, or a credential that has one.</summary>
        [Parameter]
        [Alias("Certificate")]
        public object? CertificateCredential { get; set; }

        /// <summary>How long the secret lives.</summary>
        [Parameter]
        [ValidateRange(1, 730)]
        public int? SecretDays { get; set; }

        /// <summary>A CSV file with the secret in plain text.</summary>
        [Parameter]
        public string? CsvPath { get; set; }

        protected override void ProcessRecord()
        {
            CheckNotEmpty(nameof(DisplayName), nameof(ApplicationId), nameof(CertificateCredential), nameof(CsvPath));
            CheckWanted();
            if (string.IsNullOrWhiteSpace(DisplayName))
            {
                FailInput("No name was given for the application.", "Use -DisplayName.", null);
            }

            if (ApplicationId is not null)
            {
                Check(ApplicationInput.Refusal(ApplicationId), ApplicationId);
            }

            _certificate = CertificateCredential is null ? null : Guarded(() => CertificateCredentialInput.Resolve(CertificateCredential, GetUnresolvedProviderPathFromPSPath), null);
            _csv = CsvPath is null ? null : Guarded(() => OutputPath.Resolve(SessionState, CsvPath, "Give -CsvPath the path of a file."), new FilePath(CsvPath));
            using RequestBuilder request = WantedRequest()
                .Text("displayName", DisplayName)
                .Text("applicationId", ApplicationId is null ? null : ApplicationInput.Id(ApplicationId))
                .Flag("singleTenant", SingleTenant)
                .Int("secretDays", SecretDays)
                .Text("csvPath", _csv);
            if (_certificate is not null)
            {
                request.Credential("certificateCredential", _certificate);
            }

            Restart(request);
            Follow();
        }

        internal override void OnWorkEnded(SecureAppException failure) => Fail(failure, null);

        internal override void OnAnswer(ValueMap record)
        {
            SecureAppCredential? credential = record.Flag("hasCredential") ? TakeCredential(_certificate?.Needs) : null;
            if (record.OptionalText("csvPath") is string path)
            {
                KeyFile.KeepToOwner(this, path);
            }

            WriteObject(new SecureAppRegistration(record, credential));
        }
    }
}
