using System.Linq;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Signs a user in and makes a credential that holds the refresh token.</summary>
    [Cmdlet(VerbsCommon.New, "SecureAppRefreshToken")]
    [OutputType(typeof(SecureAppCredential))]
    public sealed class NewSecureAppRefreshTokenCommand : SignInCmdlet
    {
        private SecureAppCredential? _application;

        /// <summary>The application; what else it holds is kept, a refresh token is replaced.</summary>
        [Parameter(Position = 0)]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <summary>Where to sign in; the credential's own tenant, or else that of whoever signs in.</summary>
        [Parameter(Position = 1)]
        [Alias("Tenant")]
        public string? TenantId { get; set; }

        /// <summary>What the user consents to; Partner Center where nothing is said.</summary>
        [Parameter]
        [ArgumentCompleter(typeof(ResourceCompleter))]
        public string? Resource { get; set; }

        [Parameter]
        [Alias("Scopes")]
        public string[]? Scope { get; set; }

        [Parameter]
        [Alias("ReplyUrl")]
        public string? RedirectUri { get; set; }

        /// <summary>Where to listen; any free port where none is given.</summary>
        [Parameter]
        [ValidateRange(0, 65535)]
        public int? Port { get; set; }

        [Parameter]
        public SwitchParameter UseDeviceCode { get; set; }

        /// <summary>A user name or an object id; whoever else signs in is refused.</summary>
        [Parameter]
        [Alias("Account")]
        public string? ExpectedAccount { get; set; }

        /// <summary>What an error asked the next sign-in to satisfy: the Claims of its exception.</summary>
        [Parameter]
        public string? Claims { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        /// <summary>Prints the address and opens nothing.</summary>
        [Parameter]
        public SwitchParameter NoBrowser { get; set; }

        /// <summary>The address that the browser of an earlier call ended at.</summary>
        [Parameter]
        [SecretTransformation]
        public SecureString? ResponseUrl { get; set; }

        protected override void ProcessRecord()
        {
            // A tenant that was given, even as an empty variable, never silently becomes another.
            if (MyInvocation.BoundParameters.ContainsKey(nameof(TenantId)) && TenantInput.Refusal(TenantId) is SecureAppException refusal)
            {
                Fail(refusal, TenantId);
            }

            if (TokenInput.HasText(Scope) && !string.IsNullOrWhiteSpace(Resource))
            {
                FailInput("-Resource and -Scope exclude each other.", "Use one of them, or neither for Partner Center.", null);
            }

            // The same for an account: an empty one would let anybody sign in.
            if (MyInvocation.BoundParameters.ContainsKey(nameof(ExpectedAccount)) && string.IsNullOrWhiteSpace(ExpectedAccount))
            {
                FailInput("-ExpectedAccount is empty.", "Give a user name such as admin@contoso.com, or leave it out.", null);
            }

            Check(AccountInput.Refusal(ExpectedAccount), ExpectedAccount);
            _application = ResolveCredential(Credential);
            using RequestBuilder request = new RequestBuilder("sign_in")
                .Credential("credential", _application)
                .Text("environment", ResolveEnvironment(Environment))
                .Text("tenant", TenantId?.Trim())
                .Text("resource", Given(Resource))
                .Texts("scopes", Scope?.Where(scope => !string.IsNullOrWhiteSpace(scope)).Select(scope => scope.Trim()))
                .Text("redirectUri", Given(RedirectUri))
                .Int("port", Port)
                .Flag("deviceCode", UseDeviceCode)
                .Text("expectedAccount", Given(ExpectedAccount))
                .Text("claims", Given(Claims))
                .Secret("responseUrl", ResponseUrl);
            Start(request);
            Follow();
        }

        internal override bool OpensBrowser => !NoBrowser;

        internal override void OnRecord(ValueMap record) => WriteObject(TakeCredential(_application?.Needs));
    }
}
