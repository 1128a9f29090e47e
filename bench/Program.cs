using SecureAppModel.Bench;

switch (args)
{
    case ["tokens"]:
        return TokensBench.Run();
    case ["stop"]:
        return StopBench.Run();
    case ["audit"]:
        return AuditBench.Run(100_000, 1_000_000);
    case ["audit", .. string[] counts] when counts.All(count => int.TryParse(count, out _)):
        return AuditBench.Run([.. counts.Select(int.Parse)]);
    case ["audit-export", string records]:
        return AuditBench.Export(int.Parse(records));
    default:
        Console.Error.WriteLine(
            """
            usage: dotnet run -c Release --project bench -- tokens | stop | audit [records ..]

              tokens  1,000 tenants x 2 resources at 100 ms latency: one pipeline beside a one-by-one loop; then the core's CPU
                      per token beside a bare HTTP loop's
              stop    how long Stop takes at each stage of a request
              audit   the export of 100,000 and of 1,000,000 records (or of the numbers given): speed, CPU, peak memory

            Each prints a table, writes it to bench/results, and ends with 1 where a number is beyond its limit.
            """);
        return 2;
}
