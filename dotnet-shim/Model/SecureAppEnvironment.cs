using System.Collections.Generic;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A cloud: where its services are, and what its resources are called. Null where a cloud has no such service.</summary>
    public sealed class SecureAppEnvironment
    {
        internal SecureAppEnvironment(ValueMap facts)
        {
            ValueMap endpoints = facts.Map("endpoints") ?? ValueMap.Empty;
            Name = facts.Text("name");
            IsBuiltIn = facts.Flag("builtIn");
            LoginEndpoint = endpoints.OptionalText("login");
            GraphEndpoint = endpoints.OptionalText("graph");
            PartnerCenterEndpoint = endpoints.OptionalText("partnerCenter");
            ManagementEndpoint = endpoints.OptionalText("manage");
            OutlookEndpoint = endpoints.OptionalText("outlook");
            AadGraphEndpoint = endpoints.OptionalText("aadGraph");
            KeyVaultEndpoint = endpoints.OptionalText("keyVault");
            Resources = new PSObject();
            foreach (KeyValuePair<string, object?> resource in (facts.Map("resources") ?? ValueMap.Empty).Entries)
            {
                Resources.Properties.Add(new PSNoteProperty(resource.Key, resource.Value));
            }
        }

        public string Name { get; }

        public bool IsBuiltIn { get; }

        public string? LoginEndpoint { get; }

        public string? GraphEndpoint { get; }

        public string? PartnerCenterEndpoint { get; }

        public string? ManagementEndpoint { get; }

        public string? OutlookEndpoint { get; }

        public string? AadGraphEndpoint { get; }

        /// <summary>The domain of the key vaults: a vault's name stands before it.</summary>
        public string? KeyVaultEndpoint { get; }

        /// <summary>The names by which tokens are asked for, one property per service.</summary>
        public PSObject Resources { get; }

        public override string ToString() => Name;
    }
}
