using System;
using System.Globalization;

namespace SecureAppModel.Commands
{
    /// <summary>The time for which audit records are asked for.</summary>
    internal readonly struct AuditPeriod
    {
        /// <summary>More than a day, so that each run of a daily job overlaps the one before; what comes twice is written once.</summary>
        private static readonly TimeSpan s_span = TimeSpan.FromHours(25);

        private AuditPeriod(DateTimeOffset start, DateTimeOffset end)
        {
            Start = start;
            End = end;
        }

        /// <summary>How long the feed adds to what it has listed; the core's own default.</summary>
        internal static TimeSpan FeedDelay { get; } = TimeSpan.FromMinutes(10);

        /// <summary>How long after an event a search may find it; the core's own default.</summary>
        internal static TimeSpan SearchDelay { get; } = TimeSpan.FromDays(1);

        internal DateTimeOffset Start { get; }

        /// <summary>The first moment that does not belong to it.</summary>
        internal DateTimeOffset End { get; }

        /// <summary>What the parameters say, with their defaults: up to as late as the result can be final.</summary>
        /// <exception cref="SecureAppException">They say nothing that could be asked for.</exception>
        internal static AuditPeriod Of(DateTime? start, DateTime? end, DateTime? month, TimeSpan delay)
        {
            DateTimeOffset now = DateTimeOffset.UtcNow;
            if (month is DateTime named)
            {
                return start is null && end is null
                    ? OfMonth(named, now)
                    : throw ErrorRecords.Refusal("A month has its own start and end.", "Use -Month, or -StartTime and -EndTime.");
            }

            DateTimeOffset last = end is DateTime given ? Moment(given) : now - delay;
            DateTimeOffset first = start is DateTime begin ? Moment(begin) : (last > now ? now : last) - s_span;
            return first < last
                ? new AuditPeriod(first, last)
                : throw ErrorRecords.Refusal(
                    "The start, " + first.ToString("u") + ", is not before the end, " + last.ToString("u") + ".",
                    "Give -StartTime and -EndTime so that there is time between them; times without a zone are local.");
        }

        /// <summary>A month as the records' own times have it, which are UTC.</summary>
        private static AuditPeriod OfMonth(DateTime month, DateTimeOffset now)
        {
            // A bare number is a time of the year 1 to PowerShell.
            if (month.Year < 2000)
            {
                throw ErrorRecords.Refusal("-Month is no month of any audit log.", "Give year and month, for example -Month 2026-10.");
            }

            DateTimeOffset start = new DateTimeOffset(month.Year, month.Month, 1, 0, 0, 0, TimeSpan.Zero);
            return start < now
                ? new AuditPeriod(start, start.AddMonths(1))
                : throw ErrorRecords.Refusal("The month " + start.ToString("yyyy-MM", CultureInfo.InvariantCulture) + " has not begun.", "Give a month that has, for example -Month " + now.AddMonths(-1).ToString("yyyy-MM", CultureInfo.InvariantCulture) + ".");
        }

        /// <summary>A time without a zone is local, as everywhere in PowerShell.</summary>
        internal static DateTimeOffset Moment(DateTime time) => new DateTimeOffset(time.ToUniversalTime());
    }
}
