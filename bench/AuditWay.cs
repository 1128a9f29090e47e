using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Text.Json;
using Microsoft.PowerShell.Commands;

namespace SecureAppModel.Bench;

/// <summary>One way of getting an estate's audit log, measured in this process.</summary>
internal static class AuditWay
{
    private const int Tenants = 25;
    private const int AtOnce = 16;
    private const int Few = 1_000;

    /// <summary>What to measure. Transfer is compressed where <c>Gzip</c> says so.</summary>
    internal sealed record Setup(string Way, int Records, bool Gzip, int RecordsPerBlob = 0);

    /// <summary>What was measured: seconds, and bytes of records.</summary>
    internal sealed record Result(long Records, long Bytes, double Wall, double Cpu, long Peak)
    {
        public double Rate => Records / Wall;

        public double CpuMicroseconds => Cpu * 1e6 / Records;

        public double PeakMebibytes => Peak / 1048576.0;
    }

    /// <summary>Measures, and writes the result as JSON to standard output. What it has written stays in new folders in <c>place</c>.</summary>
    public static int Run(string argument, string place)
    {
        Setup setup = JsonSerializer.Deserialize<Setup>(argument)!;
        using (Session session = Estate(setup with { Records = Few }))
        {
            // The runtime compiles what runs for the first time, which is nobody's speed.
            Work(session, place, setup)();
        }

        using Session estate = Estate(setup);
        Func<(long Records, long Bytes)> work = Work(estate, place, setup);
        (long Records, long Bytes) got = default;
        (TimeSpan wall, TimeSpan cpu) = Report.Measure(() => got = work());
        using Process process = Process.GetCurrentProcess();
        process.Refresh();
        Console.WriteLine(JsonSerializer.Serialize(new Result(got.Records, got.Bytes, wall.TotalSeconds, cpu.TotalSeconds, process.PeakWorkingSet64)));
        return got.Records > 0 ? 0 : 1;
    }

    private static Session Estate(Setup setup)
    {
        string perBlob = setup.RecordsPerBlob == 0 ? "" : $"; recordsPerBlob = {setup.RecordsPerBlob}";
        int tenants = setup.RecordsPerBlob == 0 ? Tenants : 1;
        return new Session($"-TenantCount {tenants} -AuditRecordCount {setup.Records} -AuditOption @{{ gzip = ${setup.Gzip}{perBlob} }}");
    }

    private static Func<(long Records, long Bytes)> Work(Session session, string place, Setup setup)
    {
        string folder = Directory.CreateDirectory(Path.Combine(place, Path.GetRandomFileName())).FullName;
        return setup.Way switch
        {
            "export" => () => Export(session, folder, "None"),
            "compressed" => () => Export(session, folder, "Gzip"),
            "loop" => Peer(session, folder, setup, 1),
            "parallel" => Peer(session, folder, setup, AtOnce),
            "download" => Download(session, setup),
            "script" => Script(session, folder, setup),
            "write" => Write(session, folder),
            _ => throw new ArgumentException(setup.Way, nameof(setup)),
        };
    }

    private static (long Records, long Bytes) Export(Session session, string folder, string compression)
    {
        IReadOnlyList<PSObject> results = session.Invoke(
            """
            param($path, $compression)
            $sandbox.Tenants | Export-SecureAppAuditLog -Path $path -Compression $compression -StartTime ([datetime]::UtcNow.AddDays(-7).AddMinutes(5)) -EndTime ([datetime]::UtcNow.AddMinutes(-10))
            """,
            folder,
            compression);
        if (results.FirstOrDefault(result => !(bool)result.Properties["Complete"].Value) is { } wrong)
        {
            throw new InvalidOperationException($"not complete: {wrong.Properties["Reason"].Value}");
        }

        return (Sum(results, "Records"), Sum(results, "Bytes"));
    }

    /// <summary>What a good .NET programmer writes: blobs to documents, repeats left out, lines to a file.</summary>
    private static Func<(long Records, long Bytes)> Peer(Session session, string folder, Setup setup, int atOnce)
    {
        var feed = new FeedPeer(session, setup.Gzip);
        return () =>
        {
            (long records, long bytes) = (0, 0);
            foreach (string tenant in feed.Tenants)
            {
                var seen = new HashSet<string>(StringComparer.Ordinal);
                using var file = new StreamWriter(Path.Combine(folder, tenant + ".ndjson"));
                feed.Each(tenant, atOnce, stream =>
                {
                    using JsonDocument blob = JsonDocument.Parse(stream);
                    lock (seen)
                    {
                        foreach (JsonElement record in blob.RootElement.EnumerateArray())
                        {
                            if (seen.Add(record.GetProperty("Id").GetString()!))
                            {
                                string line = record.GetRawText();
                                file.WriteLine(line);
                                records++;
                                bytes += line.Length + 1;
                            }
                        }
                    }
                });
            }

            return (records, bytes);
        };
    }

    /// <summary>The same blobs over the same TLS, read and thrown away as they come.</summary>
    private static Func<(long Records, long Bytes)> Download(Session session, Setup setup)
    {
        var feed = new FeedPeer(session, setup.Gzip, decompresses: false);
        return () =>
        {
            long bytes = 0;
            foreach (string tenant in feed.Tenants)
            {
                feed.Each(tenant, AtOnce, stream =>
                {
                    byte[] buffer = new byte[1 << 16];
                    for (int read; (read = stream.Read(buffer)) > 0;)
                    {
                        Interlocked.Add(ref bytes, read);
                    }
                });
            }

            return (Expected(session), bytes);
        };
    }

    /// <summary>As scripts do it: Invoke-RestMethod for each blob, an object for each record, Export-Csv.</summary>
    private static Func<(long Records, long Bytes)> Script(Session session, string folder, Setup setup)
    {
        var feed = new FeedPeer(session, setup.Gzip);
        string path = Path.Combine(folder, "records.csv");
        session.Invoke("param($assembly) Import-Module -Assembly $assembly", typeof(InvokeRestMethodCommand).Assembly);
        return () =>
        {
            foreach (string tenant in feed.Tenants)
            {
                session.Invoke(
                    """
                    param($uris, $token, $path)
                    $records = foreach ($uri in $uris) {
                        (Invoke-RestMethod -Uri $uri -Headers @{ Authorization = "Bearer $token" } -SkipCertificateCheck)
                    }
                    $records | Sort-Object -Property Id -Unique | ForEach-Object {
                        [pscustomobject]@{
                            RecordType = $_.RecordType; CreationDate = $_.CreationTime; UserIds = $_.UserId
                            Operations = $_.Operation; AuditData = $_ | ConvertTo-Json -Depth 20 -Compress
                        }
                    } | Export-Csv -Path $path -Append -NoTypeInformation
                    """,
                    feed.Blobs(tenant).ToArray(),
                    feed.Token(tenant),
                    path);
            }

            return (Expected(session), new FileInfo(path).Length);
        };
    }

    /// <summary>As many bytes as the records have, to the same disk, and flushed to it.</summary>
    private static Func<(long Records, long Bytes)> Write(Session session, string folder) => () =>
    {
        const int bytesPerRecord = 1_400;
        long records = Expected(session);
        byte[] block = new byte[1 << 20];
        Random.Shared.NextBytes(block);
        using FileStream file = File.Create(Path.Combine(folder, "bytes"), bufferSize: 0);
        for (long left = records * bytesPerRecord; left > 0; left -= block.Length)
        {
            file.Write(block, 0, (int)Math.Min(left, block.Length));
        }

        file.Flush(flushToDisk: true);
        return (records, records * bytesPerRecord);
    };

    private static long Expected(Session session) => session.Invoke("$sandbox.Tenants").Sum(tenant => Number(tenant, "AuditRecordCount"));

    private static long Sum(IEnumerable<PSObject> results, string property) => results.Sum(result => Number(result, property));

    private static long Number(PSObject item, string property) => Convert.ToInt64(item.Properties[property].Value, CultureInfo.InvariantCulture);
}
