using System.Collections.Generic;

namespace SecureAppModel.Completion
{
    /// <summary>Directory roles that applications of partners are given, and that customers give partners.</summary>
    public sealed class DirectoryRoleCompleter : NameCompleter
    {
        private static readonly string[] s_roles =
        {
            "Application Administrator",
            "Cloud Application Administrator",
            "Compliance Administrator",
            "Directory Readers",
            "Exchange Administrator",
            "Exchange Recipient Administrator",
            "Global Administrator",
            "Global Reader",
            "Helpdesk Administrator",
            "Intune Administrator",
            "Privileged Role Administrator",
            "Security Administrator",
            "Security Reader",
            "SharePoint Administrator",
            "Teams Administrator",
            "User Administrator",
        };

        protected override IEnumerable<string> Names() => s_roles;
    }
}
