using System.Diagnostics;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.SandboxCmdlets;

/// <summary>Start-SecureAppSandbox offers what the executable offers.</summary>
[Collection(nameof(OwnVariables))]
public sealed class SandboxOptionTests
{
    [Fact]
    public void Every_option_of_the_executable_has_its_parameter()
    {
        string text = Within.Run(new ProcessStartInfo(Repository.SandboxProgram, "--help")).Output;
        string path = StandIn.Program("echo \"arguments: $*\" >&2; exit 3");

        Outcome outcome = StandIn.Run(
            path,
            """
            Start-SecureAppSandbox -TenantCount 3 -AuditRecordCount 30 -LatencyMilliseconds 5 -Seed 2 -Preset mixed -Port 9100 -Signature filler `
                -PageSize 4 -TokenLifetimeSeconds 60 -SecondPartner -RedirectUri urn:ietf:wg:oauth:2.0:oob, http://localhost -AuditOption @{ duplicates = 0.5; gzip = $false; startTime = [datetime]::new(2026, 1, 2, 3, 4, 5, [System.DateTimeKind]::Utc) }
            """);
        File.Delete(path);

        string said = outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message;
        string[] without = ["--help", "--version"];
        Assert.All(
            Regex.Matches(text, "^  (--[a-z-]+)", RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value).Except(without),
            option => Assert.Contains(" " + option, said));
        foreach (string argument in new[]
        {
            "--tenants 3", "--records 30", "--latency-ms 5", "--seed 2", "--preset mixed", "--port 9100", "--signature filler", "--page-size 4",
            "--token-lifetime 60", "--redirect-uri urn:ietf:wg:oauth:2.0:oob --redirect-uri http://localhost", "duplicates=0.5", "gzip=false", "startTime=2026-01-02T03:04:05",
        })
        {
            Assert.Contains(argument, said);
        }
    }

    [Fact]
    public void Options_of_the_feed_and_of_tokens_reach_the_sandbox()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            """
            $s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 10 -TokenLifetimeSeconds 90 -AuditOption @{ subscribed = $true; recordsPerBlob = 5 }
            $token = Get-SecureAppAccessToken -Credential $s.Credential -TenantId $s.Tenants[0].TenantId -Resource https://graph.microsoft.com -Environment $s.Environment
            ($token.ExpiresOn - [datetimeoffset]::UtcNow).TotalSeconds -le 90
            Stop-SecureAppSandbox $s
            """).Succeeded();

        Assert.True(outcome.Single<bool>());
    }

    [Fact]
    public void A_second_partner_has_customers_of_its_own()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            """
            $s = Start-SecureAppSandbox -TenantCount 8 -AuditRecordCount 0 -SecondPartner
            $first, $second = $s.Credential, $s.SecondCredential | ForEach-Object { ,@(Get-DelegatedTenant -Credential $_ -Environment $s.Environment) }
            $ids = @{}
            $first + $second | ForEach-Object { $ids[$_.TenantId] = $true }
            $ids.Count
            $first.Count -lt 8 -and $second.Count -lt 8 -and $s.SecondCredential.TenantId -ne $s.PartnerTenantId
            Stop-SecureAppSandbox $s
            """).Succeeded();

        Assert.Equal([8, true], outcome.Output.Select(one => one.BaseObject));
    }

    [Fact]
    public void The_articles_application_can_have_their_only_reply_URL()
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run(
            """
            $s = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0 -Preset articles-oob
            try { New-SecureAppRefreshToken $s.Credential -Environment $s.Environment -NoBrowser } finally { Stop-SecureAppSandbox $s }
            """);

        Assert.Contains("exactly http://localhost to", Assert.Single(outcome.Errors).ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData("@{ duplicates = '0.5 --records 1' }", "'duplicates' is not a name with a number")]
    [InlineData("@{ 'a=1,b' = 1 }", "is not a name with a number")]
    [InlineData("@{ nothing = 1 }", "there is no audit option 'nothing'")]
    [InlineData("@{ duplicates = 2 }", "duplicates needs a share")]
    public void A_wrong_option_of_the_feed_is_said(string options, string said)
    {
        using Engine engine = Engine.Open();

        Outcome outcome = engine.Run("Start-SecureAppSandbox -TenantCount 1 -AuditOption " + options);

        Assert.Empty(outcome.Output);
        Assert.Contains(said, outcome.FailureRecord?.Exception.Message ?? Assert.Single(outcome.Errors).Exception.Message);
    }
}
