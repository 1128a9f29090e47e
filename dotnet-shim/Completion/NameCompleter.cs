using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace SecureAppModel.Completion
{
    /// <summary>Completes from a list of names: offline, at once, and never with an error.</summary>
    public abstract class NameCompleter : IArgumentCompleter
    {
        protected abstract IEnumerable<string> Names();

        public IEnumerable<CompletionResult> CompleteArgument(
            string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        {
            string typed = (wordToComplete ?? string.Empty).Trim('\'', '"');
            return Names()
                .Where(name => name.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
                .OrderBy(name => name, StringComparer.OrdinalIgnoreCase)
                .Select(name => new CompletionResult(name.IndexOf(' ') < 0 ? name : "'" + name + "'", name, CompletionResultType.ParameterValue, name));
        }
    }
}
