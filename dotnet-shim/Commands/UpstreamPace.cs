using System;
using System.Diagnostics;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Decides whether a pipeline's items are waited for. The first one always is, so a script sees its first result
    /// before the next item is sent; later ones only where the command upstream is slow, because then waiting costs
    /// nothing. A fast upstream is never waited for: its items run concurrently.
    /// </summary>
    internal sealed class UpstreamPace
    {
        private const int SlowGapMilliseconds = 25;

        private readonly Stopwatch _sinceReturned = new Stopwatch();
        private bool _slow = true;

        /// <summary>No item is waited for longer than this before the upstream gets its turn again.</summary>
        internal static TimeSpan Patience { get; } = TimeSpan.FromSeconds(10);

        /// <summary>Call on entry to ProcessRecord: measures what the upstream took since it was last given its turn.</summary>
        internal void Enter() => _slow = !_sinceReturned.IsRunning || _sinceReturned.ElapsedMilliseconds > SlowGapMilliseconds;

        /// <summary>True where this item's outcome should be emitted before ProcessRecord returns.</summary>
        internal bool ShouldWait => _slow;

        /// <summary>Call when ProcessRecord is about to return.</summary>
        internal void Leave() => _sinceReturned.Restart();
    }
}
