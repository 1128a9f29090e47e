// The C ABI as secureapp.h declares it, in its order, and nothing else: every argument is an integer, a pointer or a
// pinned byte array. Text is UTF-8 by pointer and length. Read the rules of threads and ownership there.
using System;
using System.Runtime.InteropServices;

namespace SecureAppModel.Interop
{
    internal static class NativeMethods
    {
        internal const string Library = "secureapp";

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint sa_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_version(out IntPtr text, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_shutdown(uint timeoutMilliseconds);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_error_status(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_error_detail(IntPtr error, out IntPtr data, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_error_free(IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_session_open(out IntPtr session, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_session_cancel(SessionHandle session, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_session_free(IntPtr session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_new(byte[] kind, UIntPtr kindLength, out IntPtr request, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_set_text(RequestHandle request, byte[] key, UIntPtr keyLength, byte[] value, UIntPtr valueLength, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_add_text(RequestHandle request, byte[] key, UIntPtr keyLength, byte[] value, UIntPtr valueLength, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_set_secret(RequestHandle request, byte[] key, UIntPtr keyLength, byte[] value, UIntPtr valueLength, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_set_int(RequestHandle request, byte[] key, UIntPtr keyLength, long value, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_set_credential(RequestHandle request, byte[] key, UIntPtr keyLength, CredentialHandle credential, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_request_set_signer(RequestHandle request, byte[] key, UIntPtr keyLength, SignerHandle signer, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_request_free(IntPtr request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_credential_open(RequestHandle request, out IntPtr credential, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_credential_describe(CredentialHandle credential, out IntPtr value, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_credential_free(IntPtr credential);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_call(RequestHandle request, out IntPtr value, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_value_data(ValueHandle value, out IntPtr data, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_value_free(IntPtr value);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_op_start(SessionHandle session, RequestHandle request, out IntPtr operation, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_op_submit(OperationHandle operation, RequestHandle item, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_op_finish_input(OperationHandle operation, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_op_next(OperationHandle operation, uint timeoutMilliseconds, out uint kind, out IntPtr data, out UIntPtr length, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_op_credential(OperationHandle operation, out IntPtr credential, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_op_cancel(OperationHandle operation);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_op_free(IntPtr operation);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_signer_open(out IntPtr signer, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_signer_next(SignerHandle signer, uint timeoutMilliseconds, out ulong id, out IntPtr algorithm, out UIntPtr algorithmLength, out IntPtr data, out UIntPtr length, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_signer_reply(SignerHandle signer, ulong id, byte[] data, UIntPtr length, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_signer_fail(SignerHandle signer, ulong id, byte[] text, UIntPtr length, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int sa_signer_decline(SignerHandle signer, ulong id, out IntPtr error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void sa_signer_free(IntPtr signer);
    }
}
