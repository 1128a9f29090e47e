using System.Collections.Generic;

namespace SecureAppModel.Connect
{
    /// <summary>The tokens of one connect: what was asked for, and what came back for it. Each pair is asked for once.</summary>
    internal sealed class TokenBox
    {
        private readonly Dictionary<string, long> _asked = new Dictionary<string, long>();
        private readonly Dictionary<string, string> _current = new Dictionary<string, string>();
        private readonly Dictionary<long, ServiceToken> _tokens = new Dictionary<long, ServiceToken>();
        private readonly Dictionary<long, SecureAppException> _failures = new Dictionary<long, SecureAppException>();
        private long _items;

        internal IEnumerable<ServiceToken> Tokens => _tokens.Values;

        /// <summary>Forgets the last tenant's; item numbers go on, so a late answer is never taken for a new one.</summary>
        internal void Clear()
        {
            _asked.Clear();
            _current.Clear();
            _tokens.Clear();
            _failures.Clear();
        }

        /// <summary>The number to ask under; null where the same has been asked for already.</summary>
        internal long? Ask(TokenNeed need, string tenant)
        {
            string pair = need.Service + " " + tenant;
            _current[Key(need)] = pair;
            if (_asked.ContainsKey(pair))
            {
                return null;
            }

            _asked[pair] = ++_items;
            return _items;
        }

        internal void Put(long item, ServiceToken token) => _tokens[item] = token;

        internal void Fail(long item, SecureAppException failure) => _failures[item] = failure;

        /// <summary>Notes that it cannot be asked for.</summary>
        internal void Fail(TokenNeed need, SecureAppException failure)
        {
            _current[Key(need)] = Key(need);
            _asked[Key(need)] = ++_items;
            _failures[_items] = failure;
        }

        /// <exception cref="SecureAppException">It could not be had.</exception>
        internal ServiceToken Get(TokenNeed need)
        {
            long item = _current.TryGetValue(Key(need), out string? pair) && _asked.TryGetValue(pair, out long asked) ? asked : 0;
            if (_tokens.TryGetValue(item, out ServiceToken? token))
            {
                return token;
            }

            throw _failures.TryGetValue(item, out SecureAppException? failure)
                ? failure
                : new SecureAppException(
                    SecureAppErrorKind.Internal,
                    "No token for '" + need.Service + "' came back, and no error either.",
                    "Run the command again; if it happens again, please report it.");
        }

        private static string Key(TokenNeed need) => need.PartnerTenant ? need.Service + " (partner)" : need.Service;
    }
}
