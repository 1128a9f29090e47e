using System.Text.Json;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Judges;

/// <summary>npm's DuckDB reads what exports of several tenants have left in a folder, and finds what the manifests say.</summary>
public sealed class DuckDbTests(SharedSandbox shared) : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Lines = "read_ndjson(files, columns = {Id: 'VARCHAR', CreationTime: 'VARCHAR'}, hive_partitioning = true, filename = true)";
    private const string Rows = "read_csv(files, all_varchar = true, hive_partitioning = true, filename = true)";
    private const string FlatRows = "read_csv(files, all_varchar = true, union_by_name = true, hive_partitioning = true, filename = true)";

    private static readonly NodeFolder s_folder = new("duckdb");

    private readonly Sandbox _sandbox = shared.Sandbox;
    private readonly string _path = Directory.CreateTempSubdirectory("secureapp-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Theory]
    [InlineData("", ".ndjson", Lines, "Id", "CreationTime")]
    [InlineData("-Compression Gzip", ".ndjson.gz", Lines, "Id", "CreationTime")]
    [InlineData("-Compression Zstd", ".ndjson.zst", Lines, "Id", "CreationTime")]
    [InlineData("-Format Csv -Compression Gzip", ".csv.gz", Rows, "Identity", "CreationDate")]
    [InlineData("-Format Csv -Bom -Compression Zstd", ".csv.zst", Rows, "Identity", "CreationDate")]
    [InlineData("-Format Csv -Flatten", ".csv", FlatRows, "Id", "CreationTime")]
    [InlineData("-Format Csv -Flatten -Compression Gzip", ".csv.gz", FlatRows, "Id", "CreationTime")]
    public void One_query_over_the_folder_agrees_with_the_manifests(string how, string extension, string reads, string id, string created)
    {
        s_folder.Need();
        using Engine engine = Engine.Open().Join(_sandbox);
        engine.Set("path", _path);
        // The second has more of a day that the first has begun, so that a day has several parts.
        foreach (int hours in new[] { 30, 144 })
        {
            engine.Run(
                $"Get-DelegatedTenant | Export-SecureAppAuditLog -Path $path -StartTime ([datetime]::UtcNow.AddHours(-{hours})) -EndTime ([datetime]::UtcNow) -SettleDelay 0 {how}").Succeeded();
        }

        Found[] found = Ask($"""
            WITH records AS (
                SELECT tenant, date, filename, {id} AS id, {created}::TIMESTAMP AS created
                FROM {reads.Replace("files", $"'{_path}/*/date=*/*{extension}'", StringComparison.Ordinal)}),
            manifests AS (FROM read_json('{_path}/*/manifest.json', hive_partitioning = true)),
            files AS (SELECT tenant, filename, count(*) AS rows FROM records GROUP BY ALL),
            parts AS (SELECT tenant, unnest(parts) AS part FROM manifests)
            SELECT
                tenant, any_value(m.records)::INT AS recorded, count(*)::INT AS rows, count(DISTINCT id)::INT AS ids,
                min(created) = any_value(firstCreationTime::TIMESTAMP) AND max(created) = any_value(lastCreationTime::TIMESTAMP) AS times,
                bool_and(date = created::DATE) AS days,
                (SELECT count(*)::INT FROM parts FULL JOIN files ON files.tenant = parts.tenant AND ends_with(filename, '/' || part.path)
                    WHERE rows IS DISTINCT FROM part.records) AS differing
            FROM records JOIN manifests AS m USING (tenant) GROUP BY tenant
            """);

        Assert.Equal(
            _sandbox.Facts.Tenants.Select(tenant => (tenant.TenantId, tenant.AuditRecordCount)).Order(),
            found.Select(tenant => (tenant.Tenant, (long)tenant.Recorded)).Order());
        Assert.All(found, tenant => Assert.Equal(new Found(tenant.Tenant, tenant.Recorded, tenant.Recorded, tenant.Recorded, Times: true, Days: true, Differing: 0), tenant));
        Assert.NotEmpty(Directory.EnumerateFiles(_path, $"part-2{extension}", SearchOption.AllDirectories));
    }

    private static Found[] Ask(string query) =>
        JsonSerializer.Deserialize<Found[]>(s_folder.Run("node", ["query.mjs"], query), JsonSerializerOptions.Web)!;

    private sealed record Found(string Tenant, int Recorded, int Rows, int Ids, bool Times, bool Days, int Differing);
}
