using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// The work of the PartnerCenter module's command of this name, for scripts that call it. The function of the module
    /// SecureAppModel.PartnerCenter has that command's parameter sets and calls this one, which no module exports. It returns
    /// tokens as text, the refresh token among them.
    /// </summary>
    [Cmdlet(VerbsCommon.New, "PartnerAccessToken")]
    [OutputType(typeof(PartnerAccessToken))]
    public sealed class NewPartnerAccessTokenCommand : SignInCmdlet
    {
        /// <summary>Where the PartnerCenter module listened: the first free one of these.</summary>
        private const int FirstPort = 8400;
        private const int LastPort = 8999;

        /// <summary>The reply URL of version 1, at which nothing listens.</summary>
        private const string PastedReplyUrl = "urn:ietf:wg:oauth:2.0:oob";

        /// <summary>The client of the first Exchange Online module for modern authentication, which is public.</summary>
        private const string ExchangeOnlineClient = "a0c73c16-a7e3-4564-9a95-2bdf47383716";

        private SecureAppCredential? _application;
        private string _environment = string.Empty;
        private bool _signsIn;
        private SecureAppException? _unregistered;

        /// <summary>A token that there is already.</summary>
        [Parameter]
        [SecretTextTransformation]
        public string? AccessToken { get; set; }

        /// <summary>The credential's user name where it is not given.</summary>
        [Parameter]
        public string? ApplicationId { get; set; }

        [Parameter]
        public string? CertificateThumbprint { get; set; }

        /// <summary>A user signs in and consents; the word of version 1.</summary>
        [Parameter]
        public SwitchParameter Consent { get; set; }

        /// <summary>The application id as user name and the client secret as password.</summary>
        [Parameter]
        public PSCredential? Credential { get; set; }

        /// <summary>One of the names that the PartnerCenter module had, or one of this module's.</summary>
        [Parameter]
        public string? Environment { get; set; }

        /// <summary>Whose client is borrowed; there is one.</summary>
        [Parameter]
        public string? Module { get; set; }

        [Parameter]
        [SecretTextTransformation]
        public string? RefreshToken { get; set; }

        /// <summary>What the token is for, as version 1 asked; Partner Center where nothing is said.</summary>
        [Parameter]
        public string? Resource { get; set; }

        /// <summary>The address that the browser ended at after an earlier call.</summary>
        [Parameter]
        [SecretTransformation]
        public SecureString? ResponseUrl { get; set; }

        /// <summary>What the token is for, as later versions ask.</summary>
        [Parameter]
        public string[]? Scopes { get; set; }

        /// <summary>Says what <see cref="Credential"/> says already.</summary>
        [Parameter]
        public SwitchParameter ServicePrincipal { get; set; }

        [Parameter]
        public string? Tenant { get; set; }

        /// <summary>A user signs in with a browser.</summary>
        [Parameter]
        public SwitchParameter UseAuthorizationCode { get; set; }

        /// <summary>A user signs in with a code.</summary>
        [Parameter]
        public SwitchParameter UseDeviceAuthentication { get; set; }

        private bool HasProof => Credential is not null || CertificateThumbprint is not null;

        protected override void ProcessRecord()
        {
            CheckInput();
            _environment = ResolveEnvironment(Guarded(() => PartnerEnvironment.Name(Environment), Environment));
            if (AccessToken is not null)
            {
                WriteObject(Guarded(() => BroughtToken.Read(AccessToken, Scopes, Tenant), null));
                return;
            }

            _application = Guarded(Application, ApplicationId);
            Warn(_application);
            if (RefreshToken is not null)
            {
                Redeem(appOnly: false);
            }
            else if (UseDeviceAuthentication || (Module is not null && !UseAuthorizationCode && ResponseUrl is null))
            {
                SignIn(deviceCode: true, redirectUri: null);
            }
            else if (UseAuthorizationCode || Consent || ResponseUrl is not null || !HasProof)
            {
                SignIn(deviceCode: false, redirectUri: null);
            }
            else
            {
                Redeem(appOnly: true);
            }
        }

        internal override void OnRecord(ValueMap record) =>
            WriteObject(_signsIn ? PartnerAccessToken.OfSignIn(record) : PartnerAccessToken.OfToken(record));

        internal override void OnFailed(ValueMap target, SecureAppException failure) => Fail(failure, Tenant);

        /// <summary>An application of version 1 may have no reply URL but the one that is pasted: it is asked for a second time with that.</summary>
        internal override void OnEnded(SecureAppException failure)
        {
            bool unregistered = _signsIn && ResponseUrl is null && failure.Code == "AADSTS50011";
            if (_unregistered is null && unregistered)
            {
                _unregistered = failure;
                return;
            }

            // Where neither is registered, the one that can be listened at is the one to add.
            Fail(unregistered ? _unregistered! : failure, Tenant);
        }

        /// <summary>What was given as an empty variable is an error, and never the same as not given.</summary>
        private void CheckInput()
        {
            if (MyInvocation.BoundParameters.FirstOrDefault(parameter => IsEmpty(parameter.Value)).Key is string empty)
            {
                FailInput("-" + empty + " is empty.", "Check that the variable it comes from has a value in this session.", null);
            }

            if (Credential is { Password.Length: 0 })
            {
                FailInput("The PSCredential has no password.", "Make it with the application id as user name and the client secret as password.", null);
            }

            if (Tenant is not null && !IsShared(Tenant))
            {
                Check(TenantInput.Refusal(Tenant), Tenant);
            }
        }

        private static bool IsEmpty(object? value) => value switch
        {
            null => true,
            string text => string.IsNullOrWhiteSpace(text),
            SecureString secret => secret.Length == 0,
            string[] texts => !TokenInput.HasText(texts),
            _ => false,
        };

        /// <summary>The names that stand for the user's own tenant.</summary>
        private static bool IsShared(string? tenant) => tenant?.Trim().ToUpperInvariant() is "COMMON" or "ORGANIZATIONS";

        private SecureAppCredential Application()
        {
            string? id = Given(ApplicationId) ?? Given(Credential?.UserName) ?? (Module is null ? null : ExchangeOnlineClient);
            if (id is null)
            {
                throw ErrorRecords.Refusal(
                    "Neither -ApplicationId nor -Credential names an application.",
                    "Give a PSCredential with the application id as user name and the client secret as password.");
            }

            SecureString? refreshToken = RefreshToken is null ? null : CredentialInput.Secure(RefreshToken.Trim());
            CertificateParts? certificate = CertificateThumbprint is null ? null : new CertificateParts { Thumbprint = CertificateThumbprint.Trim() };
            if (certificate is not null && Credential is not null)
            {
                throw ErrorRecords.Refusal("-Credential and -CertificateThumbprint both prove the application.", "Use one of them.");
            }

            return HasProof || refreshToken is not null
                ? CredentialInput.Open(id, Credential?.Password, refreshToken, null, null, null, certificate)
                : CredentialInput.OpenPublic(id);
        }

        /// <summary>One token, for the user of the refresh token or for the application itself.</summary>
        private void Redeem(bool appOnly)
        {
            if (appOnly && (Tenant is null || IsShared(Tenant)))
            {
                FailInput(
                    "An application acts in a tenant of its own choice, and -Tenant names none.",
                    "Give the tenant's GUID or one of its domains. To sign a user in instead, use -Consent or -UseAuthorizationCode.",
                    null);
            }

            using RequestBuilder request = new RequestBuilder("tokens")
                .Credential("credential", _application!)
                .Text("environment", _environment)
                .Flag("appOnly", appOnly)
                .Flag("includeRefreshToken", !appOnly);
            Start(request);
            using RequestBuilder item = new RequestBuilder("token").Int("item", 1);
            if (WantedScopes() is IEnumerable<string> scopes)
            {
                item.Text("tenant", Given(Tenant) ?? "organizations").Texts("scopes", scopes);
            }
            else
            {
                // The older endpoint documents this name alone.
                item.Text("tenant", Given(Tenant) ?? "common").Text("resource", Given(Resource) ?? ResourceOf("partnerCenter"));
            }

            Submit(item);
            Complete();
        }

        private IEnumerable<string>? WantedScopes() =>
            Scopes?.Select(scope => scope.Trim()) ?? (Module is not null ? new[] { ResourceOf("outlook") + "/.default" } : null);

        private string ResourceOf(string service)
        {
            SecureAppEnvironment environment = Guarded(() => EnvironmentStore.Get(_environment), _environment);
            string? resource = environment.Resources.Properties[service]?.Value as string;
            if (string.IsNullOrEmpty(resource))
            {
                FailInput("The environment " + _environment + " has no service '" + service + "'.", "Name another -Environment.", null);
            }

            return resource!;
        }

        private void SignIn(bool deviceCode, string? redirectUri)
        {
            _signsIn = true;
            using RequestBuilder request = new RequestBuilder("sign_in")
                .Credential("credential", _application!)
                .Text("environment", _environment)
                .Text("tenant", Given(Tenant))
                .Text("resource", Given(Resource))
                .Texts("scopes", WantedScopes())
                .Text("redirectUri", redirectUri)
                .Flag("deviceCode", deviceCode)
                .Secret("responseUrl", ResponseUrl)
                .Flag("includeTokens", true);
            if (!deviceCode && redirectUri is null && ResponseUrl is null)
            {
                request.Int("port", FirstPort).Int("lastPort", LastPort);
            }

            Restart(request);
            Follow();
            if (_unregistered is not null && redirectUri is null)
            {
                WriteWarning(
                    "The application has no reply URL http://localhost (AADSTS50011), so " + PastedReplyUrl + " is tried, whose answer has to be "
                    + "pasted. Add http://localhost under Authentication, platform Web, to sign in without that.");
                SignIn(deviceCode: false, PastedReplyUrl);
            }
        }
    }
}
