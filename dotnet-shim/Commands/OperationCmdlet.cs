// The life of an operation inside a cmdlet. Only the pipeline thread reads and writes; StopProcessing, on another
// thread, does one thing: it cancels natively, under a lock, and the pipeline thread sees that and leaves.
using System;
using System.Diagnostics;
using System.IO;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Base of every cmdlet whose work runs natively and answers with a stream of events.</summary>
    public abstract class OperationCmdlet : SecureAppCmdlet, IDisposable
    {
        private const int PollMilliseconds = 100;

        private readonly object _gate = new object();
        private ProgressWriter? _progress;
        private OperationHandle? _operation;
        private bool _stopped;
        private bool _done;

        /// <summary>Items handed over whose outcome has not come back yet.</summary>
        internal int Outstanding { get; private set; }

        internal bool IsStarted => _operation is not null;

        /// <summary>Starts the native operation; a failure to start ends the command.</summary>
        internal void Start(RequestBuilder request) => Guarded(() => Begin(request), null);

        /// <summary>Starts the native operation.</summary>
        /// <exception cref="SecureAppException">It does not start.</exception>
        internal void Begin(RequestBuilder request)
        {
            // What nobody reads is not made.
            request.Flag("verbose", Reads("Verbose")).Flag("debug", Reads("Debug"));
            SessionHandle session = State.Session;
            lock (_gate)
            {
                // A stop can arrive before the handle exists; nothing would cancel it then.
                if (_stopped)
                {
                    throw new PipelineStoppedException();
                }

                _operation = Native.Start(session, request);
            }
        }

        /// <summary>Runs one operation to its end, after the one before it: for commands whose every input is one.</summary>
        internal void Run(RequestBuilder request)
        {
            Restart(request);
            Complete();
        }

        /// <summary>Starts one more operation after the one before it has ended.</summary>
        internal void Restart(RequestBuilder request)
        {
            Forget();
            Start(request);
        }

        /// <summary>Makes room for one more operation.</summary>
        internal void Forget()
        {
            lock (_gate)
            {
                _operation?.Dispose();
                _operation = null;
            }

            _done = false;
            Outstanding = 0;
        }

        /// <summary>Hands over one item, reading events for as long as the queue is full.</summary>
        internal void Submit(RequestBuilder item)
        {
            while (!_done)
            {
                if (Taken(item))
                {
                    Outstanding++;
                    return;
                }

                Pull(PollMilliseconds);
            }
        }

        /// <summary>Emits what has arrived, without waiting.</summary>
        internal void DrainReady()
        {
            while (Pull(0))
            {
            }
        }

        /// <summary>Emits until every item handed over so far has its outcome, at most for the time given.</summary>
        internal void DrainOutstanding(TimeSpan limit)
        {
            Stopwatch waited = Stopwatch.StartNew();
            while (Outstanding > 0 && !_done)
            {
                TimeSpan left = limit - waited.Elapsed;
                if (left <= TimeSpan.Zero)
                {
                    return;
                }

                Pull(Math.Min(PollMilliseconds, Math.Max(1, (int)left.TotalMilliseconds)));
            }
        }

        /// <summary>No more items: emits everything that is still to come.</summary>
        internal void Complete()
        {
            if (_operation is OperationHandle operation)
            {
                Guarded(() => Native.FinishInput(operation), null);
                while (!_done)
                {
                    Pull(PollMilliseconds);
                }
            }
        }

        /// <summary>Emits everything that is still to come, while items can be submitted in answer to a prompt.</summary>
        internal void Follow()
        {
            while (!_done)
            {
                Pull(PollMilliseconds);
            }
        }

        /// <summary>No more items, while events are still being followed.</summary>
        internal void FinishInput() => Guarded(() => Native.FinishInput(_operation!), null);

        /// <summary>One result. Runs on the pipeline thread.</summary>
        internal abstract void OnRecord(ValueMap record);

        /// <summary>One item failed, and the rest goes on.</summary>
        internal virtual void OnFailed(ValueMap target, SecureAppException failure) =>
            WriteError(ErrorRecords.From(failure, target.OptionalText("tenant")));

        /// <summary>The credential that the operation has made, once its record is here.</summary>
        /// <param name="needs">What must live as long as it does.</param>
        internal SecureAppCredential TakeCredential(object? needs = null) =>
            Guarded(() => new SecureAppCredential(Native.CredentialOf(_operation!), needs), null);

        /// <summary>How far the operation is.</summary>
        internal virtual void OnProgress(ValueMap progress) => (_progress ??= new ProgressWriter(this)).Take(progress);

        /// <summary>The operation ended with a failure; unless this returns, so does the command.</summary>
        internal virtual void OnEnded(SecureAppException failure) => Fail(failure, null);

        /// <summary>The user must do something for the work to go on. Runs on the pipeline thread.</summary>
        internal virtual void OnPrompt(ValueMap prompt) => WriteWarning(prompt.Text("message"));

        protected override void StopProcessing()
        {
            lock (_gate)
            {
                _stopped = true;
                if (_operation is not null && !_operation.IsClosed)
                {
                    Native.Cancel(_operation);
                }
            }
        }

        /// <summary>Frees the operation, which ends it: also after an error, a break or Select-Object -First.</summary>
        public void Dispose()
        {
            Dispose(disposing: true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            lock (_gate)
            {
                _operation?.Dispose();
            }
        }

        /// <summary>Whether this command's stream of that name goes anywhere: by its own switch, or else by the caller's preference.</summary>
        internal bool Reads(string stream)
        {
            if (MyInvocation.BoundParameters.TryGetValue(stream, out object? wanted))
            {
                return LanguagePrimitives.IsTrue(wanted);
            }

            object? preference = GetVariableValue(stream + "Preference");
            return LanguagePrimitives.TryConvertTo(preference, out ActionPreference action)
                && action is not ActionPreference.SilentlyContinue and not ActionPreference.Ignore;
        }

        private bool Taken(RequestBuilder item)
        {
            try
            {
                return Native.Submit(_operation!, item);
            }
            catch (SecureAppException)
            {
                // The operation has ended. Its own last word, which comes with the events, says why better than this.
                while (!_done)
                {
                    Pull(PollMilliseconds);
                }

                if (Stopping)
                {
                    return true;
                }

                throw;
            }
        }

        /// <summary>Emits at most one event; false where there was none in time or there will be no more.</summary>
        private bool Pull(int timeoutMilliseconds)
        {
            if (_done)
            {
                return false;
            }

            NativeStatus status;
            NativeEventKind kind;
            object? value;
            try
            {
                status = Native.Next(_operation!, timeoutMilliseconds, out kind, out value);
            }
            catch (SecureAppException failure)
            {
                _done = true;
                if (failure.Kind == SecureAppErrorKind.Cancelled && Stopping)
                {
                    // The pipeline is being torn down; there is nobody left to tell.
                    return false;
                }

                OnEnded(failure);
                return false;
            }
            catch (InvalidDataException failure)
            {
                _done = true;
                ThrowTerminatingError(ErrorRecords.FromAny(failure, null));
                throw;
            }

            if (status == NativeStatus.Done)
            {
                _done = true;
                _progress?.Finish();
                HostStore.Settle(this);
                return false;
            }

            if (status != NativeStatus.Ok)
            {
                _progress?.Flush();
                return false;
            }

            Emit(kind, value);
            return true;
        }

        private void Emit(NativeEventKind kind, object? value)
        {
            switch (kind)
            {
                case NativeEventKind.Record:
                    Outstanding = Math.Max(0, Outstanding - 1);
                    OnRecord((ValueMap)value!);
                    break;
                case NativeEventKind.Failed:
                    Outstanding = Math.Max(0, Outstanding - 1);
                    ValueMap failed = (ValueMap)value!;
                    SecureAppException failure = SecureAppException.From(failed.Map("error") ?? ValueMap.Empty, SecureAppErrorKind.Internal);
                    OnFailed(failed.Map("target") ?? ValueMap.Empty, failure);
                    break;
                case NativeEventKind.Warning:
                    WriteWarning((string)value!);
                    break;
                case NativeEventKind.Verbose:
                    WriteVerbose((string)value!);
                    break;
                case NativeEventKind.Debug:
                    WriteDebug((string)value!);
                    break;
                case NativeEventKind.Progress:
                    OnProgress((ValueMap)value!);
                    break;
                case NativeEventKind.Prompt:
                    OnPrompt((ValueMap)value!);
                    break;
            }
        }
    }
}
