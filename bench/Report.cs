using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace SecureAppModel.Bench;

/// <summary>A table for the screen and for bench/results, with what it takes to read its numbers.</summary>
internal sealed class Report(string name, string title, params string[] columns)
{
    private readonly List<string[]> _rows = [];
    private readonly List<string> _notes = [];
    private readonly List<string> _missed = [];

    public void Row(params string[] cells) => _rows.Add(cells);

    public void Note(string text) => _notes.Add(text);

    /// <summary>What the numbers must hold to; where they do not, the measurement fails.</summary>
    public void Limit(bool held, string text)
    {
        Note("Limit: " + text + (held ? "." : ". MISSED."));
        if (!held)
        {
            _missed.Add(text);
        }
    }

    /// <summary>What is aimed at; where it is not reached, that is said and nothing fails.</summary>
    public void Goal(bool reached, string seen, string aim) => Note($"Seen: {seen}. Aim: {aim}, {(reached ? "reached" : "not reached")}.");

    /// <summary>Prints the table and writes it to <c>bench/results/&lt;name&gt;.md</c>; the program's exit code.</summary>
    public int Finish()
    {
        var text = new StringBuilder();
        text.Append("# ").Append(title).Append("\n\n");
        text.Append($"Measured {DateTime.UtcNow:yyyy-MM-dd} on {RuntimeInformation.RuntimeIdentifier}, {Environment.ProcessorCount} cores, ")
            .Append("sandbox and client on the same machine, loopback TLS. Rates on shared machines vary; compare within one table.\n\n");
        text.Append(Line(columns)).Append(Line([.. columns.Select(_ => "---")]));
        foreach (string[] row in _rows)
        {
            text.Append(Line(row));
        }

        foreach (string note in _notes)
        {
            text.Append('\n').Append(note).Append('\n');
        }

        Console.Write(text);
        string folder = Directory.CreateDirectory(Path.Combine(Session.Root, "bench", "results")).FullName;
        File.WriteAllText(Path.Combine(folder, name + ".md"), text.ToString());
        _missed.ForEach(missed => Console.Error.WriteLine($"Beyond its limit: {missed}."));
        return _missed.Count == 0 ? 0 : 1;
    }

    /// <summary>Wall-clock and processor time of this process for some work.</summary>
    public static (TimeSpan Wall, TimeSpan Processor) Measure(Action work)
    {
        using Process process = Process.GetCurrentProcess();
        process.Refresh();
        TimeSpan before = process.TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        work();
        TimeSpan wall = Stopwatch.GetElapsedTime(start);
        process.Refresh();
        return (wall, process.TotalProcessorTime - before);
    }

    private static string Line(string[] cells) => "| " + string.Join(" | ", cells) + " |\n";
}
