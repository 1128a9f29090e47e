namespace SecureAppModel.EngineTests.Sandboxing;

/// <summary>
/// One healthy sandbox for all tests that only look: 6 tenants and 600 audit records. A test that sets faults or changes
/// tenants starts its own.
/// </summary>
public sealed class SharedSandbox : IDisposable
{
    public Sandbox Sandbox { get; } = Sandbox.Start("--tenants", "6", "--records", "600", "--seed", "7");

    public void Dispose() => Sandbox.Dispose();
}
