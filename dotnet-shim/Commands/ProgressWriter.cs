using System.Collections.Generic;
using System.Diagnostics;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Writes progress at most four times a second, because drawing it is slow; the last state of every line is kept
    /// and written later, and a completed line is written at once.
    /// </summary>
    internal sealed class ProgressWriter
    {
        private const int IntervalMilliseconds = 250;

        private readonly Cmdlet _cmdlet;
        private readonly Dictionary<int, ProgressRecord> _waiting = new Dictionary<int, ProgressRecord>();
        private readonly Dictionary<int, ProgressRecord> _shown = new Dictionary<int, ProgressRecord>();
        private readonly Stopwatch _sinceWritten = new Stopwatch();

        internal ProgressWriter(Cmdlet cmdlet)
        {
            _cmdlet = cmdlet;
        }

        internal void Take(ValueMap progress)
        {
            ProgressRecord record = Record(progress);
            if (record.RecordType == ProgressRecordType.Completed)
            {
                _waiting.Remove(record.ActivityId);
                if (_shown.Remove(record.ActivityId))
                {
                    _cmdlet.WriteProgress(record);
                }

                return;
            }

            _waiting[record.ActivityId] = record;
            Flush();
        }

        /// <summary>Writes what waits, if it is time.</summary>
        internal void Flush()
        {
            if (_waiting.Count == 0 || (_sinceWritten.IsRunning && _sinceWritten.ElapsedMilliseconds < IntervalMilliseconds))
            {
                return;
            }

            foreach (ProgressRecord record in _waiting.Values)
            {
                _shown[record.ActivityId] = record;
                _cmdlet.WriteProgress(record);
            }

            _waiting.Clear();
            _sinceWritten.Restart();
        }

        /// <summary>Removes every line that is still shown.</summary>
        internal void Finish()
        {
            _waiting.Clear();
            foreach (ProgressRecord record in _shown.Values)
            {
                record.RecordType = ProgressRecordType.Completed;
                _cmdlet.WriteProgress(record);
            }

            _shown.Clear();
        }

        private static ProgressRecord Record(ValueMap progress)
        {
            // PowerShell refuses empty texts here.
            string activity = progress.OptionalText("activity") ?? "SecureAppModel";
            string status = progress.OptionalText("status") ?? "Working";
            return new ProgressRecord((int)progress.Int("id"), activity, status)
            {
                ParentActivityId = (int)(progress.OptionalInt("parent") ?? -1),
                PercentComplete = (int)(progress.OptionalInt("percent") ?? -1),
                RecordType = progress.Flag("completed") ? ProgressRecordType.Completed : ProgressRecordType.Processing,
            };
        }
    }
}
