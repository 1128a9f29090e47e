using System;

namespace SecureAppModel.Commands
{
    /// <summary>Says what can be an application id: a GUID.</summary>
    internal static class ApplicationInput
    {
        private const string Advice = "Use the application (client) id, a GUID, from the app registration";

        /// <summary>Null where <paramref name="application"/> can be one; otherwise why not.</summary>
        internal static SecureAppException? Refusal(string? application)
        {
            if (Guid.TryParse(application, out _))
            {
                return null;
            }

            if (string.IsNullOrWhiteSpace(application))
            {
                return ErrorRecords.Refusal("The application id is empty.", Advice + ".");
            }

            string shown = Shown.Sentence(Shown.Identifier(application!));
            return application!.IndexOf('@') >= 0 || application.IndexOf('\\') >= 0
                ? ErrorRecords.Refusal(shown + " is a user name, but an application id belongs here.", Advice + "; the user comes in through the refresh token.")
                : ErrorRecords.Refusal(shown + " is not an application id.", Advice + ".");
        }

        /// <summary>One that was not refused, as the services write it: .NET also reads GUIDs in braces and without hyphens.</summary>
        internal static string Id(string application) => Guid.Parse(application).ToString("D");
    }
}
