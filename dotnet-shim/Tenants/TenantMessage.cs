using System;
using System.Management.Automation;

namespace SecureAppModel.Tenants
{
    /// <summary>What comes of a running script, in the order in which it came.</summary>
    internal sealed class TenantMessage
    {
        internal TenantMessage(TenantRun run, object content)
        {
            Run = run;
            Content = content;
        }

        internal TenantRun Run { get; }

        /// <summary>An object of the output, a record of another stream, or the <see cref="RunEnd"/>.</summary>
        internal object Content { get; }
    }

    /// <summary>An object that the script wrote, told apart from the records of the other streams, which a script may write too.</summary>
    internal sealed class RunOutput
    {
        internal RunOutput(PSObject? value) => Value = value;

        internal PSObject? Value { get; }
    }

    /// <summary>The script has ended.</summary>
    internal sealed class RunEnd
    {
        internal RunEnd(Exception? failure) => Failure = failure;

        /// <summary>What ended it; null where it came to its own end or was stopped.</summary>
        internal Exception? Failure { get; }
    }
}
