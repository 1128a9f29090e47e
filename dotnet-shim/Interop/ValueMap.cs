using System;
using System.Collections.Generic;
using System.Linq;

namespace SecureAppModel.Interop
{
    /// <summary>A decoded map, its entries in the order in which they were sent; an absent entry reads as nothing.</summary>
    internal sealed class ValueMap
    {
        internal static readonly ValueMap Empty = new ValueMap(0);

        private readonly List<KeyValuePair<string, object?>> _entries;

        internal ValueMap(int capacity)
        {
            _entries = new List<KeyValuePair<string, object?>>(capacity);
        }

        internal IReadOnlyList<KeyValuePair<string, object?>> Entries => _entries;

        internal void Add(string key, object? value) => _entries.Add(new KeyValuePair<string, object?>(key, value));

        internal object? Get(string key)
        {
            foreach (KeyValuePair<string, object?> entry in _entries)
            {
                if (string.Equals(entry.Key, key, StringComparison.Ordinal))
                {
                    return entry.Value;
                }
            }

            return null;
        }

        /// <summary>The text of an entry; empty where there is none.</summary>
        internal string Text(string key) => OptionalText(key) ?? string.Empty;

        /// <summary>The text of an entry; null where it is absent or empty.</summary>
        internal string? OptionalText(string key) => Get(key) is string { Length: > 0 } text ? text : null;

        internal long Int(string key) => Get(key) is long number ? number : 0;

        internal long? OptionalInt(string key) => Get(key) as long?;

        internal double? Number(string key) => Get(key) as double?;

        internal bool Flag(string key) => Get(key) is true;

        internal DateTimeOffset? Time(string key) => Get(key) as DateTimeOffset?;

        internal ValueMap? Map(string key) => Get(key) as ValueMap;

        internal IReadOnlyList<object?> List(string key) => Get(key) as IReadOnlyList<object?> ?? Array.Empty<object?>();

        internal string[] Texts(string key) => List(key).OfType<string>().ToArray();

        internal ValueMap[] Maps(string key) => List(key).OfType<ValueMap>().ToArray();
    }
}
