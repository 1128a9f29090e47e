using System;

namespace SecureAppModel
{
    /// <summary>What became of a script in one tenant.</summary>
    public enum DelegatedTenantCommandStatus
    {
        /// <summary>It has not run to an end: the command was stopped before.</summary>
        NotRun,

        /// <summary>It ran to its end and wrote no error.</summary>
        Succeeded,

        /// <summary>It wrote an error, was ended by one, or there was no token for it.</summary>
        Failed,

        /// <summary>It was stopped because its time was over.</summary>
        TimedOut,
    }

    /// <summary>One tenant's row in the summary of Invoke-DelegatedTenantCommand.</summary>
    public sealed class DelegatedTenantCommandResult
    {
        internal DelegatedTenantCommandResult(DelegatedTenant tenant)
        {
            TenantId = tenant.TenantId;
            DisplayName = tenant.DisplayName;
        }

        public string TenantId { get; internal set; }

        public string? DisplayName { get; }

        public DelegatedTenantCommandStatus Status { get; internal set; }

        /// <summary>How often the script was started.</summary>
        public int Attempts { get; internal set; }

        /// <summary>Objects that it wrote, in all attempts.</summary>
        public long OutputCount { get; internal set; }

        /// <summary>Errors of the last attempt.</summary>
        public long ErrorCount { get; internal set; }

        /// <summary>How long the last attempt took.</summary>
        public TimeSpan Elapsed { get; internal set; }

        /// <summary>The last attempt's first error.</summary>
        public string? Error { get; internal set; }

        public override string ToString() => (DisplayName ?? TenantId) + ": " + Status;
    }
}
