using SecureAppModel.Bench;

switch (args)
{
    case ["tokens"]:
        TokensBench.Run();
        return 0;
    case ["stop"]:
        StopBench.Run();
        return 0;
    case ["audit"]:
        AuditBench.Run(100_000, 1_000_000);
        return 0;
    case ["audit", .. string[] counts] when counts.All(count => int.TryParse(count, out _)):
        AuditBench.Run([.. counts.Select(int.Parse)]);
        return 0;
    case ["audit-export", string records]:
        return AuditBench.Export(int.Parse(records));
    default:
        Console.Error.WriteLine(
            """
            usage: dotnet run -c Release --project bench -- tokens | stop | audit [records ..]

              tokens  1,000 tenants x 2 resources at 100 ms latency: one pipeline beside a one-by-one loop
              stop    how long Stop takes at each stage of a request
              audit   the export of 100,000 and of 1,000,000 records (or of the numbers given): speed, CPU, peak memory

            Each prints a table and writes it to bench/results.
            """);
        return 2;
}
