using System;
using System.Collections;
using System.Collections.Generic;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>One version of a secret in a key vault. Its value is never printed and never serialised.</summary>
    public sealed class SecureAppKeyVaultSecret
    {
        internal SecureAppKeyVaultSecret(ValueMap facts)
        {
            VaultUri = facts.Text("vaultUri");
            Name = facts.Text("name");
            Version = facts.OptionalText("version");
            SecretValue = facts.Get("value") is byte[] value ? Utf8.TakeSecret(value) : null;
            ContentType = facts.OptionalText("contentType");
            Enabled = facts.Flag("enabled");
            NotBefore = facts.Time("notBefore");
            Expires = facts.Time("expires");
            Created = facts.Time("created");
            Updated = facts.Time("updated");
            IsManaged = facts.Flag("managed");
            Tags = new Hashtable(StringComparer.OrdinalIgnoreCase);
            foreach (KeyValuePair<string, object?> tag in (facts.Map("tags") ?? ValueMap.Empty).Entries)
            {
                Tags[tag.Key] = tag.Value;
            }
        }

        public string VaultUri { get; }

        public string Name { get; }

        /// <summary>Null in a list of secrets, which names the newest one without its version.</summary>
        public string? Version { get; }

        /// <summary>Null in lists, and in the answer to a write.</summary>
        public SecureString? SecretValue { get; }

        public string? ContentType { get; }

        public bool Enabled { get; }

        public DateTimeOffset? NotBefore { get; }

        public DateTimeOffset? Expires { get; }

        public DateTimeOffset? Created { get; }

        public DateTimeOffset? Updated { get; }

        /// <summary>True where a certificate of the same name owns the secret.</summary>
        public bool IsManaged { get; }

        public Hashtable Tags { get; }

        public override string ToString() => VaultUri + "/secrets/" + Name + (Version is null ? string.Empty : "/" + Version);
    }
}
