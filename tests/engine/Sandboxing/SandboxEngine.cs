using System.Management.Automation;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Sandboxing;

/// <summary>Joins a session to a sandbox.</summary>
public static class SandboxEngine
{
    /// <summary>
    /// Makes the sandbox this session's default environment and its partner the default credential, and sets
    /// <c>$sandbox</c> (the facts), <c>$credential</c> (the partner's) and <c>$customer</c> (the first tenant's id).
    /// </summary>
    public static Engine Join(this Engine engine, Sandbox sandbox)
    {
        engine.JoinCloud(sandbox);
        engine.Run(
            """
            $global:credential = New-SecureAppCredential -ApplicationId $sandbox.ApplicationId -TenantId $sandbox.PartnerTenantId `
                -Secret (ConvertTo-Secret $sandbox.Secret) -RefreshToken (ConvertTo-Secret $sandbox.RefreshToken)
            Set-SecureAppDefault -Credential $credential
            """).Succeeded();
        return engine;
    }

    /// <summary>The same without a credential, for a sandbox in which no application is registered yet.</summary>
    public static Engine JoinCloud(this Engine engine, Sandbox sandbox)
    {
        engine.Set("sandbox", sandbox.Facts);
        engine.Set("customer", sandbox.Facts.Tenants[0].TenantId);
        engine.Run(
            """
            $services = $sandbox.Endpoints
            Add-SecureAppEnvironment -Name $sandbox.Environment -CertificatePath $sandbox.CertificatePath -Force `
                -LoginEndpoint $services['login'] -GraphEndpoint $services['graph'] -PartnerCenterEndpoint $services['partnerCenter'] `
                -ManagementEndpoint $services['manage'] -OutlookEndpoint $services['outlook'] -AadGraphEndpoint $services['aadGraph'] `
                -KeyVaultEndpoint $services['keyVault']
            function global:ConvertTo-Secret([string] $text) {
                [SecureAppModel.EngineTests.Leaks.RunSecrets]::Know('typed secret', $text)
                $secure = [securestring]::new()
                foreach ($character in $text.ToCharArray()) { $secure.AppendChar($character) }
                $secure
            }
            Set-SecureAppDefault -Environment $sandbox.Environment
            """).Succeeded();
        return engine;
    }

    /// <summary>The one error of a script that is refused before the sandbox is asked for anything.</summary>
    public static ErrorRecord RefusedUnsent(this Engine engine, Sandbox sandbox, string script)
    {
        sandbox.ResetStats();
        Outcome outcome = engine.Run(script);

        ErrorRecord error = outcome.FailureRecord ?? Assert.Single(outcome.Errors);
        Assert.Equal(0, sandbox.Stats()["requests"]!.GetValue<int>());
        return error;
    }
}
