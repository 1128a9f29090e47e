using System;
using System.Collections;
using SecureAppModel.Commands;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// The two Connect cmdlets of ExchangeOnlineManagement. Beside the token they must be told whose organization it is, in one
    /// of three ways: -Organization for an application, -DelegatedOrganization for a partner's user in a customer's tenant,
    /// -UserPrincipalName for a user at home.
    /// </summary>
    internal abstract class ExchangeModuleService : ConnectService
    {
        internal sealed override string Module => "ExchangeOnlineManagement";

        internal sealed override string? TokenParameter => "AccessToken";

        internal sealed override string? DisconnectCommand => "Disconnect-ExchangeOnline";

        internal sealed override CertificateNames? Certificate { get; } = new CertificateNames("AppId", "Organization", "CertificateThumbprint")
        {
            Certificate = "Certificate",
            File = "CertificateFilePath",
            Password = "CertificatePassword",
        };

        /// <summary>The first version that connects by REST; those before need remote PowerShell, with Basic authentication in WinRM.</summary>
        protected abstract Version RestSince { get; }

        internal sealed override string? Outdated(Version version) => version >= RestSince
            ? null
            : "Before version " + RestSince + " " + Command + " opens remote PowerShell sessions, which need Basic authentication in WinRM: Exchange Online has turned that off, and policies forbid it on many machines (AllowBasic).";

        internal sealed override string? Advice(string message) =>
            message.IndexOf("Basic authentication is currently disabled", StringComparison.OrdinalIgnoreCase) < 0 && message.IndexOf("AllowBasic", StringComparison.OrdinalIgnoreCase) < 0
                ? null
                : "A policy of this machine forbids Basic authentication in WinRM (AllowBasic), which remote PowerShell sessions need. Leave the policy as it is: from version " + RestSince + " on " + Module + " connects by REST, without WinRM. " + Otherwise;

        protected sealed override void FillToken(Hashtable parameters, ConnectContext context)
        {
            SetToken(parameters, context, "AccessToken", Needs[0].Service);
            if (context.IsAppOnly)
            {
                SetIfTaken(parameters, context, "Organization", context.OrganizationName);
            }
            else if (context.IsCustomer)
            {
                parameters["DelegatedOrganization"] = context.OrganizationName;
            }
            else
            {
                parameters["UserPrincipalName"] = context.Account;
            }
        }

        /// <summary>-Organization takes the domain that the tenant was made with, and no GUID.</summary>
        protected sealed override string TenantFor(ConnectContext context) => context.InitialDomain ?? context.NamedOrganization
            ?? throw ErrorRecords.Refusal(
                Command + " must be told the tenant's onmicrosoft.com domain, and that is not known here.",
                "Name it: -Organization contoso.onmicrosoft.com.");
    }
}
