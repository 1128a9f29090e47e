using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SecureAppModel.EngineTests.Hosting;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>Keys that stay where they are: what they are asked for, what their refusals say, and what a stop does.</summary>
public sealed class ExternalKeyTests(SharedSandbox shared) : IClassFixture<SharedSandbox>, IDisposable
{
    private const string Ask = "Get-SecureAppAccessToken -Credential $c -TenantId $customer -Resource 'https://graph.microsoft.com' -ForceRefresh";

    private readonly Engine _engine = Engine.Open().Join(shared.Sandbox);
    private readonly X509Certificate2 _certificate = TestCertificates.Registered(shared.Sandbox);

    public void Dispose()
    {
        _engine.Dispose();
        _certificate.Dispose();
    }

    [Theory]
    [InlineData(true, "", "Pss", "Pss")]
    [InlineData(false, "", "Pss", "Pkcs1", "Pkcs1")]
    [InlineData(true, "-AssertionAlgorithm RS256", "Pkcs1", "Pkcs1")]
    public void A_key_is_asked_for_what_it_can_do_and_remembered_for_what_it_cannot(bool knowsPss, string algorithm, params string[] asked)
    {
        var key = new KeptKey(_certificate.GetRSAPrivateKey()!) { KnowsPss = knowsPss };
        Open(key, algorithm);

        Assert.Equal(2, _engine.Run($"{Ask}; {Ask}").Succeeded().Output.Count);
        Assert.Equal(asked, key.Signatures);
    }

    [Fact]
    public void A_key_that_cannot_do_the_algorithm_that_was_named_says_so()
    {
        Open(new KeptKey(_certificate.GetRSAPrivateKey()!) { KnowsPss = false }, "-AssertionAlgorithm PS256");

        ErrorRecord error = Assert.Single(_engine.Run(Ask).Errors);

        Assert.Contains("cannot sign with this algorithm", error.Exception.Message);
        Assert.Contains("-AssertionAlgorithm RS256", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void The_keys_own_refusal_is_what_its_user_reads()
    {
        Open(new KeptKey(_certificate.GetRSAPrivateKey()!) { Refusal = "The card was pulled out." });

        ErrorRecord error = Assert.Single(_engine.Run(Ask).Errors);

        Assert.Contains("The card was pulled out", error.Exception.Message);
        Assert.Equal(ErrorCategory.AuthenticationError, error.CategoryInfo.Category);
    }

    [Fact]
    public void A_key_of_another_certificate_is_found_out_before_anything_is_sent()
    {
        shared.Sandbox.ResetStats();
        Open(new KeptKey(RSA.Create(2048)));

        ErrorRecord error = Assert.Single(_engine.Run(Ask).Errors);

        Assert.Contains("does not belong to the certificate", error.Exception.Message);
        Assert.DoesNotContain(shared.Sandbox.TokenCounts(), count => count.TenantId == shared.Sandbox.Facts.Tenants[0].TenantId);
    }

    [Fact]
    public void A_stop_does_not_wait_for_a_key_that_waits_for_a_person()
    {
        using var pin = new ManualResetEventSlim();
        var key = new KeptKey(_certificate.GetRSAPrivateKey()!) { Held = pin };
        Open(key);
        RunningScript script = _engine.Start(Ask);
        Within.Wait(key.Asked, "the first question to the key");

        script.Stop();

        Assert.True(script.Wait().Stopped);
        pin.Set();
    }

    [Fact]
    public void Many_tenants_are_signed_for_one_after_the_other_and_none_is_lost()
    {
        var key = new KeptKey(_certificate.GetRSAPrivateKey()!);
        Open(key);
        _engine.Set("tenants", shared.Sandbox.Facts.Tenants.Select(tenant => tenant.TenantId).ToArray());

        Outcome outcome = _engine.Run(
            "$tenants | Get-SecureAppAccessToken -Credential $c -Resource 'https://graph.microsoft.com', 'https://manage.office.com' -ForceRefresh").Succeeded();

        Assert.Equal(2 * shared.Sandbox.Facts.Tenants.Count, outcome.Output.Count);
        Assert.Equal(outcome.Output.Count, key.Signatures.Count);
    }

    [Fact]
    public void The_key_is_let_go_with_the_last_credential_that_uses_it()
    {
        WeakReference key = UseOnce();
        _engine.Run("$global:c = $null; $global:key = $null").Succeeded();
        using (Engine.Bare())
        {
            // The engine keeps the objects of its last pipeline until another one has run.
            _engine.Run("1").Succeeded();
        }

        DateTime limit = DateTime.UtcNow.AddMinutes(2);
        while (key.IsAlive && DateTime.UtcNow < limit)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Yield();
        }

        Assert.False(key.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference UseOnce()
    {
        var key = new KeptKey(_certificate.GetRSAPrivateKey()!);
        Open(key);
        _engine.Run($"[void]({Ask})").Succeeded();
        return new WeakReference(key);
    }

    private void Open(RSA key, string arguments = "")
    {
        _engine.Set("id", shared.Sandbox.Facts.ApplicationId);
        _engine.Set("public", X509CertificateLoader.LoadCertificate(_certificate.RawData));
        _engine.Set("key", key);
        _engine.Run($"$global:c = New-SecureAppCredential $id -Certificate $public -PrivateKey $key {arguments}").Succeeded();
    }
}
