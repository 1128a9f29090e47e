using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Module;
using SecureAppModel.EngineTests.PartnerCenter;

namespace SecureAppModel.EngineTests.Stopping;

/// <summary>Where a command can be when it is stopped.</summary>
public enum Stage
{
    /// <summary>It reads its input; nothing was sent.</summary>
    BeforeStart,

    /// <summary>The host has taken the connection and says nothing.</summary>
    Connecting,

    /// <summary>The request was sent, the reply's headers have not come.</summary>
    Headers,

    /// <summary>The headers have come, the body has not.</summary>
    Body,

    /// <summary>A part of the body has come.</summary>
    MidBody,

    /// <summary>It was told to wait before the next try.</summary>
    BackOff,

    /// <summary>Parts of its files get their final names.</summary>
    Rename,

    /// <summary>The process that it starts is not ready.</summary>
    ProcessStart,

    /// <summary>The key that it makes is not there yet.</summary>
    KeyGeneration,
}

/// <summary>One exported command: how it is called, which service it waits for, and which stages it does not have and why.</summary>
public sealed record StopRow(string Script, string Service, IReadOnlyDictionary<Stage, string> Without);

/// <summary>The one table of what is stopped where. A command that the manifest exports and that has no row fails a test.</summary>
public static class StopTable
{
    private const string WritesNoFile = "writes no file in parts";
    private const string StartsNoProcess = "starts no process";
    private const string MakesNoKey = "makes no key";
    private const string RedeemsFirst = "redeems its user's refresh token, which runs to its end to keep the new one";

    private static readonly Stage[] s_network = [Stage.Connecting, Stage.Headers, Stage.Body, Stage.MidBody, Stage.BackOff];

    /// <summary>
    /// The scripts of those that ask use <c>$application</c>, an application credential: a refresh-token redemption that was
    /// sent runs on by design, to keep the new token. What takes a user uses <c>$user</c>, the same with a refresh token.
    /// </summary>
    public static IReadOnlyDictionary<string, StopRow> Rows { get; } = new Dictionary<string, StopRow>
    {
        ["Get-SecureAppAccessToken"] = Asks("Get-SecureAppAccessToken -Credential $application -TenantId $customer -Resource https://graph.microsoft.com", "login"),
        ["Get-GCITSAccessTokenByResource"] = Asks("Get-GCITSAccessTokenByResource $application $customer https://graph.microsoft.com", "login"),
        ["Get-DelegatedTenant"] = Asks("Get-DelegatedTenant -Credential $application", "graph"),
        ["Grant-SecureAppConsent"] = Asks(
            "Grant-SecureAppConsent $customer $user -Resource e406a681-f3d4-42a8-90b6-c2b029497af1 -Scope user_impersonation -SkipVerification",
            "partnerCenter",
            (Stage.Connecting, RedeemsFirst)),
        ["Get-SecureAppConsent"] = Asks(
            "Get-SecureAppConsent $customer $user -Resource https://graph.microsoft.com",
            "login",
            (Stage.Connecting, RedeemsFirst),
            (Stage.Headers, RedeemsFirst),
            (Stage.Body, RedeemsFirst),
            (Stage.MidBody, RedeemsFirst)),
        ["Revoke-SecureAppConsent"] = Asks(
            "Revoke-SecureAppConsent $customer $user -Confirm:$false",
            "partnerCenter",
            (Stage.Connecting, RedeemsFirst),
            (Stage.Body, "its answer has no body"),
            (Stage.MidBody, "its answer has no body")),
        ["Get-DelegatedTenantSecureScore"] = Asks("Get-DelegatedTenantSecureScore $customer $application", "graph"),
        ["Get-DelegatedTenantSecurityAlert"] = Asks("Get-DelegatedTenantSecurityAlert $customer $application", "graph"),
        ["Get-DelegatedTenantSecuritySummary"] = Asks("Get-DelegatedTenantSecuritySummary $customer $application", "graph"),
        ["Invoke-SecureAppRequest"] = Asks("Invoke-SecureAppRequest /v1.0/users -TenantId $customer -Credential $application", "graph"),
        ["Invoke-SecureAppExchangeCommand"] = Asks("Invoke-SecureAppExchangeCommand Get-Mailbox -TenantId $customer -Credential $application", "outlook"),
        ["Invoke-DelegatedTenantCommand"] = Asks(
            "Invoke-DelegatedTenantCommand -TenantId $customer -Credential $application -Resource https://graph.microsoft.com { Invoke-SecureAppRequest /v1.0/users -TenantId $Tenant.TenantId }", "graph"),
        ["Connect-DelegatedTenant"] = Asks(
            "function Connect-MgGraph { param([securestring] $AccessToken) }; Connect-DelegatedTenant -TenantId $customer -Credential $application -Service Graph", "login"),
        ["Test-SecureAppCredential"] = Asks(
            "Test-SecureAppCredential -Credential $application", "login", (Stage.BackOff, "reports a throttled service in its row instead of waiting for it")),
        ["Save-SecureAppCredential"] = Asks("Save-SecureAppCredential -Name any -VaultName vault -Credential $application", "keyVault"),
        ["Get-SecureAppCredential"] = Asks("Get-SecureAppCredential -Name any -VaultName vault -VaultCredential $application", "keyVault"),
        ["Remove-SecureAppCredential"] = Asks("Remove-SecureAppCredential -Name any -VaultName vault -VaultCredential $application", "keyVault"),
        ["New-SecureAppCredential"] = Asks(
            "New-SecureAppCredential $sandbox.ApplicationId -VaultName vault -CertificateName any -VaultCredential $application", "keyVault"),
        ["New-SecureApp"] = Asks("New-SecureApp any -Credential $application", "graph"),
        ["Set-SecureApp"] = Asks("Set-SecureApp -ApplicationId $sandbox.ApplicationId -NewName any -Credential $application", "graph"),
        ["Get-SecureApp"] = Asks("Get-SecureApp -All -Credential $application", "graph"),
        ["Remove-SecureApp"] = Asks("Remove-SecureApp $sandbox.ApplicationId -Credential $application -Confirm:$false", "graph"),
        ["Update-SecureAppCredential"] = Asks("Update-SecureAppCredential $application -AdministratorCredential $application", "graph"),
        ["New-SecureAppRefreshToken"] = Asks("New-SecureAppRefreshToken -Credential $application -UseDeviceCode", "login"),
        ["New-PartnerAccessToken"] = Asks(
            "New-PartnerAccessToken -Credential ([pscredential]::new($application.appId, (ConvertTo-Secret $application.secret))) -Resource https://graph.microsoft.com -TenantId $customer", "login"),
        ["Get-SecureAppKeyVaultSecret"] = Asks("Get-SecureAppKeyVaultSecret -VaultName vault -Name any -Credential $application", "keyVault"),
        ["Set-SecureAppKeyVaultSecret"] = Asks(
            "Set-SecureAppKeyVaultSecret -VaultName vault -Name any -SecretValue (ConvertTo-Secret x) -Credential $application", "keyVault"),
        ["Get-SecureAppKeyVaultCertificate"] = Asks("Get-SecureAppKeyVaultCertificate -VaultName vault -Name any -Credential $application", "keyVault"),
        ["Export-SecureAppAuditLog"] = new(
            "Export-SecureAppAuditLog -TenantId $customer -Credential $application -Path $folder",
            "manage",
            new Dictionary<Stage, string> { [Stage.ProcessStart] = StartsNoProcess, [Stage.KeyGeneration] = MakesNoKey }),
        ["Get-SecureAppAuditLog"] = Asks("Get-SecureAppAuditLog -TenantId $customer -Credential $application", "manage"),
        ["Search-SecureAppUnifiedAuditLog"] = Asks(
            "Search-SecureAppUnifiedAuditLog -StartDate ([datetime]::UtcNow.AddDays(-2)) -EndDate ([datetime]::UtcNow) -TenantId $customer -Credential $application", "outlook"),
        ["Watch-SecureAppAuditLog"] = Asks(
            "Watch-SecureAppAuditLog -TenantId $customer -Credential $application -Path $folder",
            "manage",
            (Stage.Rename, "writes by rounds, each the work of Export-SecureAppAuditLog")),
        ["Resolve-SecureAppObjectId"] = Asks("Resolve-SecureAppObjectId 11111111-2222-3333-4444-555555555555 -TenantId $customer -Credential $application", "graph"),
        // With a large file, which makes a draft: the answer to a message that is sent at once has no body to be held in.
        ["Send-SecureAppMailMessage"] = Asks(
            "[System.IO.File]::WriteAllBytes(\"$folder/large.bin\", [byte[]]::new(4000000)); Send-SecureAppMailMessage -To any@contoso.example -From sam@contosopartner.example -Attachments $folder/large.bin -Credential $application", "graph"),
        ["Get-SecureAppAuditSubscription"] = Asks("Get-SecureAppAuditSubscription -TenantId $customer -Credential $application", "manage"),
        ["Enable-SecureAppAuditSubscription"] = Asks("Enable-SecureAppAuditSubscription -TenantId $customer -Credential $application", "manage"),
        ["Disable-SecureAppAuditSubscription"] = Asks("Disable-SecureAppAuditSubscription -TenantId $customer -Credential $application -Confirm:$false", "manage"),

        ["Disconnect-DelegatedTenant"] = Local("Disconnect-DelegatedTenant", "sends nothing: it calls other modules' commands"),
        ["Test-SecureAppAuditExport"] = Local("Test-SecureAppAuditExport $folder -ErrorAction SilentlyContinue", "reads files"),
        ["Start-SecureAppSandbox"] = Local(
            "$sandbox2 = Start-SecureAppSandbox -TenantCount 1 -AuditRecordCount 0; Stop-SecureAppSandbox $sandbox2",
            "sends nothing: it waits for the line that its process prints",
            Stage.ProcessStart),
        ["Stop-SecureAppSandbox"] = Local("Stop-SecureAppSandbox", "sends nothing: it waits for its process, two seconds at most"),
        ["New-SecureAppCertificate"] = Local("New-SecureAppCertificate any -PemPath $folder/any.pem", "sends nothing", Stage.KeyGeneration),
        ["ConvertFrom-SecureAppAccessToken"] = Local("ConvertFrom-SecureAppAccessToken 'eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ4In0.'", "reads its parameter"),
        ["Set-SecureAppDefault"] = Local("Set-SecureAppDefault -Environment Public", "changes this session's memory"),
        ["Get-SecureAppDefault"] = Local("Get-SecureAppDefault", "answers from this session's memory"),
        ["Clear-SecureAppDefault"] = Local("Clear-SecureAppDefault", "changes this session's memory"),
        ["Get-SecureAppTokenCache"] = Local("Get-SecureAppTokenCache", "answers from this process's memory"),
        ["Clear-SecureAppTokenCache"] = Local("Clear-SecureAppTokenCache -Environment $sandbox.Environment", "changes this process's memory"),
        ["Add-SecureAppEnvironment"] = Local("Add-SecureAppEnvironment StopTableAdded -LoginEndpoint https://localhost:1 -Force", "changes this process's memory"),
        ["Get-SecureAppEnvironment"] = Local("Get-SecureAppEnvironment", "answers from this process's memory"),
        ["Remove-SecureAppEnvironment"] = Local(
            "$null = Add-SecureAppEnvironment StopTableRemoved -LoginEndpoint https://localhost:1 -Force; Remove-SecureAppEnvironment StopTableRemoved",
            "changes this process's memory"),
    };

    /// <summary>Every command that the module's manifest and the one beside it export.</summary>
    public static IEnumerable<string> Exported() => new[] { Repository.Manifest, PartnerModule.Manifest }.Select(ManifestTests.Read)
        .SelectMany(manifest => ManifestTests.Names(manifest["CmdletsToExport"]).Concat(ManifestTests.Names(manifest["FunctionsToExport"])));

    /// <summary>The commands that have a stage.</summary>
    public static IEnumerable<string> With(Stage stage) => Rows.Where(row => !row.Value.Without.ContainsKey(stage)).Select(row => row.Key);

    private static StopRow Asks(string script, string service, params (Stage Stage, string Reason)[] without)
    {
        var reasons = new Dictionary<Stage, string> { [Stage.Rename] = WritesNoFile, [Stage.ProcessStart] = StartsNoProcess, [Stage.KeyGeneration] = MakesNoKey };
        foreach ((Stage stage, string reason) in without)
        {
            reasons[stage] = reason;
        }

        return new StopRow(script, service, reasons);
    }

    private static StopRow Local(string script, string reason, params Stage[] has)
    {
        var reasons = s_network.ToDictionary(stage => stage, _ => reason);
        reasons[Stage.BeforeStart] = reason;
        reasons[Stage.Rename] = WritesNoFile;
        reasons[Stage.ProcessStart] = StartsNoProcess;
        reasons[Stage.KeyGeneration] = MakesNoKey;
        foreach (Stage stage in has)
        {
            reasons.Remove(stage);
        }

        return new StopRow(script, string.Empty, reasons);
    }
}
