using System;
using System.Globalization;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A tenant's Microsoft Secure Score. What the service does not say is null.</summary>
    public sealed class DelegatedTenantSecureScore
    {
        internal DelegatedTenantSecureScore(ValueMap record)
        {
            TenantId = record.Text("tenantId");
            DisplayName = record.OptionalText("displayName");
            ValueMap score = record.Map("score") ?? ValueMap.Empty;
            CreatedDateTime = score.Time("createdDateTime");
            CurrentScore = score.Number("currentScore");
            MaxScore = score.Number("maxScore");
            Percentage = score.Number("percentage");
            AverageAllTenants = score.Number("averageAllTenants");
            AverageTotalSeats = score.Number("averageTotalSeats");
            AverageIndustry = score.Number("averageIndustry");
            ActiveUserCount = score.OptionalInt("activeUserCount");
            LicensedUserCount = score.OptionalInt("licensedUserCount");
            EnabledServices = score.Texts("enabledServices");
            ControlScores = record.Maps("controlScores").Select(control => new SecureScoreControl(control)).ToArray();
            History = record.Maps("history").Select(day => new SecureScoreDay(day)).ToArray();
        }

        public string TenantId { get; }

        public string? DisplayName { get; }

        /// <summary>The day that it is of.</summary>
        public DateTimeOffset? CreatedDateTime { get; }

        public double? CurrentScore { get; }

        public double? MaxScore { get; }

        /// <summary>What it is of what it could be, 0 to 100.</summary>
        public double? Percentage { get; }

        /// <summary>What all tenants have on average, as the service gives it.</summary>
        public double? AverageAllTenants { get; }

        /// <summary>What tenants with as many seats have.</summary>
        public double? AverageTotalSeats { get; }

        /// <summary>What tenants of the same industry have.</summary>
        public double? AverageIndustry { get; }

        public long? ActiveUserCount { get; }

        public long? LicensedUserCount { get; }

        public string[] EnabledServices { get; }

        /// <summary>What it is made of, where that was asked for.</summary>
        public SecureScoreControl[] ControlScores { get; }

        /// <summary>The last days, the newest first, where they were asked for.</summary>
        public SecureScoreDay[] History { get; }

        public override string ToString() => TenantId + ": " + Shown(CurrentScore) + " of " + Shown(MaxScore);

        internal static string Shown(double? score) => score?.ToString("0.##", CultureInfo.InvariantCulture) ?? "?";
    }

    /// <summary>A tenant's score on one day.</summary>
    public sealed class SecureScoreDay
    {
        internal SecureScoreDay(ValueMap day)
        {
            CreatedDateTime = day.Time("createdDateTime");
            CurrentScore = day.Number("currentScore");
            MaxScore = day.Number("maxScore");
            Percentage = day.Number("percentage");
        }

        public DateTimeOffset? CreatedDateTime { get; }

        public double? CurrentScore { get; }

        public double? MaxScore { get; }

        public double? Percentage { get; }

        public override string ToString() => CreatedDateTime?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + ": " + DelegatedTenantSecureScore.Shown(CurrentScore);
    }
}
