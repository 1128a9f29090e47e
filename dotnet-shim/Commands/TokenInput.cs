using System.Linq;

namespace SecureAppModel.Commands
{
    /// <summary>Says what a token can be for: resources or scopes, one of them.</summary>
    internal static class TokenInput
    {
        /// <summary>Null where it can be asked; otherwise why not.</summary>
        internal static SecureAppException? Question(string[]? resources, string[]? scopes)
        {
            bool byResource = HasText(resources);
            if (byResource != HasText(scopes))
            {
                return null;
            }

            return new SecureAppException(
                SecureAppErrorKind.InvalidInput,
                byResource ? "-Resource and -Scope exclude each other." : "Neither -Resource nor -Scope says what the token is for.",
                "Use -Resource https://graph.microsoft.com for a v1 token or -Scope https://graph.microsoft.com/.default for a v2 token.");
        }

        /// <summary>True where every entry says something: an empty cell of a table says nothing.</summary>
        internal static bool HasText(string[]? texts) => texts is { Length: > 0 } && texts.All(text => !string.IsNullOrWhiteSpace(text));
    }
}
