using System;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A customer's security in a row. What could not be had is null, and Reason says why.</summary>
    public sealed class DelegatedTenantSecuritySummary
    {
        internal DelegatedTenantSecuritySummary(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            ScoreDateTime = record.Time("scoreDateTime");
            CurrentScore = record.Number("currentScore");
            MaxScore = record.Number("maxScore");
            Percentage = record.Number("percentage");
            AverageAllTenants = record.Number("averageAllTenants");
            AverageTotalSeats = record.Number("averageTotalSeats");
            AverageIndustry = record.Number("averageIndustry");
            HighAlerts = record.OptionalInt("highAlerts");
            MediumAlerts = record.OptionalInt("mediumAlerts");
            LowAlerts = record.OptionalInt("lowAlerts");
            InformationalAlerts = record.OptionalInt("informationalAlerts");
            OpenAlerts = record.OptionalInt("openAlerts");
            Change7Days = record.Number("change7Days");
            Change30Days = record.Number("change30Days");
            Reason = record.OptionalText("reason");
        }

        public string TenantId { get; }

        public string? DisplayName { get; }

        /// <summary>The day that the score is of.</summary>
        public DateTimeOffset? ScoreDateTime { get; }

        public double? CurrentScore { get; }

        public double? MaxScore { get; }

        /// <summary>What the score is of what it could be, 0 to 100.</summary>
        public double? Percentage { get; }

        /// <summary>What all tenants have on average, as the service gives it.</summary>
        public double? AverageAllTenants { get; }

        /// <summary>What tenants with as many seats have.</summary>
        public double? AverageTotalSeats { get; }

        /// <summary>What tenants of the same industry have.</summary>
        public double? AverageIndustry { get; }

        /// <summary>Alerts of high severity that are new or in progress.</summary>
        public long? HighAlerts { get; }

        public long? MediumAlerts { get; }

        public long? LowAlerts { get; }

        public long? InformationalAlerts { get; }

        /// <summary>All alerts that are new or in progress, of whatever severity.</summary>
        public long? OpenAlerts { get; }

        /// <summary>How Percentage has moved since the run of the history that is nearest to seven days ago; null where none is near.</summary>
        public double? Change7Days { get; }

        /// <summary>The same for thirty days.</summary>
        public double? Change30Days { get; }

        /// <summary>Why something is missing, and what to do; null where nothing is.</summary>
        public string? Reason { get; }

        public override string ToString() => DisplayName ?? TenantId;
    }
}
