using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Lists applications that are registered in a tenant.</summary>
    [Cmdlet(VerbsCommon.Get, "SecureApp", DefaultParameterSetName = NameSet)]
    [OutputType(typeof(SecureAppApplication))]
    public sealed class GetSecureAppCommand : ApplicationCmdlet
    {
        private const string NameSet = "Name";
        private const string IdSet = "Id";
        private const string AllSet = "All";

        private WildcardPattern? _pattern;

        /// <summary>The name, or a pattern of names.</summary>
        [Parameter(Position = 0, ParameterSetName = NameSet)]
        [Alias("Name")]
        [SupportsWildcards]
        public string? DisplayName { get; set; }

        [Parameter(ParameterSetName = IdSet, ValueFromPipelineByPropertyName = true)]
        [Alias("ClientId", "AppId")]
        public string? ApplicationId { get; set; }

        /// <summary>Every application of the tenant, not only those that New-SecureApp has made.</summary>
        [Parameter(ParameterSetName = AllSet)]
        public SwitchParameter All { get; set; }

        internal override string[] Scopes => new[] { "Application.Read.All" };

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(DisplayName), nameof(ApplicationId));
            CheckCaller();
            Guarded(() => CheckItem(ApplicationId), ApplicationId);
        }

        protected override void ProcessRecord() => Each(Serve, ApplicationId ?? DisplayName);

        internal override void OnAnswer(ValueMap record)
        {
            if (_pattern?.IsMatch(record.Text("displayName")) != false)
            {
                WriteObject(new SecureAppApplication(record));
            }
        }

        private void Serve()
        {
            CheckItem(ApplicationId);
            bool isPattern = DisplayName is not null && WildcardPattern.ContainsWildcardCharacters(DisplayName);
            _pattern = isPattern ? WildcardPattern.Get(DisplayName, WildcardOptions.IgnoreCase) : null;
            using RequestBuilder request = Request("application_list")
                .Text("displayName", isPattern ? null : DisplayName)
                .Text("applicationId", ApplicationId is null ? null : ApplicationInput.Id(ApplicationId))
                .Flag("all", All || isPattern);
            Run(request);
        }
    }
}
