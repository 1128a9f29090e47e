using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace SecureAppModel.Demo;

/// <summary>One customer's export beside what the sandbox really has.</summary>
public sealed record Check(string Customer, long Reported, long InFiles, long InSandbox, bool Same);

/// <summary>Recomputes what was exported from the files alone and compares the record ids with the sandbox's own lists.</summary>
internal static class Checker
{
    public static IReadOnlyList<Check> Compare(PSObject sandbox, object? exports)
    {
        using HttpClient http = Trusting((string)sandbox.Properties["CertificatePath"].Value);
        string service = Endpoint(sandbox);
        var checks = new List<Check>();
        foreach (object item in (IEnumerable)(exports ?? Array.Empty<object>()))
        {
            PSObject export = PSObject.AsPSObject(item);
            string tenant = export.Properties["TenantId"].Value.ToString()!;
            string[] written = [.. Ids((string)export.Properties["Path"].Value).Order(StringComparer.Ordinal)];
            string query = $"start={Time(export, "StartTime")}&end={Time(export, "EndTime")}";
            string[] real = [.. http.GetStringAsync(new Uri($"{service}/sandbox/truth/{tenant}?{query}")).GetAwaiter().GetResult()
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Order(StringComparer.Ordinal)];
            long reported = Convert.ToInt64(export.Properties["Records"].Value, CultureInfo.InvariantCulture);
            bool complete = LanguagePrimitives.IsTrue(export.Properties["Complete"].Value);
            checks.Add(new Check(
                export.Properties["DisplayName"].Value?.ToString() ?? tenant,
                reported,
                written.Length,
                real.Length,
                complete && reported == written.Length && written.SequenceEqual(real, StringComparer.Ordinal)));
        }

        return checks;
    }

    /// <summary>The id of every record in a customer's NDJSON files, repeated as often as it stands there.</summary>
    private static IEnumerable<string> Ids(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "part-*.ndjson", SearchOption.AllDirectories))
        {
            foreach (string line in File.ReadLines(file))
            {
                using JsonDocument record = JsonDocument.Parse(line);
                yield return record.RootElement.GetProperty("Id").GetString() ?? string.Empty;
            }
        }
    }

    private static string Endpoint(PSObject sandbox) =>
        ((string)PSObject.AsPSObject(sandbox.Properties["Endpoints"].Value).Properties["Manage"].Value).TrimEnd('/');

    private static string Time(PSObject export, string name)
    {
        object value = PSObject.AsPSObject(export.Properties[name].Value).BaseObject;
        DateTime utc = value is DateTimeOffset offset ? offset.UtcDateTime : ((DateTime)value).ToUniversalTime();
        return utc.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
    }

    private static HttpClient Trusting(string certificatePath)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(certificatePath);
        return new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = { CertificateChainPolicy = policy } });
    }
}
