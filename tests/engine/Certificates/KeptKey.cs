using System.Security.Cryptography;

namespace SecureAppModel.EngineTests.Certificates;

/// <summary>An RSA key that signs and does not let itself be copied, as a smart card's or an HSM's.</summary>
public sealed class KeptKey(RSA inner) : RSA
{
    private readonly List<string> _signatures = [];

    /// <summary>Old providers cannot do RSA-PSS.</summary>
    public bool KnowsPss { get; init; } = true;

    /// <summary>What it says instead of signing.</summary>
    public string? Refusal { get; init; }

    /// <summary>Nothing is signed until this is set; reading waits for the first question.</summary>
    public ManualResetEventSlim? Held { get; init; }

    public ManualResetEventSlim Asked { get; } = new();

    public IReadOnlyList<string> Signatures => [.. _signatures];

    public override RSAParameters ExportParameters(bool includePrivateParameters) => includePrivateParameters
        ? throw new CryptographicException("The key does not leave its card.")
        : inner.ExportParameters(false);

    public override void ImportParameters(RSAParameters parameters) => throw new NotSupportedException();

    public override byte[] SignHash(byte[] hash, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)
    {
        Asked.Set();
        Held?.Wait(Hosting.Within.Limit);
        _signatures.Add(padding.ToString());
        if (Refusal is not null)
        {
            throw new InvalidOperationException(Refusal);
        }

        return KnowsPss || padding != RSASignaturePadding.Pss
            ? inner.SignHash(hash, hashAlgorithm, padding)
            : throw new CryptographicException("Invalid algorithm specified.");
    }

    protected override byte[] HashData(byte[] data, int offset, int count, HashAlgorithmName hashAlgorithm) =>
        SHA256.HashData(data.AsSpan(offset, count));
}
