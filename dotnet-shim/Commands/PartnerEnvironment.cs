using System;

namespace SecureAppModel.Commands
{
    /// <summary>The clouds as the PartnerCenter module called them, in version 1 and from version 2 on.</summary>
    internal static class PartnerEnvironment
    {
        /// <summary>This module's name for an environment; what is no old name is returned as it is.</summary>
        /// <exception cref="SecureAppException">There is no such cloud any more, or nobody outside of Microsoft has it.</exception>
        internal static string? Name(string? given)
        {
            switch (given?.Trim().ToUpperInvariant())
            {
                case "AZURECLOUD":
                case "GLOBALCLOUD":
                    return RunspaceState.PublicEnvironment;
                case "AZURECHINACLOUD":
                case "CHINACLOUD":
                    return "China";
                case "AZUREUSGOVERNMENT":
                case "USGOVERNMENT":
                    return "USGov";
                case "AZUREGERMANCLOUD":
                case "GERMANCLOUD":
                    throw new SecureAppException(
                        SecureAppErrorKind.InvalidInput,
                        "Microsoft closed its German cloud on 29 October 2021.",
                        "Leave -Environment out, or use AzureCloud, for a tenant that moved to the public cloud.");
                case "AZUREPPE":
                    throw new SecureAppException(
                        SecureAppErrorKind.InvalidInput,
                        "AzurePPE is a cloud of Microsoft's own, for its own tests.",
                        "Use AzureCloud; to test against a cloud of your own, use Start-SecureAppSandbox or Add-SecureAppEnvironment.");
                default:
                    return given;
            }
        }
    }
}
