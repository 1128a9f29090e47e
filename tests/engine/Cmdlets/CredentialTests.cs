using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>What can be a credential, what is said about everything else, and that no secret comes out again.</summary>
public sealed class CredentialTests : IDisposable
{
    private const string ApplicationId = "2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001";
    private const string TenantId = "5b9d8f0e-6a3c-4c51-9f6e-0a6a2f6f7c11";
    private const string SecretText = "Sx8~a-secret-nobody-may-see";
    private const string TokenText = "0.AXk-a-refresh-token-nobody-may-see";

    private readonly Engine _engine = Engine.Open();

    public void Dispose() => _engine.Dispose();

    [Theory]
    [InlineData("@{ appID = $id; secret = $secret; refreshToken = $token }")]
    [InlineData("@{ APPLICATIONID = $id; CLIENTSECRET = $secret; REFRESHTOKEN = $token }")]
    [InlineData("[pscustomobject]@{ clientId = $id; clientSecret = $secret; refreshtoken = $token }")]
    [InlineData("[ordered]@{ ClientId = [guid]$id; Secret = (secure $secret); RefreshToken = (secure $token) }")]
    public void A_hashtable_or_object_is_a_credential(string shape)
    {
        PSObject credential = Run("Set-SecureAppDefault -Credential (" + shape + "); (Get-SecureAppDefault).Credential").Succeeded().Output.Single();

        Assert.Equal(ApplicationId, credential.Properties["ApplicationId"].Value);
        Assert.Equal(true, credential.Properties["HasSecret"].Value);
        Assert.Equal(true, credential.Properties["HasRefreshToken"].Value);
    }

    [Fact]
    public void A_hashtable_is_not_written_to()
    {
        Outcome outcome = Run(
            "$h = @{ appID = $id; secret = $secret; refreshToken = $token }; Set-SecureAppDefault -Credential $h; ($h.Keys | Sort-Text) -join ','; $h.secret; $h.appID").Succeeded();

        Assert.Equal(["appID,refreshToken,secret", SecretText, ApplicationId], outcome.Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_PSCredential_holds_the_application_id_and_the_secret()
    {
        PSObject credential = Run("New-SecureAppCredential -Credential ([pscredential]::new($id, (secure $secret)))").Succeeded().Output.Single();

        Assert.Equal(ApplicationId, credential.Properties["ApplicationId"].Value);
        Assert.Equal(false, credential.Properties["HasRefreshToken"].Value);
    }

    [Fact]
    public void The_rows_of_the_registration_script_are_taken_by_property_name()
    {
        PSObject credential = Run(
            "[pscustomobject]@{ ApplicationName = 'x'; TenantName = 'y'; TenantId = $tenant; clientId = $id; clientSecret = $secret } | New-SecureAppCredential")
            .Succeeded().Output.Single();

        Assert.Equal(ApplicationId, credential.Properties["ApplicationId"].Value);
        Assert.Equal(TenantId, credential.Properties["TenantId"].Value);
        Assert.Equal(true, credential.Properties["HasSecret"].Value);
    }

    [Fact]
    public void One_bad_row_of_a_table_fails_alone_and_a_bad_command_line_ends_the_command()
    {
        Outcome outcome = Run(
            """
            $rows = @(
                [pscustomobject]@{ clientId = $id; clientSecret = $secret; TenantId = $tenant }
                [pscustomobject]@{ clientId = 'no id'; clientSecret = $secret; TenantId = $tenant }
                [pscustomobject]@{ clientId = $id; clientSecret = ''; TenantId = $tenant }
                [pscustomobject]@{ clientId = ''; clientSecret = $secret; TenantId = $tenant }
                [pscustomobject]@{ clientId = $id; clientSecret = $secret; TenantId = 'no tenant' }
                [pscustomobject]@{ clientId = $id; clientSecret = $secret; TenantId = $tenant }
            )
            $rows | New-SecureAppCredential
            """);

        Assert.Null(outcome.Failure);
        Assert.Equal(2, outcome.Output.Count);
        Assert.Equal(4, outcome.Errors.Count);
        Assert.All(outcome.Errors, error => Assert.StartsWith("SecureAppModel.InvalidInput", error.FullyQualifiedErrorId));
        Assert.DoesNotContain(SecretText, outcome.AllText);

        Assert.Contains("not an application id", Refused("New-SecureAppCredential 'no id' -Secret $secret").Exception.Message);
        Assert.Contains("could not be read", Refused("[pscustomobject]@{ clientId = $id } | New-SecureAppCredential -RefreshTokenPath /nowhere/token.txt").Exception.Message);
    }

    [Theory]
    [InlineData("@{ application = 1; key = $secret }", "no key appId", "application", "key")]
    [InlineData("@{ appId = $id; password = $secret }", "no key secret", "appId", "password")]
    [InlineData("@{ appId = $id; secret = $null }", "empty", "secret")]
    [InlineData("@{ appId = ''; secret = $secret }", "empty", "appId")]
    [InlineData("@{ appId = 'my-application'; secret = $secret }", "'my-application' is not an application id")]
    [InlineData("[pscredential]::new('admin@contoso.com', (secure $secret))", "'admin@contoso.com' is a user name")]
    [InlineData("$secret", "The credential is a text")]
    [InlineData("(secure $secret)", "SecureString alone")]
    [InlineData("42", "Int32")]
    [InlineData("$null", "-Credential was given, but is empty")]
    public void What_is_no_credential_is_refused_with_the_reason_and_without_its_values(string shape, params string[] said)
    {
        foreach (string command in new[]
        {
            "Get-SecureAppAccessToken -TenantId $tenant -Resource https://graph.microsoft.com -Credential (" + shape + ")",
            "Set-SecureAppDefault -Credential (" + shape + ")",
        })
        {
            ErrorRecord error = Refused(command);

            Assert.StartsWith("SecureAppModel.InvalidInput", error.FullyQualifiedErrorId);
            Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
            Assert.All(said, part => Assert.Contains(part, error.Exception.Message));
            Assert.DoesNotContain(SecretText, error.ToString() + error.Exception + error.TargetObject);
            Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        }
    }

    [Fact]
    public void A_text_where_a_PSCredential_belongs_is_refused_and_nothing_is_asked()
    {
        ErrorRecord error = Refused("New-SecureAppCredential -Credential someone");

        Assert.Contains("application id as user name", error.Exception.Message);
    }

    [Theory]
    [InlineData("New-SecureAppCredential", "No application id")]
    [InlineData("New-SecureAppCredential $id", "Neither a secret, a certificate nor a refresh token")]
    [InlineData("New-SecureAppCredential $id -Secret $secret -TenantId 'not a tenant'", "neither a tenant id nor a domain")]
    [InlineData("New-SecureAppCredential $id -RefreshTokenPath /nowhere/token.txt", "/nowhere/token.txt")]
    [InlineData("New-SecureAppCredential $id -Secret $secret -RefreshTokenPath ''", "-RefreshTokenPath is empty")]
    [InlineData("New-SecureAppCredential $id -RefreshTokenPath /", "is a folder's")]
    public void A_new_credential_says_what_is_missing(string command, string said)
    {
        ErrorRecord error = Refused(command);

        Assert.Contains(said, error.Exception.Message);
        Assert.DoesNotContain(SecretText, error.Exception.ToString());
    }

    [Fact]
    public void A_row_whose_secret_is_empty_beside_a_refresh_token_gets_a_warning()
    {
        Outcome outcome = Run("[pscustomobject]@{ clientId = $id; clientSecret = ''; RefreshToken = 'x' } | New-SecureAppCredential").Succeeded();

        Assert.Single(outcome.Output);
        Assert.Contains("is empty, so the credential has none", Assert.Single(outcome.Warnings));
        Assert.Empty(Run("[pscustomobject]@{ clientId = $id; RefreshToken = 'x' } | New-SecureAppCredential").Succeeded().Warnings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refresh_token_can_come_from_a_file(bool exported)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, exported ? PSSerializer.Serialize(TokenText) : TokenText + Environment.NewLine);

            PSObject credential = Run("param($path) New-SecureAppCredential $id -RefreshTokenPath $path", path).Succeeded().Output.Single();

            Assert.Equal(true, credential.Properties["HasRefreshToken"].Value);
            Assert.Equal(false, credential.Properties["HasSecret"].Value);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_credential_gives_no_secret_away()
    {
        string all = string.Join('\n', Run(
            """
            $global:c = New-SecureAppCredential $id -Secret $secret -RefreshToken $token -TenantId $tenant
            $c.ToString(); "$c"; [string]$c
            foreach ($property in $c.psobject.Properties) { "$($property.Name)=$($property.Value)" }
            [System.Management.Automation.PSSerializer]::Serialize($c, 5)
            [System.Management.Automation.PSSerializer]::Serialize(@{ credential = $c }, 1)
            """).Succeeded().Output) + _engine.Render("$c");

        Assert.Contains(ApplicationId, all);
        Assert.Contains("***", all);
        Assert.DoesNotContain(SecretText, all);
        Assert.DoesNotContain(TokenText, all);
    }

    [Fact]
    public void A_serialised_credential_says_that_it_must_be_made_again()
    {
        ErrorRecord error = Refused(
            """
            $text = [System.Management.Automation.PSSerializer]::Serialize((New-SecureAppCredential $id -Secret $secret))
            Set-SecureAppDefault -Credential ([System.Management.Automation.PSSerializer]::Deserialize($text))
            """);

        Assert.Contains("serialised copy", error.Exception.Message);
        Assert.Contains("New-SecureAppCredential", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void Another_runspace_can_use_the_same_credential()
    {
        PSObject credential = Run("New-SecureAppCredential $id -Secret $secret").Succeeded().Output.Single();
        using Engine other = Engine.Open();

        Outcome outcome = other.Run("param($c) Set-SecureAppDefault -Credential $c; (Get-SecureAppDefault).Credential.ApplicationId", credential);

        Assert.Equal(ApplicationId, outcome.Succeeded().Single<string>());
    }

    private ErrorRecord Refused(string command)
    {
        Prepare();
        return _engine.Refused(command);
    }

    private Outcome Run(string script, params object?[] arguments)
    {
        Prepare();
        return _engine.Run(script, arguments);
    }

    private void Prepare()
    {
        _engine.Set("id", ApplicationId);
        _engine.Set("tenant", TenantId);
        _engine.Set("secret", SecretText);
        _engine.Set("token", TokenText);
        _engine.Run(
            """
            function global:secure([string] $text) { $s = [securestring]::new(); foreach ($c in $text.ToCharArray()) { $s.AppendChar($c) }; $s }
            function global:Sort-Text { $all = @($input); [array]::Sort($all); $all }
            """).Succeeded();
    }
}
