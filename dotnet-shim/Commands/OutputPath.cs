using System;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>A place to write to, named as PowerShell names it: relative to its location, or on a drive of its own.</summary>
    internal static class OutputPath
    {
        /// <summary>The absolute path; wildcard characters stand for themselves. Touches nothing.</summary>
        /// <exception cref="SecureAppException">It is no place on a file system; <paramref name="advice"/> says what to do then.</exception>
        internal static string Resolve(SessionState session, string path, string advice)
        {
            SecureAppException Refuse(string message, Exception? cause) =>
                new SecureAppException(SecureAppErrorKind.InvalidInput, message, advice, cause);
            try
            {
                string full = session.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
                return provider.Name == "FileSystem"
                    ? full
                    : throw Refuse(Shown.Sentence(Shown.Path(path)) + " is on the " + provider.Name + " provider, which holds no files.", null);
            }
            catch (Exception cause) when (cause is RuntimeException or ArgumentException or NotSupportedException)
            {
                throw Refuse(Shown.Sentence(Shown.Path(path)) + " is not a usable path" + Shown.Reason(path, cause), Shown.IsPath(path) ? cause : null);
            }
        }
    }
}
