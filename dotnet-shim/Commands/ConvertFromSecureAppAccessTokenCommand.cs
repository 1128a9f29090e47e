using System;
using System.Collections;
using System.Management.Automation;
using System.Security;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Shows what a token says, without the token.</summary>
    [Cmdlet(VerbsData.ConvertFrom, "SecureAppAccessToken")]
    [OutputType(typeof(SecureAppTokenClaims))]
    public sealed class ConvertFromSecureAppAccessTokenCommand : SecureAppCmdlet
    {
        private const string Shape = "Give a token object, its text or a SecureString, or an object with a property AccessToken or Token.";
        private const string Scheme = "Bearer ";

        private static readonly string[] s_properties = { "AccessToken", "access_token", "Token" };

        [Parameter(Position = 0, ValueFromPipeline = true)]
        [Alias("Token")]
        public object? AccessToken { get; set; }

        /// <summary>A failure's target stays empty: it would be the token.</summary>
        protected override void ProcessRecord() => Each(Read, null);

        private void Read()
        {
            using SecureString token = Secret(AccessToken, mayHold: true);
            using RequestBuilder request = new RequestBuilder("token.read").Secret("token", token);
            WriteObject(new SecureAppTokenClaims(Native.Call(request) as ValueMap ?? ValueMap.Empty));
        }

        /// <summary>A copy of the token's text.</summary>
        private static SecureString Secret(object? given, bool mayHold)
        {
            object? value = given is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : given;
            switch (value)
            {
                case SecureAppAccessToken token:
                    return CredentialInput.Secure(token.AccessToken);
                case SecureString { Length: > 0 } secure:
                    return secure.Copy();
                case string text when !string.IsNullOrWhiteSpace(text):
                    string bare = text.Trim();
                    return CredentialInput.Secure(bare.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? bare.Substring(Scheme.Length).Trim() : bare);
                case null:
                case string:
                case SecureString:
                    throw Refuse("No token was given.");
            }

            return mayHold && Held(given!, value) is object held
                ? Secret(held, mayHold: false)
                : throw Refuse("An object of type " + value.GetType().Name + " holds no token.");
        }

        private static object? Held(object given, object value)
        {
            foreach (string name in s_properties)
            {
                object? held = value is IDictionary dictionary
                    ? (dictionary.Contains(name) ? dictionary[name] : null)
                    : PSObject.AsPSObject(given).Properties[name]?.Value;
                if (held is not null)
                {
                    return held;
                }
            }

            return null;
        }

        private static SecureAppException Refuse(string message) =>
            new SecureAppException(SecureAppErrorKind.InvalidInput, message, Shape);
    }
}
