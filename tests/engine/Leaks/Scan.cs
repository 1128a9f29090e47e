using System.Text;
using System.Text.RegularExpressions;

namespace SecureAppModel.EngineTests.Leaks;

/// <summary>A secret where it came to light; <see cref="Before"/> is what stands in front of it.</summary>
internal sealed record Finding(Heard Heard, string Kind, string Before)
{
    public override string ToString() => $"{Kind} in {Heard.Place} of '{Heard.Test}': …{Before}<secret> (script: {Short(Heard.Script)})";

    private static string Short(string script) => Regex.Replace(script.Length > 200 ? script[..200] + "…" : script, @"\s+", " ");
}

/// <summary>
/// Looks for many secrets at once: each is cut into windows of 16 characters, plain and as it is commonly written otherwise, and
/// a rolling hash of the text is looked up among theirs. So a part of a secret is found too.
/// </summary>
internal sealed partial class Scan
{
    private const int Width = RunSecrets.Shortest;
    private const ulong Base = 0x9E3779B97F4A7C15;

    /// <summary>Windows at the start of a secret; a long one has one more at its end.</summary>
    private const int Windows = 8;

    private static readonly ulong s_leaving = Power(Width);

    private readonly Dictionary<ulong, (string Window, string Kind)> _windows = [];
    private readonly ulong[] _filter = new ulong[1 << 16];

    internal Scan(IEnumerable<KeyValuePair<string, string>> secrets)
    {
        foreach ((string text, string kind) in secrets)
        {
            Add(text, kind);
            Add(Uri.EscapeDataString(text), kind);
            Add(System.Security.SecurityElement.Escape(text), kind);
            for (int skipped = 0; skipped < 3; skipped++)
            {
                // Whatever stands before it; the last characters depend on what stands behind.
                Add(Convert.ToBase64String(Encoding.UTF8.GetBytes(text[skipped..])).TrimEnd('=')[..^1], kind);
            }
        }
    }

    internal IEnumerable<Finding> In(Heard heard)
    {
        // How a SecureString is serialised where it cannot be encrypted: its UTF-16 in hexadecimal.
        string text = Hexadecimal().Replace(heard.Text, run => Encoding.Unicode.GetString(Convert.FromHexString(run.Value)));
        Match token = Token().Match(text);
        if (token.Success)
        {
            yield return new Finding(heard, "JSON Web Token", Before(text, token.Index));
        }

        Match key = PrivateKey().Match(text);
        if (key.Success)
        {
            yield return new Finding(heard, "private key", Before(text, key.Index));
        }

        // A token's parts are no secrets of their own.
        string rest = token.Success ? Token().Replace(text, string.Empty) : text;
        if (Find(rest) is var (at, kind))
        {
            yield return new Finding(heard, kind, Before(rest, at));
        }
    }

    /// <summary>The first window in a text.</summary>
    private (int At, string Kind)? Find(string text)
    {
        ulong hash = 0;
        for (int end = 0; end < text.Length; end++)
        {
            hash = (hash * Base) + text[end];
            if (end >= Width)
            {
                hash -= s_leaving * text[end - Width];
            }

            int start = end - Width + 1;
            if (start >= 0 && Filter(hash) && _windows.TryGetValue(hash, out (string Window, string Kind) found)
                && text.AsSpan(start, Width).SequenceEqual(found.Window))
            {
                return (start, found.Kind);
            }
        }

        return null;
    }

    private void Add(string? text, string kind)
    {
        for (int at = 0; text is not null && at + Width <= text.Length && at < Windows * Width; at += Width)
        {
            AddWindow(text.Substring(at, Width), kind);
        }

        if (text is { Length: >= Width })
        {
            AddWindow(text[^Width..], kind);
        }
    }

    private void AddWindow(string window, string kind)
    {
        ulong hash = 0;
        foreach (char character in window)
        {
            hash = (hash * Base) + character;
        }

        _windows[hash] = (window, kind);
        _filter[(hash >> 16) % (ulong)_filter.Length] |= 1UL << (int)(hash % 64);
    }

    private bool Filter(ulong hash) => (_filter[(hash >> 16) % (ulong)_filter.Length] & (1UL << (int)(hash % 64))) != 0;

    private static string Before(string text, int at) => Regex.Replace(text[Math.Max(0, at - 60)..at], @"\s+", " ");

    private static ulong Power(int exponent)
    {
        ulong power = 1;
        for (int n = 0; n < exponent; n++)
        {
            power *= Base;
        }

        return power;
    }

    [GeneratedRegex(@"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?")]
    private static partial Regex Token();

    [GeneratedRegex("(?:[0-9a-fA-F]{2}00){16,}")]
    private static partial Regex Hexadecimal();

    [GeneratedRegex("-----BEGIN [A-Z ]*PRIVATE KEY-----")]
    private static partial Regex PrivateKey();
}
