using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Interop;
using SecureAppModel.Tenants;

namespace SecureAppModel.Commands
{
    /// <summary>The tenants under way: first their tokens, then the script, then what became of it. All on the pipeline thread.</summary>
    public sealed partial class InvokeDelegatedTenantCommandCommand
    {
        private const int PollMilliseconds = 10;

        /// <summary>Tokens that have waited for a while and end sooner are asked for again before the script begins.</summary>
        private static readonly TimeSpan s_freshness = TimeSpan.FromMinutes(2);
        private static readonly TimeSpan s_while = TimeSpan.FromSeconds(30);
        private static readonly TimeSpan s_progressStep = TimeSpan.FromMilliseconds(250);

        private readonly Dictionary<long, (TenantWork Work, string Name)> _asked = new Dictionary<long, (TenantWork, string)>();
        private readonly Queue<TenantWork> _ready = new Queue<TenantWork>();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private TenantRunner? _runner;
        private TimeSpan _shown = TimeSpan.MinValue;
        private long _items;
        private int _ended;
        private int _failed;

        /// <summary>Tenants between the input and their end.</summary>
        private int UnderWay => _summary.Total - _ended;

        protected override void StopProcessing()
        {
            base.StopProcessing();
            _runner?.Stop();
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            _runner?.Dispose();
        }

        private void Ask(TenantWork work)
        {
            string[] names = TokenInput.HasText(Scope) ? new[] { string.Join(" ", Scope!) } : Resource!;
            work.Expect(names.Length);
            foreach (string name in names)
            {
                _asked[++_items] = (work, name);
                using RequestBuilder item = new RequestBuilder("token").Int("item", _items).Text("tenant", work.Asked.Trim());
                if (TokenInput.HasText(Scope))
                {
                    item.Texts("scopes", Scope!.Select(scope => scope.Trim()));
                }
                else
                {
                    item.Text("resource", name.Trim());
                }

                Submit(item);
            }
        }

        private TenantWork Asked(ValueMap answer, out string name)
        {
            long item = answer.Int("item");
            TenantWork work;
            (work, name) = _asked[item];
            _asked.Remove(item);
            return work;
        }

        private void OnTokens(TenantWork work)
        {
            if (work.Missing > 0)
            {
                return;
            }

            if (work.Refusal is SecureAppException refusal)
            {
                work.Result.ErrorCount = 1;
                work.Result.Error = refusal.Message;
                End(work, DelegatedTenantCommandStatus.Failed);
                // The service may say the name too, but somewhere in its own words.
                bool isNamed = work.Tenant.DisplayName is null && refusal.Problem.Contains(work.Tenant.TenantId);
                WriteError(Marked(ErrorRecords.From(refusal, work.Asked), work, named: !isNamed));
                return;
            }

            _ready.Enqueue(work);
        }

        /// <summary>Until there is room for one more tenant: no more are asked for than can soon be run.</summary>
        private void PumpWhileFull()
        {
            while (UnderWay > ThrottleLimit * 2 && !Stopping)
            {
                Pump();
            }

            DrainReady();
            StartReady();
        }

        private void PumpToTheEnd()
        {
            while (UnderWay > 0 && !Stopping)
            {
                Pump();
            }

            if (_shown != TimeSpan.MinValue && !Stopping)
            {
                WriteProgress(new ProgressRecord(0, "Running the script", "Done") { RecordType = ProgressRecordType.Completed });
            }
        }

        private void Pump()
        {
            DrainReady();
            StartReady();
            TenantMessage? message = _runner!.Take(PollMilliseconds);
            while (message is not null && !Stopping)
            {
                OnMessage(message);
                StartReady();
                message = _runner.Take(0);
            }

            ShowProgress();
        }

        private void StartReady()
        {
            while (_runner!.HasRoom && _ready.Count > 0)
            {
                TenantWork work = _ready.Dequeue();
                if (work.Waited > s_while && work.End - DateTimeOffset.UtcNow < s_freshness)
                {
                    Ask(work);
                    continue;
                }

                work.Result.Attempts++;
                work.Result.ErrorCount = 0;
                work.Result.Error = null;
                _runner.Start(work);
            }
        }

        private void OnMessage(TenantMessage message)
        {
            TenantWork work = message.Run.Work;
            switch (message.Content)
            {
                case RunOutput output:
                    work.Result.OutputCount++;
                    WriteObject(TenantMark.On(output.Value, work.Tenant.TenantId, work.Tenant.DisplayName));
                    break;
                case ErrorRecord error:
                    OnError(work, error);
                    break;
                case WarningRecord warning:
                    WriteWarning(work.Title + ": " + warning.Message);
                    break;
                case VerboseRecord verbose:
                    WriteVerbose(work.Title + ": " + verbose.Message);
                    break;
                case DebugRecord debug:
                    WriteDebug(work.Title + ": " + debug.Message);
                    break;
                case InformationRecord information:
                    WriteInformation(information);
                    break;
                case RunEnd end:
                    OnEnd(work, message.Run, end);
                    break;
            }
        }

        private void OnEnd(TenantWork work, TenantRun run, RunEnd end)
        {
            work.Result.Elapsed = run.Elapsed;
            DelegatedTenantCommandStatus status = DelegatedTenantCommandStatus.Succeeded;
            if (run.StoppedAfter is not null)
            {
                status = DelegatedTenantCommandStatus.TimedOut;
                OnError(work, TimedOut(work));
            }
            else if (end.Failure is Exception failure)
            {
                OnError(work, (failure as IContainsErrorRecord)?.ErrorRecord ?? new ErrorRecord(failure, "SecureAppModel.TenantScript", ErrorCategory.NotSpecified, work.Tenant.TenantId));
            }

            if (work.Result.ErrorCount == 0)
            {
                End(work, DelegatedTenantCommandStatus.Succeeded);
            }
            else if (work.Result.Attempts <= RetryCount)
            {
                WriteWarning(work.Title + ": attempt " + work.Result.Attempts + " of " + (RetryCount + 1) + " failed and is repeated. " + work.Result.Error);
                Ask(work);
            }
            else
            {
                End(work, status == DelegatedTenantCommandStatus.Succeeded ? DelegatedTenantCommandStatus.Failed : status);
            }
        }

        /// <summary>An error of the script: written where this attempt is the last one, and held back otherwise.</summary>
        private void OnError(TenantWork work, ErrorRecord error)
        {
            work.Result.ErrorCount++;
            work.Result.Error ??= error.ToString();
            if (work.Result.Attempts > RetryCount)
            {
                WriteError(Marked(error, work, named: true));
            }
        }

        private ErrorRecord TimedOut(TenantWork work) => ErrorRecords.From(
            new SecureAppException(
                SecureAppErrorKind.Timeout,
                "The script was stopped after " + TimeoutSeconds + " seconds.",
                "Give it more time with -TimeoutSeconds, or let it do less; -Resume runs the tenants that are left."),
            work.Tenant.TenantId);

        private void End(TenantWork work, DelegatedTenantCommandStatus status)
        {
            work.Result.Status = status;
            _ended++;
            _failed += status == DelegatedTenantCommandStatus.Succeeded ? 0 : 1;
        }

        /// <summary>The error with the tenant on it; <paramref name="named"/> puts its name before the message too.</summary>
        private static ErrorRecord Marked(ErrorRecord error, TenantWork work, bool named)
        {
            ErrorRecord marked = new ErrorRecord(error, null);
            if (named)
            {
                string? advice = error.ErrorDetails?.RecommendedAction;
                marked.ErrorDetails = new ErrorDetails(work.Title + ": " + error) { RecommendedAction = advice ?? string.Empty };
            }

            TenantMark.On(marked, work.Tenant.TenantId, work.Tenant.DisplayName);
            return marked;
        }

        private void ShowProgress()
        {
            if (_summary.Total < 2 || (_shown != TimeSpan.MinValue && _clock.Elapsed - _shown < s_progressStep))
            {
                return;
            }

            _shown = _clock.Elapsed;
            string status = _ended + " of " + _summary.Total + " tenants" + (_failed > 0 ? ", " + _failed + " failed" : string.Empty);
            WriteProgress(new ProgressRecord(0, "Running the script", status) { PercentComplete = 100 * _ended / _summary.Total });
        }
    }
}
