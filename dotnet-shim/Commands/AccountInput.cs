using System;

namespace SecureAppModel.Commands
{
    /// <summary>Says what can be an account: a user name, or the id of a user or application.</summary>
    internal static class AccountInput
    {
        /// <summary>Null where <paramref name="account"/> can be one, or is not given; otherwise why not.</summary>
        internal static SecureAppException? Refusal(string? account)
        {
            string text = account?.Trim() ?? string.Empty;
            return text.Length == 0 || Guid.TryParse(text, out _) || InputShape.IsUserName(text)
                ? null
                : new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    Shown.Sentence(Shown.Identifier(text)) + " is not an account.",
                    "Give the user name, for example admin@contoso.com, or an object id.");
        }
    }
}
