using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using SecureAppModel.EngineTests.Cmdlets;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.KeyVault;

/// <summary>Secrets of a vault through the cmdlets: written, read, listed, refused, and seen nowhere else.</summary>
public sealed class KeyVaultSecretTests : IDisposable
{
    private const string Value = "a value nobody may see \u00e4\U0001F511";

    private readonly Sandbox _sandbox = Sandbox.Start("--tenants", "1", "--records", "0");
    private readonly Engine _engine;

    public KeyVaultSecretTests()
    {
        _engine = Engine.Open().Join(_sandbox);
        _engine.Set("value", Secure(Value));
    }

    public void Dispose()
    {
        _engine.Dispose();
        _sandbox.Dispose();
    }

    [Theory]
    [InlineData("resource")]
    [InlineData("scope")]
    public void What_is_written_is_read_again(string challenge)
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/vault", new { challenge });

        PSObject written = _engine.Run(
            "Set-SecureAppKeyVaultSecret -VaultName contoso -Name app-secret -SecretValue $value -ContentType text/x -Expires '2030-01-02T03:04:05Z' -Tag @{ one = 1; two = 'b' }")
            .Succeeded().Output.Single();
        PSObject read = _engine.Run("Get-SecureAppKeyVaultSecret -VaultName contoso -Name app-secret").Succeeded().Output.Single();

        Assert.Null(written.Properties["SecretValue"].Value);
        Assert.Equal(Value, Plain(read.Properties["SecretValue"].Value));
        Assert.Equal(written.Properties["Version"].Value, read.Properties["Version"].Value);
        Assert.Equal("text/x", read.Properties["ContentType"].Value);
        Assert.Equal(DateTimeOffset.Parse("2030-01-02T03:04:05Z"), read.Properties["Expires"].Value);
        Assert.Equal("1", ((Hashtable)read.Properties["Tags"].Value)["one"]);
    }

    [Fact]
    public void An_address_is_as_good_as_a_name_and_a_version_can_be_named()
    {
        _engine.Set("first", Secure("first"));
        Outcome outcome = _engine.Run(
            """
            $one = Set-SecureAppKeyVaultSecret -VaultName $sandbox.Endpoints['keyVault'] -Name twice -SecretValue $first
            $null = Set-SecureAppKeyVaultSecret -VaultName any -Name twice -SecretValue $value
            Get-SecureAppKeyVaultSecret any twice -AsPlainText
            Get-SecureAppKeyVaultSecret any twice -Version $one.Version -AsPlainText
            (Get-SecureAppKeyVaultSecret any twice -IncludeVersions).Count
            """).Succeeded();

        Assert.Equal([Value, "first", 2], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_list_pages_through_all_and_can_be_piped_back()
    {
        Outcome outcome = _engine.Run(
            """
            foreach ($n in 1..60) { $null = Set-SecureAppKeyVaultSecret any ('s' + $n) $value }
            $list = Get-SecureAppKeyVaultSecret any
            $list.Count
            @($list | Where-Object { $null -ne $_.SecretValue }).Count
            @($list | Get-SecureAppKeyVaultSecret -AsPlainText).Count
            """).Succeeded();

        Assert.Equal([60, 0, 60], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_deleted_secret_is_recovered_before_it_is_written()
    {
        _engine.Run("$null = Set-SecureAppKeyVaultSecret any lost $value").Succeeded();
        Delete("lost");
        _sandbox.Send(HttpMethod.Post, "sandbox/vault", new { recoveryRequests = 2 });

        Outcome outcome = _engine.Run("Set-SecureAppKeyVaultSecret any lost $value").Succeeded();

        Assert.Contains("recovered", Assert.Single(outcome.Warnings));
        Assert.Contains(_engine.Progress, record => record.StatusDescription.Contains("recover"));
        Assert.Equal(2, _engine.Run("(Get-SecureAppKeyVaultSecret any lost -IncludeVersions).Count").Single<int>());
    }

    [Theory]
    [InlineData("rbac", "SecureAppModel.Denied", "Key Vault Secrets User")]
    [InlineData("policy", "SecureAppModel.Denied", "access policies")]
    [InlineData("firewall", "SecureAppModel.Denied", "firewall")]
    public void A_refusal_says_what_is_in_the_way(string access, string id, string advice)
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/vault", new { access });

        ErrorRecord error = _engine.Refused("Get-SecureAppKeyVaultSecret any missing");

        Assert.StartsWith(id, error.FullyQualifiedErrorId);
        Assert.Contains(advice, error.ErrorDetails.RecommendedAction);
        Assert.Equal("missing", error.TargetObject);
    }

    [Fact]
    public void A_secret_that_is_not_there_is_not_found_and_leaves_the_others_of_a_pipeline()
    {
        _engine.Run("$null = Set-SecureAppKeyVaultSecret any there $value").Succeeded();

        ErrorRecord alone = _engine.Refused("Get-SecureAppKeyVaultSecret any missing");
        Outcome piped = _engine.Run(
            "[pscustomobject]@{ Name = 'missing' }, [pscustomobject]@{ Name = 'there' } | Get-SecureAppKeyVaultSecret any");

        Assert.Equal(ErrorCategory.ObjectNotFound, alone.CategoryInfo.Category);
        Assert.Equal("there", Assert.Single(piped.Output).Properties["Name"].Value);
        Assert.Equal("missing", Assert.Single(piped.Errors).TargetObject);
    }

    [Fact]
    public void A_wrong_row_of_a_table_fails_alone()
    {
        Outcome written = _engine.Run(
            """
            @(
                [pscustomobject]@{ Name = 'one'; SecretValue = 'first value'; VaultName = 'any' }
                [pscustomobject]@{ Name = ''; SecretValue = 'nameless value'; VaultName = 'any' }
                [pscustomobject]@{ Name = 'two'; SecretValue = ''; VaultName = 'any' }
                [pscustomobject]@{ Name = 'three'; SecretValue = 'third value'; VaultName = '' }
                [pscustomobject]@{ Name = 'a/b'; SecretValue = 'fourth value'; VaultName = 'any' }
                [pscustomobject]@{ Name = 'five'; SecretValue = 'fifth value'; VaultName = 'any' }
            ) | Set-SecureAppKeyVaultSecret
            """);
        Outcome read = _engine.Run(
            """
            @(
                [pscustomobject]@{ Name = 'one'; VaultName = 'any' }
                [pscustomobject]@{ Name = ' '; VaultName = 'any' }
                [pscustomobject]@{ Name = 'five'; VaultName = 'any' }
            ) | Get-SecureAppKeyVaultSecret -AsPlainText
            """);

        Assert.Null(written.Failure);
        Assert.Equal(["one", "five"], written.Output.Select(secret => secret.Properties["Name"].Value));
        Assert.Equal(["row 2 of the input", "two", "three", "a text of 3 characters"], written.Errors.Select(error => error.TargetObject));
        Assert.All(
            ["No secret was named in row 2", "No value was given for the secret in row 3", "No key vault was given in row 4", "cannot be a name"],
            (said, at) => Assert.Contains(said, written.Errors[at].Exception.Message));
        Assert.DoesNotContain(" value", written.AllText.Replace("No value was", string.Empty, StringComparison.Ordinal));
        Assert.Null(read.Failure);
        Assert.Equal(["first value", "fifth value"], read.Output.Select(value => value.BaseObject));
        Assert.Equal("row 2 of the input", Assert.Single(read.Errors).TargetObject);
    }

    [Fact]
    public void A_row_that_names_a_version_is_not_taken_for_all_of_them()
    {
        Outcome outcome = _engine.Run(
            """
            $null = Set-SecureAppKeyVaultSecret any one $value
            $null = Set-SecureAppKeyVaultSecret any two $value
            [pscustomobject]@{ Name = 'one'; Version = 'x' }, [pscustomobject]@{ Name = 'two' } | Get-SecureAppKeyVaultSecret any -IncludeVersions
            """);

        Assert.Equal("two", Assert.Single(outcome.Output).Properties["Name"].Value);
        Assert.Equal("one", Assert.Single(outcome.Errors).TargetObject);
    }

    [Theory]
    [InlineData("https://management.azure.com")]
    [InlineData("https://evil.example")]
    public void A_vault_that_asks_for_somebody_elses_token_gets_none(string resource)
    {
        _sandbox.Send(HttpMethod.Post, "sandbox/vault", new { resource });
        _sandbox.ResetStats();

        ErrorRecord error = _engine.Refused("Get-SecureAppKeyVaultSecret any name");

        Assert.Contains("not its own domain", error.Exception.Message);
        Assert.Empty(_sandbox.TokenCounts());
    }

    [Theory]
    [InlineData("Get-SecureAppKeyVaultSecret", "No key vault")]
    [InlineData("Get-SecureAppKeyVaultSecret any -Name ''", "No secret was named")]
    [InlineData("Get-SecureAppKeyVaultSecret any -AsPlainText", "No secret was named")]
    [InlineData("Get-SecureAppKeyVaultSecret any a -Version x -IncludeVersions", "-IncludeVersions lists versions")]
    [InlineData("Get-SecureAppKeyVaultSecret any 'a/b'", "cannot be a name in a key vault")]
    [InlineData("Get-SecureAppKeyVaultSecret https://other.vault.azure.net a", "no vault of the environment")]
    [InlineData("Get-SecureAppKeyVaultSecret any a -Environment Public -VaultName https://x.example", "no vault of the environment")]
    [InlineData("Set-SecureAppKeyVaultSecret any a", "No value was given")]
    [InlineData("Set-SecureAppKeyVaultSecret any a ([securestring]::new())", "No value was given")]
    [InlineData("Get-SecureAppKeyVaultCertificate any", "No certificate was named")]
    public void Bad_input_is_refused_before_anything_is_sent(string command, string said)
    {
        _sandbox.ResetStats();

        ErrorRecord error = _engine.Refused(command.Replace("any a -Environment Public -VaultName", "-Name a -Environment Public -VaultName"));

        Assert.Contains(said, error.Exception.Message);
        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void WhatIf_writes_nothing()
    {
        _sandbox.ResetStats();

        _engine.Run("Set-SecureAppKeyVaultSecret any a $value -WhatIf").Succeeded();

        Assert.Equal(0, _sandbox.Stats()["requests"]!.GetValue<int>());
    }

    [Fact]
    public void A_value_is_in_no_stream_view_or_serialised_copy()
    {
        _engine.Run("$null = Set-SecureAppKeyVaultSecret any hidden $value").Succeeded();

        Outcome outcome = _engine.Run(
            """
            $global:s = Get-SecureAppKeyVaultSecret any hidden -Verbose -Debug
            $s
            "$s"
            [System.Management.Automation.PSSerializer]::Serialize($s, 5)
            Get-SecureAppKeyVaultSecret any hidden -Version 0 -ErrorAction SilentlyContinue
            """);
        string all = outcome.AllText + _engine.Render("$s");

        Assert.Contains("hidden", all);
        Assert.DoesNotContain("nobody may see", all);
        Assert.DoesNotContain(Convert.ToHexString(System.Text.Encoding.Unicode.GetBytes("nobody")), all, StringComparison.OrdinalIgnoreCase);
    }

    private void Delete(string name)
    {
        string token = _engine.Run("param($resource) (Get-SecureAppAccessToken -TenantId $sandbox.PartnerTenantId -Resource $resource).AccessToken", _sandbox.Facts.Endpoints["keyVault"])
            .Succeeded().Single<string>();
        using HttpClient client = _sandbox.Client("keyVault");
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using HttpResponseMessage reply = client.Send(new HttpRequestMessage(HttpMethod.Delete, $"secrets/{name}?api-version=7.4"));
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
    }

    private static string Plain(object? value) => new NetworkCredential(string.Empty, Assert.IsType<SecureString>(value)).Password;

    private static SecureString Secure(string text) => new NetworkCredential(string.Empty, text).SecurePassword;
}
