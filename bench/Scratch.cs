namespace SecureAppModel.Bench;

/// <summary>
/// A folder for what measurements write. What one has written is emptied after it and deleted at the end of all: some file systems
/// are slow to create files just after many were deleted, and the next measurement would pay for the one before.
/// </summary>
internal sealed class Scratch : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("secureapp-bench-").FullName;

    /// <summary>Gives the space back.</summary>
    public void Empty()
    {
        foreach (string file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            using FileStream stream = File.OpenWrite(file);
            stream.SetLength(0);
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
