using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>One of the controls that a secure score is made of: what it brings, and what its profile says of it.</summary>
    public sealed class SecureScoreControl
    {
        internal SecureScoreControl(ValueMap control)
        {
            ControlName = control.Text("controlName");
            Title = control.OptionalText("title");
            ControlCategory = control.OptionalText("controlCategory");
            Score = control.Number("score");
            MaxScore = control.Number("maxScore");
            ImplementationStatus = control.OptionalText("implementationStatus");
            Description = control.OptionalText("description");
            Service = control.OptionalText("service");
            Tier = control.OptionalText("tier");
            Rank = control.OptionalInt("rank");
            UserImpact = control.OptionalText("userImpact");
            ImplementationCost = control.OptionalText("implementationCost");
            ActionUrl = control.OptionalText("actionUrl");
        }

        public string ControlName { get; }

        public string? Title { get; }

        /// <summary>Identity, Data, Device, Apps or Infrastructure.</summary>
        public string? ControlCategory { get; }

        public double? Score { get; }

        /// <summary>What it would bring if it were in place for everything; null for a control without a profile.</summary>
        public double? MaxScore { get; }

        public string? ImplementationStatus { get; }

        public string? Description { get; }

        public string? Service { get; }

        public string? Tier { get; }

        /// <summary>Its place by what is to be done first.</summary>
        public long? Rank { get; }

        public string? UserImpact { get; }

        public string? ImplementationCost { get; }

        /// <summary>Where it is changed.</summary>
        public string? ActionUrl { get; }

        public override string ToString() =>
            ControlName + ": " + DelegatedTenantSecureScore.Shown(Score) + " of " + DelegatedTenantSecureScore.Shown(MaxScore);
    }
}
