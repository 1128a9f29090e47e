using SecureAppModel.EngineTests.Leaks;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LastCollection.Orderer))]

namespace SecureAppModel.EngineTests.Leaks;

/// <summary>For what looks back at the whole run: it is run when everything else has been.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LastCollection
{
    public const string Name = "last";

    /// <summary>Those that run by themselves come after the parallel ones anyway.</summary>
    public sealed class Orderer : ITestCollectionOrderer
    {
        public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
            where TTestCollection : ITestCollection =>
            [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName == Name)];
    }
}
