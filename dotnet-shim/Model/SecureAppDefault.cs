namespace SecureAppModel
{
    /// <summary>What this session uses when a command is not told; null where there is no default.</summary>
    public sealed class SecureAppDefault
    {
        internal SecureAppDefault(RunspaceState state)
        {
            Credential = state.Credential;
            Environment = state.Environment;
        }

        public SecureAppCredential? Credential { get; }

        public string? Environment { get; }
    }
}
