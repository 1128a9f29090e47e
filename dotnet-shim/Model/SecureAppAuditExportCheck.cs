using System;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What a tenant's export folder was found to hold, against its journal and its manifest.</summary>
    public sealed class SecureAppAuditExportCheck
    {
        internal SecureAppAuditExportCheck(ValueMap record)
        {
            TenantId = record.OptionalText("tenantId");
            Path = record.Text("path");
            Format = record.OptionalText("format");
            Valid = record.Flag("valid");
            Intact = record.Flag("intact");
            Complete = record.Flag("complete");
            InUse = record.Flag("inUse");
            StartTime = SecureAppAuditExport.Time(record, "startTime");
            EndTime = SecureAppAuditExport.Time(record, "endTime");
            Records = record.Int("records");
            Rejects = record.Int("rejects");
            Parts = record.Int("parts");
            Bytes = record.Int("bytes");
            Gaps = record.Maps("gaps").Select(gap => new AuditGap(gap)).ToArray();
            Problems = record.Maps("problems").Select(problem => new AuditExportProblem(problem)).ToArray();
            MoreProblems = record.Int("moreProblems");
            Elapsed = TimeSpan.FromMilliseconds(record.Int("elapsedMs"));
        }

        public string? TenantId { get; }

        /// <summary>The tenant's folder.</summary>
        public string Path { get; }

        public string? Format { get; }

        /// <summary>True where there is no problem at all: intact and complete.</summary>
        public bool Valid { get; }

        /// <summary>True where the files are what exports have written, each record once, whether or not something is missing from the time range.</summary>
        public bool Intact { get; }

        /// <summary>True where nothing is missing between the first moment that an export asked for and the last.</summary>
        public bool Complete { get; }

        /// <summary>True where an export was writing to the folder meanwhile; what it had not finished was left out.</summary>
        public bool InUse { get; }

        /// <summary>The first moment that an export into the folder asked for.</summary>
        public DateTimeOffset? StartTime { get; }

        public DateTimeOffset? EndTime { get; }

        /// <summary>Records that were counted in the parts.</summary>
        public long Records { get; }

        /// <summary>Records that are no valid JSON text, in the folder rejects.</summary>
        public long Rejects { get; }

        public long Parts { get; }

        public long Bytes { get; }

        public AuditGap[] Gaps { get; }

        public AuditExportProblem[] Problems { get; }

        /// <summary>How many problems there are beyond those listed.</summary>
        public long MoreProblems { get; }

        public TimeSpan Elapsed { get; }

        public override string ToString() => Path;
    }

    /// <summary>Something that is wrong with an export folder, and what to do about it.</summary>
    public sealed class AuditExportProblem
    {
        internal AuditExportProblem(ValueMap problem)
        {
            Subject = problem.Text("subject");
            File = problem.OptionalText("file");
            Detail = problem.Text("detail");
            Remedy = problem.Text("remedy");
        }

        /// <summary>Gap, Rejected, InUse, Unfinished, Missing, Altered, Duplicate, Unknown, Journal or Manifest.</summary>
        public string Subject { get; }

        /// <summary>The file that it is about, below the tenant's folder.</summary>
        public string? File { get; }

        public string Detail { get; }

        /// <summary>What to do next.</summary>
        public string Remedy { get; }

        public override string ToString() => Subject + (File is null ? string.Empty : " " + File) + ": " + Detail;
    }
}
