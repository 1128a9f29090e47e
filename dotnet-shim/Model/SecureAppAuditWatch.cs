using System;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>How a tenant is whose audit log is followed, after a round that brought records or news.</summary>
    public sealed class SecureAppAuditWatch
    {
        internal SecureAppAuditWatch(ValueMap record)
        {
            Time = SecureAppAuditExport.Time(record, "time");
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            State = record.Text("state");
            Records = record.Int("records");
            TotalRecords = record.Int("watchRecords");
            Duplicates = record.Int("duplicates");
            FinalUntil = SecureAppAuditExport.Time(record, "finalUntil");
            Lag = record.OptionalInt("lagMs") is long lag ? TimeSpan.FromMilliseconds(lag) : null;
            Gaps = record.Maps("gaps").Select(gap => new AuditGap(gap)).ToArray();
            FolderComplete = record.Flag("folderComplete");
            Reason = record.OptionalText("reason");
            NextRound = SecureAppAuditExport.Time(record, "nextRound");
            Path = record.OptionalText("path");
            Error = record.Map("error") is ValueMap error ? SecureAppException.From(error, SecureAppErrorKind.Internal) : null;
        }

        /// <summary>When the round ended.</summary>
        public DateTimeOffset? Time { get; }

        public string TenantId { get; }

        public string? DisplayName { get; }

        /// <summary>Following: all that could come has come. Incomplete: something is missing. Failing: the round failed and is tried again.</summary>
        public string State { get; }

        /// <summary>Distinct records that the round has written.</summary>
        public long Records { get; }

        /// <summary>Distinct records that this command has written for the tenant.</summary>
        public long TotalRecords { get; }

        public long Duplicates { get; }

        /// <summary>Up to when the service adds nothing any more to what is written.</summary>
        public DateTimeOffset? FinalUntil { get; }

        /// <summary>How far that is behind.</summary>
        public TimeSpan? Lag { get; }

        /// <summary>What the round could not have.</summary>
        public AuditGap[] Gaps { get; }

        /// <summary>True where the folder lacks nothing of what this command and exports before it asked for.</summary>
        public bool FolderComplete { get; }

        /// <summary>Why something is missing.</summary>
        public string? Reason { get; }

        public DateTimeOffset? NextRound { get; }

        /// <summary>The tenant's folder.</summary>
        public string? Path { get; }

        public SecureAppException? Error { get; }

        public override string ToString() => TenantId + ": " + State;
    }
}
