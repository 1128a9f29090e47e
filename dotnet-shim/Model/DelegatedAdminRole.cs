using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A directory role that a customer has given to the partner.</summary>
    public sealed class DelegatedAdminRole
    {
        private DelegatedAdminRole(ValueMap record)
        {
            Id = record.Text("id");
            Name = record.OptionalText("name");
        }

        /// <summary>The id of the role's template, the same in every tenant.</summary>
        public string Id { get; }

        /// <summary>Its name, where it is one of the usual roles.</summary>
        public string? Name { get; }

        public override string ToString() => Name ?? Id;

        internal static DelegatedAdminRole[] All(ValueMap record) => record.Maps("roles").Select(role => new DelegatedAdminRole(role)).ToArray();
    }
}
