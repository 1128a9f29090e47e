using System;
using SecureAppModel.Certificates;

namespace SecureAppModel.Interop
{
    /// <summary>The native calls as the cmdlets use them: handles in, decoded values out, failures as exceptions.</summary>
    internal static class Native
    {
        internal static SessionHandle OpenSession()
        {
            NativeLoader.Ensure();
            NativeError.Check(NativeMethods.sa_session_open(out IntPtr session, out IntPtr error), error);
            return new SessionHandle(session);
        }

        internal static void CancelSession(SessionHandle session) =>
            NativeError.Check(NativeMethods.sa_session_cancel(session, out IntPtr error), error);

        /// <summary>Runs a call that needs no network and returns its value.</summary>
        internal static object? Call(RequestBuilder request)
        {
            NativeError.Check(NativeMethods.sa_call(request.Handle, out IntPtr value, out IntPtr error), error);
            return Read(value);
        }

        internal static CredentialHandle OpenCredential(RequestBuilder request)
        {
            NativeError.Check(NativeMethods.sa_credential_open(request.Handle, out IntPtr credential, out IntPtr error), error);
            return new CredentialHandle(credential);
        }

        internal static ValueMap Describe(CredentialHandle credential)
        {
            NativeError.Check(NativeMethods.sa_credential_describe(credential, out IntPtr value, out IntPtr error), error);
            return Read(value) as ValueMap ?? ValueMap.Empty;
        }

        internal static SignerHandle OpenSigner()
        {
            NativeLoader.Ensure();
            NativeError.Check(NativeMethods.sa_signer_open(out IntPtr signer, out IntPtr error), error);
            return new SignerHandle(signer);
        }

        /// <summary>Waits for something to sign; null when nothing came in time.</summary>
        internal static SignRequest? NextToSign(SignerHandle signer, uint timeoutMilliseconds)
        {
            int result = NativeMethods.sa_signer_next(
                signer, timeoutMilliseconds, out ulong id, out IntPtr algorithm, out UIntPtr algorithmLength, out IntPtr data, out UIntPtr length, out IntPtr error);
            if (NativeError.Check(result, error) != NativeStatus.Ok)
            {
                return null;
            }

            byte[] name = Utf8.Copy(algorithm, algorithmLength);
            return new SignRequest(id, Utf8.Text(name, 0, name.Length), Utf8.Copy(data, length));
        }

        internal static void ReplySignature(SignerHandle signer, ulong id, byte[] signature) =>
            NativeError.Check(NativeMethods.sa_signer_reply(signer, id, signature, Utf8.Length(signature), out IntPtr error), error);

        internal static void FailSigning(SignerHandle signer, ulong id, string reason)
        {
            byte[] text = Utf8.Bytes(reason);
            NativeError.Check(NativeMethods.sa_signer_fail(signer, id, text, Utf8.Length(text), out IntPtr error), error);
        }

        internal static void Decline(SignerHandle signer, ulong id) =>
            NativeError.Check(NativeMethods.sa_signer_decline(signer, id, out IntPtr error), error);

        internal static OperationHandle Start(SessionHandle session, RequestBuilder request)
        {
            NativeError.Check(NativeMethods.sa_op_start(session, request.Handle, out IntPtr operation, out IntPtr error), error);
            return new OperationHandle(operation);
        }

        /// <summary>Hands over one item; false where the queue is full and an event must be read first.</summary>
        internal static bool Submit(OperationHandle operation, RequestBuilder item) =>
            NativeError.Check(NativeMethods.sa_op_submit(operation, item.Handle, out IntPtr error), error) != NativeStatus.WouldBlock;

        internal static void FinishInput(OperationHandle operation) =>
            NativeError.Check(NativeMethods.sa_op_finish_input(operation, out IntPtr error), error);

        /// <summary>Waits for the next event: Ok with one, Done, or TimedOut.</summary>
        internal static NativeStatus Next(OperationHandle operation, int timeoutMilliseconds, out NativeEventKind kind, out object? value)
        {
            int result = NativeMethods.sa_op_next(
                operation, (uint)timeoutMilliseconds, out uint code, out IntPtr data, out UIntPtr length, out IntPtr error);
            NativeStatus status = NativeError.Check(result, error);
            kind = (NativeEventKind)code;
            value = status == NativeStatus.Ok ? ValueReader.Read(data, length) : null;
            return status;
        }

        /// <summary>The credential that an operation has made; its record has been read.</summary>
        internal static CredentialHandle CredentialOf(OperationHandle operation)
        {
            NativeError.Check(NativeMethods.sa_op_credential(operation, out IntPtr credential, out IntPtr error), error);
            return new CredentialHandle(credential);
        }

        internal static void Cancel(OperationHandle operation) => NativeMethods.sa_op_cancel(operation);

        private static object? Read(IntPtr value)
        {
            using ValueHandle handle = new ValueHandle(value);
            NativeMethods.sa_value_data(handle, out IntPtr data, out UIntPtr length);
            return ValueReader.Read(data, length);
        }
    }
}
