using System;

namespace SecureAppModel.Interop
{
    /// <summary>Turns a native status and its error object into a <see cref="SecureAppException"/>.</summary>
    internal static class NativeError
    {
        /// <summary>Throws for a failure; takes over <paramref name="error"/> either way.</summary>
        internal static NativeStatus Check(int status, IntPtr error)
        {
            if (status >= 0)
            {
                if (error != IntPtr.Zero)
                {
                    NativeMethods.sa_error_free(error);
                }

                return (NativeStatus)status;
            }

            throw Take((NativeStatus)status, error);
        }

        /// <summary>Reads and frees a native error.</summary>
        private static SecureAppException Take(NativeStatus status, IntPtr error)
        {
            if (error == IntPtr.Zero)
            {
                return new SecureAppException(Kind(status), "the native library failed with status " + (int)status + " and did not say why");
            }

            try
            {
                NativeMethods.sa_error_detail(error, out IntPtr data, out UIntPtr length);
                return SecureAppException.From(ValueReader.Read(data, length) as ValueMap ?? ValueMap.Empty, Kind(status));
            }
            finally
            {
                NativeMethods.sa_error_free(error);
            }
        }

        private static SecureAppErrorKind Kind(NativeStatus status) => status switch
        {
            NativeStatus.InvalidInput => SecureAppErrorKind.InvalidInput,
            NativeStatus.NotSignedIn => SecureAppErrorKind.NotSignedIn,
            NativeStatus.Denied => SecureAppErrorKind.Denied,
            NativeStatus.NotFound => SecureAppErrorKind.NotFound,
            NativeStatus.Throttled => SecureAppErrorKind.Throttled,
            NativeStatus.Network => SecureAppErrorKind.Network,
            NativeStatus.Timeout => SecureAppErrorKind.Timeout,
            NativeStatus.Server => SecureAppErrorKind.Server,
            NativeStatus.Protocol => SecureAppErrorKind.Protocol,
            NativeStatus.Storage => SecureAppErrorKind.Storage,
            NativeStatus.Cancelled => SecureAppErrorKind.Cancelled,
            _ => SecureAppErrorKind.Internal,
        };
    }
}
