using System;
using System.Linq;

namespace SecureAppModel.Commands
{
    /// <summary>What a text can be by its form alone: a domain, a user name. Says nothing about whether that exists.</summary>
    internal static class InputShape
    {
        private const int LongestDomain = 253;
        private const int LongestLabel = 63;
        private const int LongestUserName = 320;

        internal static bool IsDomain(string text)
        {
            string[] labels = text.Split('.');
            return text.Length <= LongestDomain && labels.Length >= 2 && labels.All(IsLabel) && IsTopLevel(labels[labels.Length - 1]);
        }

        /// <summary>A name before an @ and a domain after it, as a guest's long one has them too.</summary>
        internal static bool IsUserName(string text)
        {
            int at = text.IndexOf('@');
            return at > 0
                && text.Length <= LongestUserName
                && text.Take(at).All(character => !char.IsWhiteSpace(character) && !char.IsControl(character))
                && IsDomain(text.Substring(at + 1));
        }

        /// <summary>Nothing, blank text, or a list of texts that is empty or has a blank one.</summary>
        internal static bool IsEmpty(object? value) => value switch
        {
            string[] texts => texts.Length == 0 || texts.Any(string.IsNullOrWhiteSpace),
            string text => string.IsNullOrWhiteSpace(text),
            _ => value is null,
        };

        private static bool IsLabel(string label) =>
            label.Length > 0
            && label.Length <= LongestLabel
            && label[0] != '-'
            && label[label.Length - 1] != '-'
            && label.All(character => char.IsLetterOrDigit(character) || character == '-');

        /// <summary>No top-level domain has a digit outside of punycode: 10.0.0.1 is an address, and 0.AXk1 part of a token.</summary>
        private static bool IsTopLevel(string label) =>
            label.All(char.IsLetter) || label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase);
    }
}
