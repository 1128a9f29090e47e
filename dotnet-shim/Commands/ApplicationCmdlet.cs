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
    }
}
