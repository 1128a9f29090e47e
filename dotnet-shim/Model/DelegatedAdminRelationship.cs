using System;
using System.Linq;
using System.Xml;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A granular delegated admin relationship of the partner with a customer.</summary>
    public sealed class DelegatedAdminRelationship
    {
        internal DelegatedAdminRelationship(ValueMap record)
        {
            Id = record.Text("id");
            DisplayName = record.OptionalText("displayName");
            Status = record.Text("status");
            Roles = DelegatedAdminRole.All(record);
            Duration = Span(record.OptionalText("duration"));
            AutoExtend = record.Flag("autoExtend");
            AutoExtendDuration = AutoExtend ? Span(record.OptionalText("autoExtendDuration")) : null;
            ActivatedOn = record.Time("activated");
            EndsOn = record.Time("ends");
            Assignments = record.Get("assignments") is null ? null : record.Maps("assignments").Select(map => new DelegatedAdminAssignment(map)).ToArray();
        }

        public string Id { get; }

        public string? DisplayName { get; }

        /// <summary>As the service says it: active, expiring, expired, terminated and others.</summary>
        public string Status { get; }

        /// <summary>The partner has its roles.</summary>
        public bool IsInForce => Status is "active" or "expiring";

        public DelegatedAdminRole[] Roles { get; }

        public TimeSpan? Duration { get; }

        /// <summary>Goes on by itself when it ends.</summary>
        public bool AutoExtend { get; }

        /// <summary>For how long it then goes on.</summary>
        public TimeSpan? AutoExtendDuration { get; }

        public DateTimeOffset? ActivatedOn { get; }

        public DateTimeOffset? EndsOn { get; }

        /// <summary>The groups of the partner that hold its roles; null where they were not asked for.</summary>
        public DelegatedAdminAssignment[]? Assignments { get; }

        public override string ToString() => (DisplayName ?? Id) + ": " + Status;

        /// <summary>An ISO 8601 duration, for example P730D.</summary>
        private static TimeSpan? Span(string? text)
        {
            try
            {
                return text is null ? null : XmlConvert.ToTimeSpan(text);
            }
            catch (FormatException)
            {
                return null;
            }
        }
    }
}
