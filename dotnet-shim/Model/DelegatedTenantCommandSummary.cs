using System;
using System.Collections.Generic;
using System.Linq;

namespace SecureAppModel
{
    /// <summary>What became of a script in all tenants; Invoke-DelegatedTenantCommand -Resume takes it to run the rest.</summary>
    public sealed class DelegatedTenantCommandSummary
    {
        private readonly List<DelegatedTenantCommandResult> _results = new List<DelegatedTenantCommandResult>();

        internal DelegatedTenantCommandSummary()
        {
        }

        public int Total => _results.Count;

        public int Succeeded => _results.Count(result => result.Status == DelegatedTenantCommandStatus.Succeeded);

        /// <summary>Those that failed or ran out of time.</summary>
        public int Failed => _results.Count(result => result.Status is DelegatedTenantCommandStatus.Failed or DelegatedTenantCommandStatus.TimedOut);

        /// <summary>Those that a stop left without an end.</summary>
        public int NotRun => _results.Count(result => result.Status == DelegatedTenantCommandStatus.NotRun);

        public TimeSpan Elapsed { get; internal set; }

        /// <summary>One row for each tenant, in the order of the input.</summary>
        public DelegatedTenantCommandResult[] Results => _results.ToArray();

        internal void Add(DelegatedTenantCommandResult result) => _results.Add(result);

        public override string ToString()
        {
            string text = Succeeded + " of " + Total + " tenants succeeded";
            if (Failed > 0)
            {
                text += ", " + Failed + " failed";
            }

            return NotRun > 0 ? text + ", " + NotRun + " not run" : text;
        }
    }
}
