// Keys that stay in .NET: a smart card, an HSM, a key container that does not export. The native library asks through a
// signer's queue, and one background thread per certificate answers. The thread touches nothing of PowerShell.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using SecureAppModel.Interop;

namespace SecureAppModel.Certificates
{
    /// <summary>
    /// Held by the credentials that use it. The thread does not hold it, so it is collected with the last of them and ends
    /// the thread then.
    /// </summary>
    internal sealed class ExternalSigner
    {
        private static readonly object s_gate = new object();
        private static readonly Dictionary<string, WeakReference<ExternalSigner>> s_signers =
            new Dictionary<string, WeakReference<ExternalSigner>>(StringComparer.Ordinal);

        private readonly Loop _loop;

        private ExternalSigner(RSA key)
        {
            _loop = new Loop(key);
            Thread thread = new Thread(_loop.Run) { IsBackground = true, Name = "SecureAppModel signer" };
            thread.Start();
        }

        ~ExternalSigner() => _loop.Stop();

        internal SignerHandle Handle => _loop.Handle;

        /// <summary>The signer of a certificate: one for all of its credentials that have the same key object or no other.</summary>
        internal static ExternalSigner Of(X509Certificate2 certificate, RSA key)
        {
            string thumbprint = certificate.Thumbprint;
            lock (s_gate)
            {
                if (s_signers.TryGetValue(thumbprint, out WeakReference<ExternalSigner>? known) && known.TryGetTarget(out ExternalSigner? signer))
                {
                    signer._loop.Use(key);
                    return signer;
                }

                signer = new ExternalSigner(key);
                foreach (string gone in s_signers.Where(entry => !entry.Value.TryGetTarget(out _)).Select(entry => entry.Key).ToArray())
                {
                    s_signers.Remove(gone);
                }

                s_signers[thumbprint] = new WeakReference<ExternalSigner>(signer);
                return signer;
            }
        }

        /// <summary>The signer that a certificate has by now; null where it has none.</summary>
        internal static ExternalSigner? Known(string? thumbprint)
        {
            lock (s_gate)
            {
                return thumbprint is not null && s_signers.TryGetValue(thumbprint, out WeakReference<ExternalSigner>? known)
                    && known.TryGetTarget(out ExternalSigner? signer)
                        ? signer
                        : null;
            }
        }

        private sealed class Loop
        {
            /// <summary>How long the thread lives on when nobody holds the signer any more.</summary>
            private const uint PollMilliseconds = 1000;

            private volatile RSA _key;
            private volatile bool _stopped;

            internal Loop(RSA key)
            {
                _key = key;
                Handle = Native.OpenSigner();
            }

            internal SignerHandle Handle { get; }

            /// <summary>The newest object of the same key: an older one may have been disposed of by its owner.</summary>
            internal void Use(RSA key) => _key = key;

            internal void Stop() => _stopped = true;

            internal void Run()
            {
                using (Handle)
                {
                    while (!_stopped)
                    {
                        try
                        {
                            if (Native.NextToSign(Handle, PollMilliseconds) is SignRequest request)
                            {
                                Answer(request);
                            }
                        }
                        catch (Exception cause) when (cause is SecureAppException or ObjectDisposedException)
                        {
                            // The library has ended, and with it everybody who could ask.
                            return;
                        }
                    }
                }
            }

            private void Answer(SignRequest request)
            {
                bool pss = request.Algorithm == "PS256";
                byte[] signature;
                try
                {
                    signature = _key.SignData(request.Data, HashAlgorithmName.SHA256, pss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
                }
                catch (Exception cause) when (pss && IsIncapable(cause))
                {
                    Native.Decline(Handle, request.Id);
                    return;
                }
                catch (Exception cause)
                {
                    // Whatever a key's provider throws is the reason that its user has to read.
                    Native.FailSigning(Handle, request.Id, cause.Message);
                    return;
                }

                Native.ReplySignature(Handle, request.Id, signature);
            }

            /// <summary>True unless a person or the key's owner has refused: then another algorithm changes nothing.</summary>
            private static bool IsIncapable(Exception cause)
            {
                const int CancelledByUser = unchecked((int)0x800704C7);
                const int CardCancelled = unchecked((int)0x8010006E);
                const int WrongPin = unchecked((int)0x8010006B);
                return cause is NotSupportedException or NotImplementedException or ArgumentException
                    || (cause is CryptographicException && cause.HResult is not (CancelledByUser or CardCancelled or WrongPin));
            }
        }
    }

    /// <summary>One thing to sign.</summary>
    internal sealed class SignRequest
    {
        internal SignRequest(ulong id, string algorithm, byte[] data)
        {
            Id = id;
            Algorithm = algorithm;
            Data = data;
        }

        internal ulong Id { get; }

        /// <summary>PS256 or RS256.</summary>
        internal string Algorithm { get; }

        internal byte[] Data { get; }
    }
}
