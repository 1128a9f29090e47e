using System;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>The one place where a failure becomes an error record.</summary>
    internal static class ErrorRecords
    {
        /// <summary>From this version PowerShell prints the recommended action under the message.</summary>
        private static readonly bool s_printsAdvice = typeof(PSObject).Assembly.GetName().Version >= new Version(7, 4);

        /// <param name="failure">What went wrong.</param>
        /// <param name="target">The user's own input that failed, where it is known; repeated as <see cref="Shown"/> allows.</param>
        /// <param name="id">The error's id after the module's name; the failure's kind where it is not given.</param>
        /// <param name="category">The kind's own where it is not given.</param>
        internal static ErrorRecord From(SecureAppException failure, object? target, string? id = null, ErrorCategory? category = null)
        {
            ErrorRecord record = new ErrorRecord(
                failure, "SecureAppModel." + (id ?? failure.Kind.ToString()), category ?? Category(failure.Kind), Shown.Target(target))
            {
                ErrorDetails = new ErrorDetails(s_printsAdvice ? failure.Problem : failure.Message),
            };
            if (failure.Advice.Length > 0)
            {
                record.ErrorDetails.RecommendedAction = failure.Advice;
            }

            return record;
        }

        internal static ErrorRecord InvalidInput(string message, string advice, object? target) => From(Refusal(message, advice), target);

        /// <summary>What is wrong with the input, and what to do.</summary>
        internal static SecureAppException Refusal(string message, string advice) =>
            new SecureAppException(SecureAppErrorKind.InvalidInput, message, advice);

        /// <summary>Any exception of the shim: one of ours as it is, damage in what was received as a protocol error.</summary>
        internal static ErrorRecord FromAny(Exception failure, object? target) =>
            failure is SecureAppException known
                ? From(known, target)
                : new ErrorRecord(failure, "SecureAppModel.Internal", ErrorCategory.NotSpecified, Shown.Target(target));

        private static ErrorCategory Category(SecureAppErrorKind kind) => kind switch
        {
            SecureAppErrorKind.InvalidInput => ErrorCategory.InvalidArgument,
            SecureAppErrorKind.NotSignedIn => ErrorCategory.AuthenticationError,
            SecureAppErrorKind.Denied => ErrorCategory.PermissionDenied,
            SecureAppErrorKind.NotFound => ErrorCategory.ObjectNotFound,
            SecureAppErrorKind.Throttled => ErrorCategory.LimitsExceeded,
            SecureAppErrorKind.Network => ErrorCategory.ConnectionError,
            SecureAppErrorKind.Timeout => ErrorCategory.OperationTimeout,
            SecureAppErrorKind.Server => ErrorCategory.ResourceUnavailable,
            SecureAppErrorKind.Protocol => ErrorCategory.InvalidResult,
            SecureAppErrorKind.Storage => ErrorCategory.WriteError,
            SecureAppErrorKind.Cancelled => ErrorCategory.OperationStopped,
            _ => ErrorCategory.NotSpecified,
        };
    }
}
