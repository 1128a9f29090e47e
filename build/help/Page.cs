namespace SecureAppModel.Help;

/// <summary>One cmdlet's page: docs/cmdlets/Verb-Noun.md, in the headings that platyPS uses.</summary>
internal sealed class Page
{
    private Page(string name) => Name = name;

    public string Name { get; }

    public string Synopsis { get; private set; } = "";

    public string Description { get; private set; } = "";

    public List<(string Title, string Code, string Remarks)> Examples { get; } = [];

    public Dictionary<string, string> Parameters { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a page says that counts where a parameter is not given: its last paragraph, where that begins with Default.</summary>
    public Dictionary<string, string> Defaults { get; } = new(StringComparer.OrdinalIgnoreCase);

    public string Outputs { get; private set; } = "";

    public string Notes { get; private set; } = "";

    public static Page Read(string path)
    {
        var page = new Page(Path.GetFileNameWithoutExtension(path));
        foreach ((string heading, string body) in Sections(File.ReadAllLines(path), "## "))
        {
            switch (heading)
            {
                case "SYNOPSIS": page.Synopsis = body; break;
                case "DESCRIPTION": page.Description = body; break;
                case "OUTPUTS": page.Outputs = body; break;
                case "NOTES": page.Notes = body; break;
                case "EXAMPLES":
                    page.Examples.AddRange(Sections(body.Split('\n'), "### ").Select(Example));
                    break;
                case "PARAMETERS":
                    foreach ((string parameter, string text) in Sections(body.Split('\n'), "### "))
                    {
                        page.Add(parameter.TrimStart('-'), text);
                    }

                    break;
                default:
                    throw new InvalidDataException($"{path}: unknown heading '{heading}'");
            }
        }

        if (page.Synopsis.Length == 0 || page.Description.Length == 0 || page.Examples.Count == 0)
        {
            throw new InvalidDataException($"{path}: a page needs a synopsis, a description and an example");
        }

        return page;
    }

    private void Add(string parameter, string text)
    {
        const string mark = "Default: ";
        string last = text[(text.LastIndexOf('\n') + 1)..];
        if (last.StartsWith(mark, StringComparison.Ordinal))
        {
            Defaults.Add(parameter, last[mark.Length..]);
            text = text[..^last.Length].TrimEnd();
        }

        Parameters.Add(parameter, text);
    }

    private static (string Title, string Code, string Remarks) Example((string Heading, string Body) section)
    {
        const string fence = "```";
        string[] parts = section.Body.Split(fence);
        if (parts.Length < 3)
        {
            throw new InvalidDataException($"the example '{section.Heading}' has no code block");
        }

        string code = parts[1][(parts[1].IndexOf('\n') + 1)..].TrimEnd();
        return (section.Heading, code, (parts[0] + string.Join("", parts.Skip(2))).Trim());
    }

    private static IEnumerable<(string Heading, string Body)> Sections(IEnumerable<string> lines, string mark)
    {
        string? heading = null;
        var body = new List<string>();
        bool inCode = false;
        foreach (string line in lines)
        {
            inCode ^= line.StartsWith("```", StringComparison.Ordinal);
            if (!inCode && line.StartsWith(mark, StringComparison.Ordinal))
            {
                if (heading is not null)
                {
                    yield return (heading, string.Join('\n', body).Trim());
                }

                heading = line[mark.Length..].Trim();
                body.Clear();
            }
            else
            {
                body.Add(line);
            }
        }

        if (heading is not null)
        {
            yield return (heading, string.Join('\n', body).Trim());
        }
    }
}
