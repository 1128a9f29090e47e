using SecureAppModel.Bench;

switch (args)
{
    case ["tokens"]:
        return TokensBench.Run();
    case ["stop"]:
        return StopBench.Run();
    case ["invoke"]:
        return InvokeBench.Run();
    case ["audit"]:
        return AuditBench.Run();
    case ["audit-way", string setup, string place]:
        return AuditWay.Run(setup, place);
    default:
        Console.Error.WriteLine(
            """
            usage: dotnet run -c Release --project bench -- tokens | stop | invoke | audit

              tokens  1,000 tenants x 2 resources at 100 ms latency: one pipeline beside a one-by-one loop; then the core's CPU
                      per token beside a bare HTTP loop's
              invoke  a script in 1,000 tenants at 100 ms latency: Invoke-DelegatedTenantCommand beside foreach
              stop    how long Stop takes at each stage of a request
              audit   the export beside a .NET program, a script, and the download alone: speed, CPU, peak memory; takes ten
                      minutes and 7 GB of disk

            Each prints a table, writes it to bench/results, and ends with 1 where a number is beyond its limit.
            """);
        return 2;
}
