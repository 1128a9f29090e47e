using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Reflection;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// What an installed Connect cmdlet takes. Versions of one module differ in the names, the types and the sets of
    /// their parameters, so each is looked at before it is called.
    /// </summary>
    internal sealed class CommandShape
    {
        private static readonly Version s_none = new Version(0, 0);

        private readonly Dictionary<string, ParameterMetadata>? _parameters;
        private readonly ParameterMetadata? _anchor;

        private CommandShape(Dictionary<string, ParameterMetadata>? parameters, string? anchor, Version? version)
        {
            _parameters = parameters;
            _anchor = anchor is null ? null : Find(anchor);
            Version = version;
        }

        /// <summary>A command that is not installed here: taken to be as its latest documentation says.</summary>
        internal static CommandShape Documented { get; } = new CommandShape(null, null, null);

        /// <param name="command">The command to look at.</param>
        /// <param name="anchor">The parameter that takes the token or the certificate; what cannot stand beside it is not offered.</param>
        internal static CommandShape Of(CommandInfo command, string? anchor)
        {
            CommandInfo real = command;
            while (real is AliasInfo { ResolvedCommand: CommandInfo target })
            {
                real = target;
            }

            // A function that belongs to no module, or to one that was made on the fly, has no version.
            Version? version = real.Module?.Version;
            return new CommandShape(
                new Dictionary<string, ParameterMetadata>(real.Parameters, StringComparer.OrdinalIgnoreCase),
                anchor,
                version is null || version == s_none ? null : version);
        }

        /// <summary>The module's version; null where that is not known.</summary>
        internal Version? Version { get; }

        internal bool IsDocumented => _parameters is null;

        /// <summary>True where the parameter exists and may be used together with the one that takes the token.</summary>
        internal bool Takes(string name)
        {
            if (_parameters is null)
            {
                return true;
            }

            return Find(name) is ParameterMetadata found && (_anchor is null || ShareSet(found, _anchor));
        }

        /// <summary>The parameter's own name where it has one of <paramref name="names"/>; null where it does not exist.</summary>
        internal string? FirstOf(params string[] names) => names.FirstOrDefault(Takes);

        /// <summary>The parameter's type; null where it is not known.</summary>
        internal Type? TypeOf(string name) => Find(name)?.ParameterType;

        /// <summary>The first of the candidates that an enumerated parameter knows, or the first of all.</summary>
        internal string Choose(string name, params string[] candidates)
        {
            ParameterMetadata? found = Find(name);
            Type? type = found is null ? null : Nullable.GetUnderlyingType(found.ParameterType) ?? found.ParameterType;
            IEnumerable<string>? known = type is { IsEnum: true }
                ? Enum.GetNames(type)
                : found?.Attributes.OfType<ValidateSetAttribute>().FirstOrDefault()?.ValidValues;
            return known is null
                ? candidates[0]
                : candidates.FirstOrDefault(candidate => known.Contains(candidate, StringComparer.OrdinalIgnoreCase)) ?? candidates[0];
        }

        private ParameterMetadata? Find(string name)
        {
            if (_parameters is null)
            {
                return null;
            }

            return _parameters.TryGetValue(name, out ParameterMetadata? exact)
                ? exact
                : _parameters.Values.FirstOrDefault(parameter => parameter.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase));
        }

        private static bool ShareSet(ParameterMetadata one, ParameterMetadata other) =>
            one.ParameterSets.ContainsKey(ParameterAttribute.AllParameterSets)
            || other.ParameterSets.ContainsKey(ParameterAttribute.AllParameterSets)
            || one.ParameterSets.Keys.Any(other.ParameterSets.ContainsKey);
    }
}
