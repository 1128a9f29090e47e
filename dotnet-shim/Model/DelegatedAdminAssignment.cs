using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A group of the partner that holds roles of a delegated admin relationship.</summary>
    public sealed class DelegatedAdminAssignment
    {
        internal DelegatedAdminAssignment(ValueMap record)
        {
            GroupId = record.Text("groupId");
            Status = record.Text("status");
            Roles = DelegatedAdminRole.All(record);
        }

        /// <summary>The group's object id in the partner's tenant.</summary>
        public string GroupId { get; }

        public string Status { get; }

        public DelegatedAdminRole[] Roles { get; }

        public override string ToString() => GroupId + ": " + Status;
    }
}
