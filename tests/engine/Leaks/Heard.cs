namespace SecureAppModel.EngineTests.Leaks;

/// <summary>Where text of the product comes to light.</summary>
public enum Place
{
    /// <summary>What a script itself wrote: strings, and objects that are not the module's.</summary>
    Text,

    /// <summary>One of the module's objects as a screen shows it.</summary>
    View,

    /// <summary>One of the module's objects as Export-Clixml and remoting write it.</summary>
    Serialised,

    Error,
    Warning,
    Verbose,
    Debug,
    Information,
    Progress,

    /// <summary>Everything else that a host was told to show.</summary>
    Screen,

    /// <summary>What a process of its own wrote, its crash among it.</summary>
    ChildOutput,
    ChildErrors,

    /// <summary>A file that a command wrote.</summary>
    File,
}

/// <summary>A text that came to light in a test, the script or program that it came from, and the type of the object that it shows.</summary>
public sealed record Heard(Place Place, string Test, string Script, string Text, string Type);
