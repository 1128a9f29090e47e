using System.Collections.Generic;
using SecureAppModel.Commands;

namespace SecureAppModel.Completion
{
    /// <summary>The built-in environments and those added in this process.</summary>
    public sealed class EnvironmentCompleter : NameCompleter
    {
        protected override IEnumerable<string> Names() => EnvironmentStore.KnownNames;
    }
}
