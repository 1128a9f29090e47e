using System;
using System.IO;
using System.Management.Automation;
using System.Security;

namespace SecureAppModel.Commands
{
    /// <summary>Reads a refresh token that a script has stored: as plain text, or by Export-Clixml as a SecureString.</summary>
    internal static class RefreshTokenFile
    {
        private const long LargestFile = 1024 * 1024;

        internal static SecureString Read(string path)
        {
            if (Directory.Exists(path))
            {
                throw Refuse("The path " + Shown.Path(path) + " is a folder's; the refresh token is in a file.");
            }

            string text;
            try
            {
                if (new FileInfo(path).Length > LargestFile)
                {
                    throw Refuse("The file " + Shown.Path(path) + " is too large to be a refresh token.");
                }

                text = File.ReadAllText(path).Trim();
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Storage,
                    Shown.IsPath(path)
                        ? "The refresh token file '" + path + "' could not be read: " + cause.Message
                        : "The refresh token file could not be read. Its path looks like a token, so it is not repeated here.",
                    "Check the path and that this account may read it; a refresh token itself goes to -RefreshToken.",
                    Shown.IsPath(path) ? cause : null);
            }

            return text.StartsWith("<Objs", StringComparison.Ordinal) ? FromClixml(path, text)
                : text.Length > 0 ? CredentialInput.Secure(text)
                : throw Refuse("The file " + Shown.Path(path) + " is empty.");
        }

        private static SecureString FromClixml(string path, string text)
        {
            object? value;
            try
            {
                value = PSSerializer.Deserialize(text);
            }
            catch (Exception cause) when (cause is System.Xml.XmlException or RuntimeException or System.Security.Cryptography.CryptographicException)
            {
                throw Refuse("The file " + Shown.Path(path) + " was made by Export-Clixml but cannot be read here: " + cause.Message);
            }

            return (value is PSObject wrapped ? wrapped.BaseObject : value) switch
            {
                SecureString { Length: > 0 } secure => secure,
                PSCredential { Password: { Length: > 0 } password } => password,
                string { Length: > 0 } plain => CredentialInput.Secure(plain.Trim()),
                _ => throw Refuse("The file " + Shown.Path(path) + " holds no refresh token."),
            };
        }

        private static SecureAppException Refuse(string message) => new SecureAppException(
            SecureAppErrorKind.InvalidInput,
            message,
            "Write the refresh token alone into the file, or a SecureString with Export-Clixml on this machine and by this user.");
    }
}
