using System;
using System.Runtime.InteropServices;

namespace SecureAppModel.Interop
{
    /// <summary>
    /// Owns one native object. The runtime counts calls in flight, so a handle that another thread disposes of is freed
    /// only after the last call on it has returned.
    /// </summary>
    internal abstract class NativeHandle : SafeHandle
    {
        protected NativeHandle(IntPtr value) : base(IntPtr.Zero, ownsHandle: true)
        {
            SetHandle(value);
        }

        public override bool IsInvalid => handle == IntPtr.Zero;
    }

    internal sealed class SessionHandle : NativeHandle
    {
        internal SessionHandle(IntPtr value) : base(value) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.sa_session_free(handle);
            return true;
        }
    }

    internal sealed class RequestHandle : NativeHandle
    {
        internal RequestHandle(IntPtr value) : base(value) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.sa_request_free(handle);
            return true;
        }
    }

    internal sealed class CredentialHandle : NativeHandle
    {
        internal CredentialHandle(IntPtr value) : base(value) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.sa_credential_free(handle);
            return true;
        }
    }

    internal sealed class ValueHandle : NativeHandle
    {
        internal ValueHandle(IntPtr value) : base(value) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.sa_value_free(handle);
            return true;
        }
    }

    internal sealed class OperationHandle : NativeHandle
    {
        internal OperationHandle(IntPtr value) : base(value) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.sa_op_free(handle);
            return true;
        }
    }

    internal sealed class SignerHandle : NativeHandle
    {
        internal SignerHandle(IntPtr value) : base(value) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.sa_signer_free(handle);
            return true;
        }
    }
}
