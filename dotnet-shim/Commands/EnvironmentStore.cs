using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>The environments of this process, which the native library keeps.</summary>
    internal static class EnvironmentStore
    {
        /// <summary>Known without asking the native library, so that completion never loads it.</summary>
        private static readonly ConcurrentDictionary<string, bool> s_names = new ConcurrentDictionary<string, bool>(
            new[] { "Public", "USGovGCC", "USGov", "USGovDoD", "China" }.Select(name => new KeyValuePair<string, bool>(name, true)),
            System.StringComparer.OrdinalIgnoreCase);

        internal static IEnumerable<string> KnownNames => s_names.Keys;

        internal static bool Knows(string name) => s_names.ContainsKey(name.Trim());

        /// <summary>The name, where there is such an environment or none is named. An unknown one is not repeated: it may be anything.</summary>
        /// <exception cref="SecureAppException">There is no environment of that name.</exception>
        internal static string Checked(string name) => name.Trim().Length == 0 || Knows(name)
            ? name
            : throw new SecureAppException(
                SecureAppErrorKind.NotFound,
                "There is no environment of the name that was given, " + Shown.Identifier(name) + ".",
                "Use one of " + string.Join(", ", s_names.Keys.OrderBy(known => known, System.StringComparer.OrdinalIgnoreCase)) + ", or define it with Add-SecureAppEnvironment.");

        internal static SecureAppEnvironment Get(string name)
        {
            Checked(name);
            using RequestBuilder request = new RequestBuilder("environment.get").Text("name", name);
            return new SecureAppEnvironment(Native.Call(request) as ValueMap ?? ValueMap.Empty);
        }

        internal static IReadOnlyList<SecureAppEnvironment> List()
        {
            using RequestBuilder request = new RequestBuilder("environment.list");
            return (Native.Call(request) as List<object?> ?? new List<object?>())
                .OfType<ValueMap>()
                .Select(facts => new SecureAppEnvironment(facts))
                .ToList();
        }

        /// <summary>Adds what <paramref name="request"/>, of kind environment.add, describes.</summary>
        internal static SecureAppEnvironment Add(string name, RequestBuilder request)
        {
            Native.Call(request);
            s_names[name.Trim()] = false;
            return Get(name);
        }

        internal static void Remove(string name)
        {
            Checked(name);
            using RequestBuilder request = new RequestBuilder("environment.remove").Text("name", name);
            Native.Call(request);
            s_names.TryRemove(name.Trim(), out _);
        }
    }
}
