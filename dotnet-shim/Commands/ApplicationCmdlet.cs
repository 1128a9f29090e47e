using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Base of the commands on applications' registrations, which the session's default credential serves too.</summary>
    public abstract class ApplicationCmdlet : AdministratorCmdlet
    {
        /// <summary>Who asks: an application, or its user where it holds a refresh token.</summary>
        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        /// <inheritdoc/>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        [Alias("Tenant")]
        public override string? TenantId { get; set; }

        internal override string AdministratorParameter => nameof(Credential);

        internal override object? Administrator => Credential;

        /// <summary>Refuses an application id or a tenant that cannot be one: of the command line, or of the one object that was piped in.</summary>
        /// <exception cref="SecureAppException">It cannot.</exception>
        internal void CheckItem(string? applicationId)
        {
            SecureAppException? refusal = IsBound("ApplicationId", applicationId) ? ApplicationInput.Refusal(applicationId) : null;
            if ((refusal ?? (IsBound(nameof(TenantId), TenantId) ? TenantInput.Refusal(TenantId) : null)) is SecureAppException found)
            {
                throw found;
            }
        }

        /// <summary>
        /// True where the command line or this very object has the parameter. What an earlier object had stays among the bound ones,
        /// though the property is null again.
        /// </summary>
        private bool IsBound(string name, string? value) => IsGiven(name) && (value is not null || MyInvocation.BoundParameters[name] is null);
    }
}
