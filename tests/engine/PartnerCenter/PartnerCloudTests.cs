using System.Net;
using System.Net.Sockets;
using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.PartnerCenter;

/// <summary>The PartnerCenter module's names of the clouds mean the clouds that they meant.</summary>
public sealed class PartnerCloudTests
{
    private static readonly (string Name, string Host)[] s_names =
    [
        ("AzureCloud", "login.microsoftonline.com"),
        ("globalcloud", "login.microsoftonline.com"),
        ("Public", "login.microsoftonline.com"),
        ("AzureChinaCloud", "login.partner.microsoftonline.cn"),
        ("ChinaCloud", "login.partner.microsoftonline.cn"),
        ("AzureUSGovernment", "login.microsoftonline.us"),
        ("USGovernment", "login.microsoftonline.us"),
    ];

    /// <summary>A proxy that nobody serves keeps the test on this machine; the error names who was asked.</summary>
    [Fact]
    public void An_old_name_is_a_cloud()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        (string, string)[] variables = [("HTTPS_PROXY", $"http://{nobody.LocalEndPoint}"), ("NO_PROXY", ""), ("no_proxy", "")];

        using ChildEngine child = ChildEngine.StartWith(
            variables,
            """
            param($manifest, $partner, $names)
            Import-Module $manifest, $partner
            foreach ($name in $names.Split(' ')) {
                try { New-PartnerAccessToken -Module ExchangeOnline -RefreshToken refresh -Environment $name } catch { "$_" }
            }
            """,
            Repository.Manifest,
            PartnerModule.Manifest,
            string.Join(' ', s_names.Select(row => row.Name)));

        IReadOnlyList<string> said = child.Wait().Lines;
        Assert.Equal(s_names.Length, said.Count);
        Assert.All(s_names.Zip(said), pair => Assert.Contains($"no connection to {pair.First.Host}:", pair.Second));
    }
}
