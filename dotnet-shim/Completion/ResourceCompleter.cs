using System.Collections.Generic;

namespace SecureAppModel.Completion
{
    /// <summary>The resources of the public cloud that partners ask tokens for.</summary>
    public sealed class ResourceCompleter : NameCompleter
    {
        private static readonly string[] s_resources =
        {
            "https://graph.microsoft.com",
            "https://graph.windows.net",
            "https://api.partnercenter.microsoft.com",
            "https://manage.office.com",
            "https://outlook.office365.com",
            "https://management.azure.com/",
            "https://vault.azure.net",
        };

        protected override IEnumerable<string> Names() => s_resources;
    }
}
