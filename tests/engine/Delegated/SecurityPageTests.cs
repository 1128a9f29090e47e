using System.Text.Json;
using System.Text.Json.Nodes;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Leaks;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Delegated;

/// <summary>The page of customers' security in a real Chromium, where there is one and npm can get what drives it.</summary>
public sealed class SecurityPageTests : IDisposable
{
    private const string Markup = "<img src=x onerror=alert(1)><b>\"'&amp;</b></th><script>alert(2)</script> ";

    private static readonly NodeFolder s_browser = new("browser");

    private readonly string _folder = Directory.CreateTempSubdirectory("secureapp-").FullName;

    [Theory]
    [InlineData("light", 1280, 12)]
    [InlineData("dark", 1280, 12)]
    [InlineData("light", 390, 12)]
    [InlineData("dark", 390, 12)]
    [InlineData("light", 1280, 1000)]
    public void The_page_is_read_sorted_and_searched_by_everybody_and_loads_nothing(string scheme, int width, int customers)
    {
        string chromium = Chromium.Need();
        s_browser.Need();
        using Sandbox sandbox = Sandbox.Start("--tenants", $"{customers}", "--records", "0", "--signature", "filler");
        SandboxTenant[] tenants = [.. sandbox.Facts.Tenants];
        sandbox.SetTenant(tenants[1].TenantId, new { defender = false });
        using Engine engine = Engine.Open().Join(sandbox);
        engine.Set("path", Path.Combine(_folder, "security.html"));
        engine.Set("marked", tenants[0].TenantId);
        engine.Set("markup", Markup);
        engine.Run(
            """
            $null = Get-DelegatedTenant | ForEach-Object {
                $name = if ($_.TenantId -eq $marked) { $markup + $_.DisplayName } else { $_.DisplayName }
                [pscustomobject]@{ TenantId = $_.TenantId; DisplayName = $name }
            } | Get-DelegatedTenantSecuritySummary -HtmlPath $path
            """).Succeeded();

        JsonNode seen = JsonNode.Parse(s_browser.Run("node", ["security.mjs"], JsonSerializer.Serialize(new
        {
            chromium,
            path = Path.Combine(_folder, "security.html"),
            scheme,
            width,
            search = tenants[2].TenantId,
            picture = Environment.GetEnvironmentVariable("SECUREAPP_PICTURES") is string folder ? Path.Combine(folder, $"security-{scheme}-{width}-{customers}.png") : null,
        })))!;

        Assert.StartsWith("file://", Assert.Single(Texts(seen["requests"])));
        Assert.Empty(Texts(seen["complaints"]));
        Assert.Empty(Texts(seen["first"]!["violations"]));
        Assert.Empty(Texts(seen["found"]!["violations"]));
        Assert.Equal(scheme == "dark" ? "rgb(20, 23, 27)" : "rgb(255, 255, 255)", seen["ground"]!.GetValue<string>());
        Assert.True(seen["overflow"]!.GetValue<int>() <= 0, "the page is wider than the screen");

        // A name with markup in it shows as the text that it is.
        string[] names = [.. tenants.Select((tenant, at) => at == 0 ? Markup + tenant.DisplayName : tenant.DisplayName)];
        Assert.Equal(0, seen["images"]!.GetValue<int>());
        Assert.Equal(names.Order(StringComparer.Ordinal), Texts(seen["shown"]).Order(StringComparer.Ordinal));

        Assert.Equal(["Customer ascending"], Texts(seen["first"]!["sort"]));
        Assert.Equal(names.OrderBy(name => name.ToLowerInvariant(), StringComparer.Ordinal), Texts(seen["first"]!["names"]));
        Assert.Equal(["Score descending"], Texts(seen["down"]!["sort"]));
        Assert.Equal(["Score ascending"], Texts(seen["up"]!["sort"]));
        double[] down = Numbers(seen["down"]!["scores"]), up = Numbers(seen["up"]!["scores"]);
        Assert.Equal(down.OrderDescending(), down);
        Assert.Equal(up.Order(), up);

        // Whoever has no score comes last, whichever way is sorted.
        Assert.Equal(customers - 1, down.Length);
        Assert.Equal((string.Empty, string.Empty), (Texts(seen["down"]!["scores"])[^1], Texts(seen["up"]!["scores"])[^1]));
        Assert.Equal([tenants[2].DisplayName], Texts(seen["found"]!["names"]));
        Assert.Equal($"1 of {customers} customers", seen["found"]!["said"]!.GetValue<string>());
        Assert.Contains(Texts(seen["charts"]), chart => chart.StartsWith("Open alerts by severity. High: ", StringComparison.Ordinal));
    }

    public void Dispose() => Recorder.HearAndDelete(_folder);

    private static string[] Texts(JsonNode? node) => node.Deserialize<string[]>()!;

    private static double[] Numbers(JsonNode? node) =>
        [.. Texts(node).Where(text => text.Length > 0).Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
}
