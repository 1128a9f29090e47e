using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Writes a new version of a secret to a key vault.</summary>
    [Cmdlet(VerbsCommon.Set, "SecureAppKeyVaultSecret", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppKeyVaultSecret))]
    public sealed class SetSecureAppKeyVaultSecretCommand : KeyVaultCmdlet
    {
        [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
        [Alias("SecretName")]
        public string? Name { get; set; }

        [Parameter(Position = 2, ValueFromPipelineByPropertyName = true)]
        [SecretTransformation]
        public SecureString? SecretValue { get; set; }

        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string? ContentType { get; set; }

        [Parameter]
        public DateTimeOffset? Expires { get; set; }

        [Parameter]
        public DateTimeOffset? NotBefore { get; set; }

        [Parameter]
        [Alias("Tags")]
        public Hashtable? Tag { get; set; }

        internal override string? Subject => Name;

        internal override void Serve()
        {
            if (string.IsNullOrWhiteSpace(Name))
            {
                throw ErrorRecords.Refusal("No secret was named" + InRow + ".", "Use -Name: letters, digits and hyphens.");
            }

            if (SecretValue is null || SecretValue.Length == 0)
            {
                throw ErrorRecords.Refusal(
                    "No value was given for the secret" + InRow + ".",
                    "Use -SecretValue with a SecureString, for example (Read-Host -AsSecureString); a variable that is empty counts as not given.");
            }

            using RequestBuilder request = VaultRequest("vault_secret_set")
                .Text("name", Name!.Trim())
                .Secret("value", SecretValue)
                .Text("contentType", ContentType)
                .Time("expires", Expires)
                .Time("notBefore", NotBefore)
                .Texts("tags", Pairs());
            if (ShouldProcess(Name + " in " + VaultName, "Write secret"))
            {
                Run(request);
            }
        }

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppKeyVaultSecret(record));

        private IEnumerable<string> Pairs()
        {
            foreach (DictionaryEntry tag in Tag ?? new Hashtable())
            {
                yield return Convert.ToString(tag.Key, CultureInfo.InvariantCulture) ?? string.Empty;
                yield return Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? string.Empty;
            }
        }
    }
}
