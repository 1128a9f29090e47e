using System;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Base of the commands that change or read applications' registrations: lets an administrator in. One who has no credential yet
    /// signs in first, to a client of Microsoft's own.
    /// </summary>
    public abstract class AdministratorCmdlet : SignInCmdlet
    {
        /// <summary>"Microsoft Graph Command Line Tools", the public client of Connect-MgGraph.</summary>
        private const string GraphTools = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

        private SecureAppCredential? _administrator;
        private bool _isDefault;
        private bool _signsIn;

        /// <summary>A token for Microsoft Graph that the administrator has already.</summary>
        [Parameter]
        [SecretTransformation]
        public SecureString? AccessToken { get; set; }

        /// <summary>The administrator signs in with a code on another machine.</summary>
        [Parameter]
        public SwitchParameter UseDeviceCode { get; set; }

        /// <summary>The tenant in which the application is registered; the administrator's own where none is given.</summary>
        [Parameter]
        [Alias("Tenant")]
        public virtual string? TenantId { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        /// <summary>The name of the parameter that takes the administrator's credential.</summary>
        internal abstract string AdministratorParameter { get; }

        /// <summary>What was given with it.</summary>
        internal abstract object? Administrator { get; }

        /// <summary>Whether the session's default credential is the administrator's where none is given.</summary>
        internal virtual bool IsDefaultAdministrator => true;

        /// <summary>What the sign-in asks for.</summary>
        internal abstract string[] Scopes { get; }

        /// <summary>Refuses what does not go together, before anything is sent.</summary>
        internal void CheckCaller()
        {
            CheckNotEmpty(nameof(TenantId));
            if (IsGiven(nameof(TenantId)))
            {
                Check(TenantInput.Refusal(TenantId), TenantId);
            }

            if (IsGiven(nameof(AccessToken)) && (AccessToken is null || AccessToken.Length == 0))
            {
                FailInput("-AccessToken is empty.", "Check the variable that it comes from, or leave it out.", null);
            }

            if (AccessToken is not null && (Administrator is not null || UseDeviceCode) || Administrator is not null && UseDeviceCode)
            {
                FailInput("More than one administrator was given.", "Use one of -" + AdministratorParameter + ", -AccessToken and -UseDeviceCode.", null);
            }
        }

        /// <summary>A request with who asks; signs the administrator in first where nobody else was given.</summary>
        internal RequestBuilder Request(string kind)
        {
            string environment = ResolveEnvironment(Environment);
            RequestBuilder request = new RequestBuilder(kind).Text("environment", environment);
            if (AccessToken is not null)
            {
                return request.Text("tenant", TenantId?.Trim()).Secret("accessToken", AccessToken);
            }

            bool hasCredential = IsGiven(AdministratorParameter) || IsDefaultAdministrator && State.Credential is not null;
            _isDefault = hasCredential && !UseDeviceCode && !IsGiven(AdministratorParameter);
            _administrator ??= hasCredential && !UseDeviceCode ? ResolveCredential(Administrator, AdministratorParameter) : SignIn(environment);
            return request.Text("tenant", TenantId?.Trim()).Credential("credential", _administrator);
        }

        internal sealed override void OnRecord(ValueMap record)
        {
            if (_signsIn)
            {
                _administrator = TakeCredential();
                return;
            }

            if (record.Flag("plan"))
            {
                Decide(record);
                return;
            }

            OnAnswer(record);
        }

        /// <summary>One result of the operation itself.</summary>
        internal abstract void OnAnswer(ValueMap record);

        /// <summary>A sign-in that fails ends the command, also in a pipeline: each of the others would ask for it again.</summary>
        internal sealed override void OnEnded(SecureAppException failure)
        {
            if (_signsIn)
            {
                Fail(failure, null);
            }

            OnWorkEnded(Advised(failure));
        }

        /// <summary>The operation itself ended with a failure; thrown here for <see cref="SecureAppCmdlet.Each"/> to tell.</summary>
        internal virtual void OnWorkEnded(SecureAppException failure) => throw failure;

        internal override void OnFailed(ValueMap target, SecureAppException failure) => FailItem(Advised(failure), null);

        /// <summary>Nobody named the session's default credential here, and it need not be an administrator's.</summary>
        private SecureAppException Advised(SecureAppException failure) =>
            failure.Kind == SecureAppErrorKind.Denied && _isDefault
                ? failure.Advising("The session's default credential asked: let an administrator do it with -UseDeviceCode, -AccessToken or -" + AdministratorParameter + ".")
                : failure;

        /// <summary>Asks for each change of a plan and hands on what was agreed to.</summary>
        private void Decide(ValueMap plan)
        {
            ValueMap[] changes = plan.Maps("changes");
            string where = "'" + plan.Text("displayName") + "' in " + (plan.OptionalText("tenantName") ?? plan.Text("tenantId"));
            if (changes.Length == 0)
            {
                // As Write-Host does: with -WhatIf too, where nothing else is said.
                WriteInformation(new HostInformationMessage { Message = "Nothing to change: " + where + " is as it was asked for." }, new[] { "PSHOST" });
            }

            foreach (ValueMap change in changes)
            {
                if (ShouldProcess(where, change.Text("line")))
                {
                    using RequestBuilder item = new RequestBuilder("change").Int("number", change.Int("number"));
                    Submit(item);
                }
            }

            FinishInput();
        }

        private SecureAppCredential SignIn(string environment)
        {
            SecureAppCredential client = Guarded(() => CredentialInput.OpenPublic(GraphTools), null);
            using RequestBuilder request = new RequestBuilder("sign_in")
                .Credential("credential", client)
                .Text("environment", environment)
                .Text("tenant", TenantId?.Trim())
                .Texts("scopes", Scopes)
                .Flag("deviceCode", UseDeviceCode);
            _signsIn = true;
            Restart(request);
            Follow();
            _signsIn = false;
            if (_administrator is null)
            {
                // Only a stop ends a sign-in without an error and without a credential.
                throw new PipelineStoppedException();
            }

            return _administrator;
        }
    }
}
