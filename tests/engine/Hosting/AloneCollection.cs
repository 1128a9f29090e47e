namespace SecureAppModel.EngineTests.Hosting;

/// <summary>For what needs the machine for itself.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
