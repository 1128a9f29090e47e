using System.Collections;
using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.PartnerCenter;

namespace SecureAppModel.EngineTests.Cmdlets;

/// <summary>A secret in the place of an application id, a tenant, an environment or an account is refused and never repeated.</summary>
public sealed class MisplacedSecretTests : IDisposable
{
    private const string ApplicationId = "2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001";
    private const string TenantId = "5b9d8f0e-6a3c-4c51-9f6e-0a6a2f6f7c11";
    private const string ClientSecret = "Sx8~a-secret-nobody-may-see";

    /// <summary>In the form of a refresh token: long, of letters, digits, dots and dashes, as a domain has them.</summary>
    private const string RefreshToken = "0.AXk7Qx-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789.AgABAwEAAAApTwJmzXqdR4BN2miheQMYAgDs";

    private readonly Engine _engine = Engine.Open().WithPartnerCommand();

    public MisplacedSecretTests()
    {
        _engine.Set("id", ApplicationId);
        _engine.Set("tenant", TenantId);
        _engine.Set("folder", Path.Combine(Path.GetTempPath(), "secureapp-is-not-made"));
        _engine.Run("$global:credential = New-SecureAppCredential $id -Secret x -TenantId $tenant; Set-SecureAppDefault -Credential $credential").Succeeded();
    }

    public static TheoryData<string, string> Places()
    {
        string[] commands =
        [
            "New-SecureAppCredential $secret -Secret x",
            "New-SecureAppCredential $secret",
            "New-SecureAppCredential $id -Secret x -TenantId $secret",
            "New-SecureAppCredential $id -Secret x -Account $secret",
            "New-SecureAppCredential $id -Secret ([pscustomobject]@{ value = $secret })",
            "New-SecureAppCredential $id -Secret @($secret, $secret)",
            "New-SecureAppCredential -Credential $secret",
            "Set-SecureAppKeyVaultSecret vault name @{ value = $secret }",
            "Set-SecureAppKeyVaultSecret vault $secret $secret -Environment Nowhere",
            "New-SecureAppCertificate $secret -KeyLength 1024",
            "New-SecureAppCertificate x -CertStoreLocation $secret",
            "New-SecureAppCredential $secret -VaultName vault -CertificateName x",
            "New-SecureAppCredential $id -VaultName $secret -CertificateName x",
            "New-SecureAppCredential $id -VaultName vault -CertificateName $secret",
            "New-SecureAppCredential $id -VaultName vault -SecretName $secret",
            "New-SecureAppCredential $id -VaultName vault -CertificateName x -VaultCredential $secret",
            "Get-SecureAppAccessToken $tenant -Resource $secret -Credential @{ appId = $id; secret = $id }",
            "Get-SecureAppAccessToken $tenant -Scope $secret -Credential @{ appId = $id; secret = $id }",
            "New-SecureAppCredential -Credential ([pscredential]::new($secret, (ConvertTo-It $id)))",
            "[pscustomobject]@{ clientId = $secret; clientSecret = $secret } | New-SecureAppCredential",
            "[pscustomobject]@{ clientId = $id; clientSecret = @{ value = $secret } } | New-SecureAppCredential",
            "Set-SecureAppDefault -Credential $secret",
            "Set-SecureAppDefault -Credential @{ appId = $secret; secret = $id }",
            "Set-SecureAppDefault -Credential @{ appId = $id; secret = 'x'; tenantId = $secret }",
            "Set-SecureAppDefault -Credential @{ $secret = 'appId' }",
            "Set-SecureAppDefault -Environment $secret",
            "Get-SecureAppEnvironment $secret",
            "Remove-SecureAppEnvironment $secret",
            "Get-SecureAppAccessToken $secret -Resource x",
            "Get-SecureAppAccessToken $tenant $secret -Resource x",
            "$secret | Get-SecureAppAccessToken -Resource x",
            "Get-SecureAppAccessToken $tenant -Resource x -Environment $secret",
            "Get-SecureAppAccessToken $tenant -Resource x -Credential @{ appId = $secret; secret = $id }",
            "Connect-DelegatedTenant $secret Graph",
            "Connect-DelegatedTenant $tenant Graph -AccountId $secret",
            "Connect-DelegatedTenant $tenant Graph -Environment $secret",
            "Export-SecureAppAuditLog $secret $folder",
            "$secret | Export-SecureAppAuditLog -Path $folder -FailOnGap",
            "Export-SecureAppAuditLog $tenant $folder -Environment $secret",
            "Export-SecureAppAuditLog $tenant \"Variable:\\$secret\"",
            "Export-SecureAppAuditLog $tenant (Join-It $file $secret)",
            "New-SecureAppRefreshToken -NoBrowser -RedirectUri $secret",
            "New-SecureAppRefreshToken -NoBrowser -RedirectUri \"http://example.com/$secret\"",
            "New-SecureAppRefreshToken -NoBrowser -ExpectedAccount $secret",
            "New-SecureAppCredential $id -RefreshTokenPath $secret",
            "New-SecureAppCredential $id -RefreshTokenPath (Join-It $file $secret)",
            "New-SecureAppCredential $id -CertificatePath $secret",
            "New-SecureAppCredential $id -CertificatePath $file -CertificateKeyPath $secret",
            "Set-SecureAppDefault -Credential @{ appId = $id; certificatePath = $secret }",
            "Add-SecureAppEnvironment x -LoginEndpoint https://login.example.org -CertificatePath $secret",
            "Add-SecureAppEnvironment x -LoginEndpoint $secret",
            "Add-SecureAppEnvironment x -LoginEndpoint https://login.example.org -GraphEndpoint https://graph.example.org/$secret",
            "New-SecureAppCertificate x -PemPath \"Variable:\\$secret\"",
            "New-PartnerAccessToken -ApplicationId $id -RefreshToken @{ value = $secret } -Scopes https://graph.microsoft.com/.default",
            "Invoke-SecureAppRequest $secret -TenantId $tenant",
            "Invoke-SecureAppRequest /v1.0/users -TenantId $secret",
            "$secret | Invoke-SecureAppRequest /v1.0/users",
            "Invoke-SecureAppRequest /v1.0/users -TenantId $tenant -Resource $secret",
            "Invoke-SecureAppRequest /v1.0/users -TenantId $tenant -Scope $secret",
            "Invoke-SecureAppRequest /v1.0/users -TenantId $tenant -Headers @{ $secret = '' }",
            "Invoke-SecureAppRequest /v1.0/users -TenantId $tenant -Headers @{ Authorization = $secret }",
            "@{ $secret = 1 } | Invoke-SecureAppRequest -Batch -TenantId $tenant",
            "Invoke-DelegatedTenantCommand { } -TenantId $secret -Resource https://graph.microsoft.com",
            "Invoke-DelegatedTenantCommand { } -TenantId $tenant -Resource https://graph.microsoft.com -Module $secret",
            "Get-DelegatedTenant $secret",
            "Get-DelegatedTenant -Environment $secret",
            "Test-SecureAppCredential $credential $secret",
            "Test-SecureAppCredential $credential -Environment $secret",
            "Get-SecureAppTokenCache -TenantId $secret",
            "Get-SecureAppTokenCache -ApplicationId $secret",
            "Get-SecureAppTokenCache -Environment $secret",
            "Clear-SecureAppTokenCache -ApplicationId $secret",
            "Get-GCITSAccessTokenByResource $credential $secret https://graph.microsoft.com",
            "Get-GCITSAccessTokenByResource $secret $tenant https://graph.microsoft.com",
            "New-PartnerAccessToken -Consent -Credential $secret",
            "New-PartnerAccessToken -Consent -Credential ([pscredential]::new($secret, (ConvertTo-It $id)))",
            "New-PartnerAccessToken -ApplicationId $secret -Scopes https://graph.microsoft.com/.default",
            "New-PartnerAccessToken -ApplicationId $id -Scopes https://graph.microsoft.com/.default -Tenant $secret",
            "New-PartnerAccessToken -ApplicationId $id -RefreshToken x -Scopes $secret",
            "New-PartnerAccessToken -ApplicationId $id -RefreshToken x -Resource $secret",
            "New-PartnerAccessToken -ApplicationId $id -RefreshToken x -Environment $secret",
            "New-PartnerAccessToken -ApplicationId $id -AccessToken $secret -Scopes https://graph.microsoft.com/.default",
            "New-PartnerAccessToken -ApplicationId $id -CertificateThumbprint $secret -Tenant $tenant -Scopes https://graph.microsoft.com/.default",
            "New-PartnerAccessToken -Consent -Credential ([pscredential]::new($id, (ConvertTo-It $secret))) -ResponseUrl $secret",
            .. CredentialShaped.SelectMany(shape => TakingTenants.Select(command => command.Replace("<>", shape, StringComparison.Ordinal))),
        ];
        return [.. commands.SelectMany(_ => new[] { ClientSecret, RefreshToken }, (command, secret) => (command, secret))];
    }

    private static IEnumerable<string> CredentialShaped =>
    [
        "@{ appId = $id; secret = $secret }",
        "@{ appId = $id; clientSecret = $secret; tenantId = $tenant }",
        "([pscustomobject]@{ appId = $id; refreshToken = $secret })",
        "([pscustomobject]@{ appId = $id; refreshToken = $secret; TenantId = $tenant })",
        "([pscredential]::new($id, (ConvertTo-It $secret)))",
        "(New-SecureAppCredential $id -Secret $secret -TenantId $tenant)",
    ];

    private static IEnumerable<string> TakingTenants =>
    [
        "Get-SecureAppAccessToken <> -Resource x",
        "Get-SecureAppAccessToken <> $tenant -Resource x",
        "Connect-DelegatedTenant <> Graph",
        "Export-SecureAppAuditLog <> $folder",
        "Export-SecureAppAuditLog <> $tenant $folder",
        "Test-SecureAppCredential $credential <>",
    ];

    [Theory]
    [MemberData(nameof(Places))]
    public void It_is_refused_and_not_repeated(string command, string secret)
    {
        _engine.Set("secret", secret);

        string file = Path.GetTempFileName();
        _engine.Set("file", file);
        Outcome outcome = _engine.Run("function Join-It([string] $one, [string] $other) { $one + '/' + $other }\nfunction ConvertTo-It([string] $text) { $s = [securestring]::new(); foreach ($c in $text.ToCharArray()) { $s.AppendChar($c) }; $s }\n" + command);

        File.Delete(file);
        ErrorRecord[] errors = outcome.FailureRecord is ErrorRecord last ? [.. outcome.Errors, last] : [.. outcome.Errors];
        Assert.NotEmpty(errors);
        Assert.All(outcome.Output, Assert.Null);
        Assert.All(errors, error => Assert.True(
            error.FullyQualifiedErrorId.StartsWith("SecureAppModel.", StringComparison.Ordinal) || error.FullyQualifiedErrorId.StartsWith("ParameterArgumentTransformationError", StringComparison.Ordinal),
            error.FullyQualifiedErrorId));
        string all = outcome.AllText + string.Join('\n', errors.Select(error =>
            $"{error} {error.Exception} {error.ErrorDetails?.Message} {error.ErrorDetails?.RecommendedAction} {error.CategoryInfo} {Text(error.TargetObject)}"));
        Assert.DoesNotContain(secret, all);
        Assert.DoesNotContain(secret[..12], all);
    }

    /// <summary>A path that looks like one is what says which file is meant.</summary>
    [Theory]
    [InlineData("/nowhere/2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a001/Refresh token (2).txt")]
    [InlineData("/nowhere/PROGRA~1/token.txt~")]
    public void What_looks_like_a_path_is_repeated(string path)
    {
        _engine.Set("path", path);

        ErrorRecord error = _engine.Refused("New-SecureAppCredential $id -RefreshTokenPath $path");

        Assert.Contains(Path.GetFileName(path), error.Exception.Message);
        Assert.Equal(path, error.TargetObject);
    }

    [Theory]
    [InlineData("admin@contoso.com", "'admin@contoso.com' is a user name")]
    [InlineData("contoso.onmicrosoft.com", "'contoso.onmicrosoft.com' is not an application id")]
    [InlineData("Contoso app", "'Contoso app' is not an application id")]
    [InlineData("https://contoso.com", "'https://contoso.com' is not an application id")]
    [InlineData("2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a00", "'2f1e2d7c-8f0e-4c0e-9f5c-5a35d1c7a00' is not an application id")]
    public void What_looks_public_is_repeated(string value, string said)
    {
        _engine.Set("value", value);

        ErrorRecord error = _engine.Refused("New-SecureAppCredential $value -Secret x");

        Assert.Contains(said, error.Exception.Message);
        Assert.Equal(value, error.TargetObject);
    }

    [Theory]
    [InlineData("xKdJfEaQwLzP")]
    [InlineData("letters and 1 digit")]
    [InlineData("abcdefghijklmnopq")]
    [InlineData("https://contoso.com/letters")]
    public void What_may_be_made_at_random_is_told_by_its_length(string value)
    {
        _engine.Set("value", value);

        ErrorRecord error = _engine.Refused("New-SecureAppCredential $value -Secret x");

        Assert.Contains($"A text of {value.Length} characters", error.Exception.Message);
        Assert.Equal($"a text of {value.Length} characters", error.TargetObject);
    }

    [Theory]
    [InlineData("Get-SecureAppAccessToken $credential $tenant -Resource x")]
    [InlineData("Get-SecureAppAccessToken @{ appId = $id; secret = 'x' } $tenant -Resource x")]
    [InlineData("Export-SecureAppAuditLog $credential $tenant $folder")]
    public void A_credential_before_the_tenant_gets_its_own_message(string command)
    {
        ErrorRecord error = _engine.Refused(command);

        Assert.Contains("A credential is not a tenant", error.Exception.Message);
        Assert.Contains("-Credential $credential", error.Exception.Message);
        Assert.Null(error.TargetObject);
    }

    [Fact]
    public void A_piped_row_of_applications_is_its_tenant()
    {
        Outcome outcome = _engine.Run(
            """
            $null = Add-SecureAppEnvironment RowOfApplications -LoginEndpoint https://localhost:1 -Force
            [pscustomobject]@{ clientId = $id; clientSecret = 'do-not-show'; TenantId = $tenant } |
                Get-SecureAppAccessToken -Resource https://graph.microsoft.com -Environment RowOfApplications
            """);

        ErrorRecord error = Assert.Single(outcome.Errors);
        Assert.StartsWith("SecureAppModel.Network", error.FullyQualifiedErrorId);
        Assert.Equal(TenantId, error.TargetObject);
    }

    public void Dispose() => _engine.Dispose();

    /// <summary>All that can be read of an error's target, as a log would write it.</summary>
    private static string Text(object? value) => value switch
    {
        null => string.Empty,
        PSObject wrapped => Text(wrapped.BaseObject) + string.Join(' ', wrapped.Properties.Select(property => property.Value)),
        IDictionary dictionary => string.Join(' ', dictionary.Keys.Cast<object>().Concat(dictionary.Values.Cast<object>())),
        string text => text,
        IEnumerable many => string.Join(' ', many.Cast<object>()),
        _ => value.ToString() ?? string.Empty,
    };
}
