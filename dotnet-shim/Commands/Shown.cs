// What of a user's input may stand in an error, a warning or an error's target. A secret that was put into the wrong place
// is the usual way for one to reach a log, so only what has the form of something public is repeated.
using System;
using System.Linq;

namespace SecureAppModel.Commands
{
    internal static class Shown
    {
        private const int LongestIdentifier = 100;
        private const int LongestKey = 32;
        private const int LongestName = 127;
        private const int LongestPathSegment = 80;
        private const int LongestShortName = 12;
        private const int LongestRandomLooking = 16;
        private const int LongestWord = 12;
        private const int LongestWords = 19;

        /// <summary>An application id, tenant or account as it may be repeated: quoted, or its length alone.</summary>
        internal static string Identifier(string? text) =>
            IsIdentifier(text) || text is not null && (IsWords(text) || IsHostAddress(text)) ? "'" + text + "'" : Described(text);

        /// <summary>False for a token or a secret that was taken for a file: a part of it looks made at random.</summary>
        internal static bool IsPath(string? text) => text is not null && text.Split('/', '\\').All(IsPathSegment);

        /// <summary>A path as it may be repeated in the middle of a sentence: quoted, or its length alone.</summary>
        internal static string Path(string? text) => IsPath(text) ? "'" + text + "'" : Described(text);

        /// <summary>The system's words about a path, with a colon before them; they repeat it, so only where it may be.</summary>
        internal static string Reason(string? path, Exception cause) => IsPath(path) ? ": " + cause.Message : ".";

        /// <summary>An error's target; texts in it are repeated under the same rule.</summary>
        internal static object? Target(object? target) => target switch
        {
            TenantInput.Credential or TenantInput.NoTenant => null,
            string text => Text(text),
            string[] texts => texts.Select(Text).ToArray(),
            ObjectName name => name.Shown,
            InputRow row => row.Shown,
            FilePath file => IsPath(file.Text) ? file.Text : Described(file.Text),
            _ => target,
        };

        /// <summary>As <see cref="Identifier"/>, without quotes; the name of an environment that there is may be repeated too.</summary>
        internal static string Text(string text) => IsIdentifier(text) || IsWords(text) || IsHostAddress(text) || EnvironmentStore.Knows(text) ? text : Described(text);

        /// <summary>The name of a secret or a certificate: words and numbers, nothing that looks made at random.</summary>
        internal static string ObjectText(string? text) =>
            text is { Length: > 0 and <= LongestName } && text.All(character => char.IsLetterOrDigit(character) || character == '-')
            && !text.Split('-').Any(IsRandomLooking)
                ? text
                : Described(text);

        /// <summary>A key of a table, which is a word unless somebody has exchanged keys and values.</summary>
        internal static string Key(string text) => IsWord(text) || IsIdentifier(text) ? text : Described(text);

        /// <summary>At the start of a sentence.</summary>
        internal static string Sentence(string shown) => char.ToUpperInvariant(shown[0]) + shown.Substring(1);

        private static string Described(string? text) => string.IsNullOrEmpty(text) ? "an empty text" : "a text of " + text!.Length + " characters";

        private static bool IsIdentifier(string? text)
        {
            if (text is null || text.Length > LongestIdentifier || text.Split('.', '@', '-', '_').Any(IsRandomLooking))
            {
                return false;
            }

            return IsGuidLike(text) || InputShape.IsDomain(text) || IsPlainUserName(text);
        }

        /// <summary>A GUID, also one with a digit too few.</summary>
        private static bool IsGuidLike(string text) =>
            text.Length <= 40 && text.IndexOf('-') > 0 && text.All(character => Uri.IsHexDigit(character) || "-{}".IndexOf(character) >= 0);

        private static bool IsPlainUserName(string text) =>
            InputShape.IsUserName(text) && text.All(character => char.IsLetterOrDigit(character) || ".@-_+#'".IndexOf(character) >= 0);

        /// <summary>
        /// A few short words of letters, each in small letters, capitals, or with one capital at its start: a name with a mistake in it.
        /// What was made at random mixes them.
        /// </summary>
        private static bool IsWords(string text) =>
            text.Length is > 0 and <= LongestWords && text.Split(' ', '-').All(word =>
                word.Length is > 0 and <= LongestWord
                && word.All(char.IsLetter)
                && (word.All(char.IsUpper) || word.Skip(1).All(letter => !char.IsUpper(letter))));

        /// <summary>https:// and a host, and nothing behind it that could be anything else.</summary>
        private static bool IsHostAddress(string text)
        {
            const string Scheme = "https://";
            return text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && text.Length <= LongestIdentifier
                && InputShape.IsDomain(text.Substring(Scheme.Length)) && !text.Split('.', '-', '/').Any(IsRandomLooking);
        }

        private static bool IsWord(string text) =>
            text.Length <= LongestKey && text.All(character => char.IsLetter(character) || " ._-".IndexOf(character) >= 0);

        /// <summary>Entra's client secrets have a tilde in the middle, and of file names only the short ones of Windows do: PROGRA~1.</summary>
        private static bool IsPathSegment(string segment)
        {
            int tilde = segment.IndexOf('~', Math.Min(1, segment.Length));
            bool isShortName = tilde < 0 || tilde == segment.Length - 1 || char.IsDigit(segment[tilde + 1]) && segment.Length <= LongestShortName;
            return isShortName && segment.Length <= LongestPathSegment && !segment.Split('.', '-', '_', ' ', '+', '=').Any(IsRandomLooking);
        }

        private static bool IsRandomLooking(string part) =>
            part.Length > LongestRandomLooking && part.Any(char.IsDigit) && part.Any(char.IsUpper) && part.Any(char.IsLower);
    }

    /// <summary>A path as an error's target, which has a rule of its own.</summary>
    internal sealed class FilePath
    {
        internal FilePath(string? text) => Text = text;

        internal string? Text { get; }
    }

    /// <summary>A row of the input as an error's target. The row itself may hold a secret, so it is told by its number.</summary>
    internal sealed class InputRow
    {
        internal InputRow(long number) => Shown = "row " + number + " of the input";

        internal string Shown { get; }
    }

    /// <summary>The name of something in a key vault as an error's target, which has a rule of its own.</summary>
    internal sealed class ObjectName
    {
        internal ObjectName(string? text) => Shown = Commands.Shown.ObjectText(text);

        internal string Shown { get; }
    }
}
