using System.Collections.Generic;

namespace SecureAppModel.Completion
{
    /// <summary>Directory roles that applications of partners are given.</summary>
    public sealed class DirectoryRoleCompleter : NameCompleter
    {
        private static readonly string[] s_roles =
        {
            "Compliance Administrator",
            "Exchange Administrator",
            "Exchange Recipient Administrator",
            "Global Administrator",
            "Global Reader",
            "Helpdesk Administrator",
            "Security Administrator",
            "Security Reader",
        };

        protected override IEnumerable<string> Names() => s_roles;
    }
}
