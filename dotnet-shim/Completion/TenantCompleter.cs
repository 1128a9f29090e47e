using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace SecureAppModel.Completion
{
    /// <summary>
    /// Completes a tenant from the customers that Get-DelegatedTenant has listed in this session: by the beginning of its name, of a
    /// word in it, of its domain or of its id. Asks nobody.
    /// </summary>
    public sealed class TenantCompleter : IArgumentCompleter
    {
        public IEnumerable<CompletionResult> CompleteArgument(
            string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
        {
            string typed = (wordToComplete ?? string.Empty).Trim('\'', '"');
            Runspace? runspace = Runspace.DefaultRunspace;
            IEnumerable<DelegatedTenant> customers = runspace is null ? Array.Empty<DelegatedTenant>() : RunspaceState.Of(runspace).Customers.Values;
            return customers
                .Where(customer => Matches(customer, typed))
                .OrderBy(Title, StringComparer.OrdinalIgnoreCase)
                .Select(customer => new CompletionResult(
                    customer.DefaultDomainName ?? customer.TenantId, Title(customer), CompletionResultType.ParameterValue, Title(customer) + " (" + customer.TenantId + ")"));
        }

        private static string Title(DelegatedTenant customer) => customer.DisplayName ?? customer.DefaultDomainName ?? customer.TenantId;

        private static bool Matches(DelegatedTenant customer, string typed) =>
            Begins(customer.TenantId, typed)
            || Begins(customer.DefaultDomainName, typed)
            || Begins(customer.DisplayName, typed)
            || (customer.DisplayName ?? string.Empty).Split(' ').Any(word => Begins(word, typed));

        private static bool Begins(string? text, string typed) => text is not null && text.StartsWith(typed, StringComparison.OrdinalIgnoreCase);
    }
}
