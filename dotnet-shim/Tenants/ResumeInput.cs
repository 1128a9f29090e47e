using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace SecureAppModel.Tenants
{
    /// <summary>Which tenants of an earlier run are left: read from its summary or its rows, also after Import-Clixml.</summary>
    internal static class ResumeInput
    {
        /// <summary>Tenant ids and names of what did not succeed, in the earlier order.</summary>
        /// <exception cref="SecureAppException">Something in it is neither a summary nor a row.</exception>
        internal static IReadOnlyList<(string TenantId, string? DisplayName)> Left(IEnumerable<object?> earlier)
        {
            List<(string, string?)> left = new List<(string, string?)>();
            foreach (PSObject row in earlier.SelectMany(Rows))
            {
                string? status = Text(row, "Status");
                if (Text(row, "TenantId") is not string tenant || status is null)
                {
                    throw Commands.ErrorRecords.Refusal(
                        "What was given to -Resume is no summary of an earlier run.",
                        "Give what Invoke-DelegatedTenantCommand -PassThru or -SummaryVariable gave, or its Results.");
                }

                if (status != nameof(DelegatedTenantCommandStatus.Succeeded))
                {
                    left.Add((tenant, Text(row, "DisplayName")));
                }
            }

            return left;
        }

        private static IEnumerable<PSObject> Rows(object? item)
        {
            PSObject row = PSObject.AsPSObject(item ?? string.Empty);
            object? results = row.Properties["Results"]?.Value;
            results = (results as PSObject)?.BaseObject ?? results;
            return results is IEnumerable rows and not string ? rows.Cast<object?>().Select(one => PSObject.AsPSObject(one ?? string.Empty)) : new[] { row };
        }

        private static string? Text(PSObject row, string name) =>
            row.Properties[name]?.Value?.ToString() is { Length: > 0 } text ? text : null;
    }
}
