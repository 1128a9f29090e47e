using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Reads permissions in the form of an application's manifest: hashtables or objects with resourceAppId and resourceAccess, each of
    /// which has id and type. In place of an id the permission's name will do.
    /// </summary>
    internal static class RequiredAccessInput
    {
        private const string Advice =
            "Use for example @{ resourceAppId = '00000003-0000-0000-c000-000000000000'; resourceAccess = @(@{ id = 'Directory.Read.All'; type = 'Role' }) }.";

        /// <summary>One line each: the API, the type, the permission.</summary>
        /// <exception cref="SecureAppException">Something in it is not of this form.</exception>
        internal static string[] Lines(object[]? given)
        {
            List<string> lines = new List<string>();
            foreach (object? api in given ?? Array.Empty<object>())
            {
                string resource = Text(Get(api, "resourceAppId"));
                object?[] all = Many(Get(api, "resourceAccess"));
                if (resource.Length == 0 || all.Length == 0)
                {
                    throw ErrorRecords.Refusal("-RequiredResourceAccess names no API, or nothing of it.", Advice);
                }

                lines.AddRange(all.Select(access => Line(resource, Text(Get(access, "type")), Text(Get(access, "id")))));
            }

            return lines.ToArray();
        }

        private static string Line(string resource, string type, string id) =>
            Guid.TryParse(resource, out _) && id.Length > 0 && id.All(character => char.IsLetterOrDigit(character) || "._-".IndexOf(character) >= 0)
                && (type.Equals("Role", StringComparison.OrdinalIgnoreCase) || type.Equals("Scope", StringComparison.OrdinalIgnoreCase))
                ? resource + " " + type + " " + id
                : throw ErrorRecords.Refusal("A permission of -RequiredResourceAccess has no API, no type (Role or Scope) or no id.", Advice);

        private static object? Get(object? owner, string name)
        {
            object? value = owner is PSObject wrapped && wrapped.BaseObject is not PSCustomObject ? wrapped.BaseObject : owner;
            if (value is IDictionary table)
            {
                return table.Keys.Cast<object>()
                    .Where(key => string.Equals(Convert.ToString(key), name, StringComparison.OrdinalIgnoreCase))
                    .Select(key => table[key])
                    .FirstOrDefault();
            }

            return value is null ? null : PSObject.AsPSObject(value).Properties[name]?.Value;
        }

        private static object?[] Many(object? value)
        {
            object? bare = value is PSObject wrapped && wrapped.BaseObject is not PSCustomObject ? wrapped.BaseObject : value;
            return bare switch
            {
                null => Array.Empty<object?>(),
                IEnumerable many and not string and not IDictionary => many.Cast<object?>().ToArray(),
                _ => new[] { bare },
            };
        }

        private static string Text(object? value) => Convert.ToString(value is PSObject wrapped ? wrapped.BaseObject : value)?.Trim() ?? string.Empty;
    }
}
