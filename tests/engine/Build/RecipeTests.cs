using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Build;

/// <summary>ARCHITECTURE.md's map and recipes send people to places that exist.</summary>
public sealed partial class RecipeTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "ARCHITECTURE.md"));

    public static TheoryData<string> Named => [.. Paths().Matches(s_text).Select(match => match.Groups["path"].Value).Distinct()];

    [Theory]
    [MemberData(nameof(Named))]
    public void A_path_that_is_named_exists(string path) =>
        Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), $"ARCHITECTURE.md names {path}");

    [Theory]
    [InlineData("a new grant")]
    [InlineData("a new cmdlet")]
    [InlineData("a new audit source")]
    public void There_is_a_recipe_that_names_files(string what)
    {
        Match recipe = Regex.Match(s_text, $@"^## Recipe: {what}\n(?<steps>.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline);
        Assert.True(recipe.Success);
        Assert.True(Paths().Count(recipe.Groups["steps"].Value) >= 4);
    }

    [GeneratedRegex(@"`(?<path>(rust|dotnet-shim|module|tests|build|docs|demo|bench)(/[\w.-]+)*)`")]
    private static partial Regex Paths();
}
