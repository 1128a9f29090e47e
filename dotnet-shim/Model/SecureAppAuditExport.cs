using System;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What the export of one tenant's audit log has written.</summary>
    public sealed class SecureAppAuditExport
    {
        internal SecureAppAuditExport(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            Source = record.Text("source");
            ContentType = record.Texts("contentTypes");
            StartTime = Time(record, "startTime");
            EndTime = Time(record, "endTime");
            Records = record.Int("records");
            Duplicates = record.Int("duplicates");
            Conflicts = record.Int("conflicts");
            Blobs = record.Int("blobs");
            Bytes = record.Int("bytes");
            Gaps = record.Maps("gaps").Select(gap => new AuditGap(gap)).ToArray();
            Complete = record.Flag("complete");
            FolderComplete = record.Flag("folderComplete");
            Reason = record.OptionalText("reason");
            FinalUntil = Time(record, "finalUntil");
            Elapsed = TimeSpan.FromMilliseconds(record.Int("elapsedMs"));
            Path = record.OptionalText("path");
            Error = record.Map("error") is ValueMap error ? SecureAppException.From(error, SecureAppErrorKind.Internal) : null;
        }

        public string TenantId { get; }

        public string? DisplayName { get; }

        /// <summary>Feed, Exchange or Graph.</summary>
        public string Source { get; }

        public string[] ContentType { get; }

        public DateTimeOffset? StartTime { get; }

        public DateTimeOffset? EndTime { get; }

        /// <summary>Distinct records written by this run.</summary>
        public long Records { get; }

        /// <summary>Records that were delivered again and left out.</summary>
        public long Duplicates { get; }

        /// <summary>Records that came again with the same id and other content; the first one is kept.</summary>
        public long Conflicts { get; }

        public long Blobs { get; }

        /// <summary>Bytes written.</summary>
        public long Bytes { get; }

        /// <summary>The times for which the service did not deliver all that it listed.</summary>
        public AuditGap[] Gaps { get; }

        /// <summary>True where everything that the service has for the time asked is in the files.</summary>
        public bool Complete { get; }

        /// <summary>True where the tenant's folder also lacks nothing of what earlier exports into it asked for, nor of the time between.</summary>
        public bool FolderComplete { get; }

        /// <summary>Why it is not complete.</summary>
        public string? Reason { get; }

        /// <summary>Up to when the service adds nothing any more.</summary>
        public DateTimeOffset? FinalUntil { get; }

        public TimeSpan Elapsed { get; }

        /// <summary>The tenant's folder.</summary>
        public string? Path { get; }

        public SecureAppException? Error { get; }

        public override string ToString() => TenantId;

        internal static DateTimeOffset? Time(ValueMap map, string key) =>
            map.Time(key) ?? (map.OptionalInt(key) is long milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null);
    }

    /// <summary>A time for which records of one content type are missing.</summary>
    public sealed class AuditGap
    {
        internal AuditGap(ValueMap gap)
        {
            ContentType = gap.Text("contentType");
            StartTime = SecureAppAuditExport.Time(gap, "start");
            EndTime = SecureAppAuditExport.Time(gap, "end");
            Reason = gap.Text("reason");
        }

        public string ContentType { get; }

        public DateTimeOffset? StartTime { get; }

        public DateTimeOffset? EndTime { get; }

        public string Reason { get; }

        public override string ToString() => ContentType + " from " + StartTime?.ToString("u") + " to " + EndTime?.ToString("u") + ": " + Reason;
    }
}
