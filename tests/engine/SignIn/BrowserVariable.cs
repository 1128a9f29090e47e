namespace SecureAppModel.EngineTests.SignIn;

/// <summary>For what sets the environment variable BROWSER, of which a process has one.</summary>
[CollectionDefinition(nameof(BrowserVariable))]
public sealed class BrowserVariable;
