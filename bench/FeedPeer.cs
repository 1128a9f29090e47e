using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace SecureAppModel.Bench;

/// <summary>The activity feed as a .NET program without this module would read it.</summary>
internal sealed class FeedPeer
{
    private static readonly string[] s_contentTypes = ["Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General"];

    private readonly HttpClient _blobs;
    private readonly HttpClient _lists;
    private readonly string _base;
    private readonly Dictionary<string, string> _tokens = [];

    /// <summary>Signs in to every tenant, so that this is in no measurement.</summary>
    public FeedPeer(Session session, bool gzip, bool decompresses = true)
    {
        string authority = session.Text("CertificatePath");
        _lists = Client(authority, gzip);
        _blobs = Client(authority, gzip && decompresses);
        if (gzip && !decompresses)
        {
            _blobs.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        }

        _base = session.Endpoint("Manage");
        Tenants = [.. session.Invoke("$sandbox.Tenants.TenantId").Select(id => id.ToString())];
        foreach (string tenant in Tenants)
        {
            _tokens[tenant] = session.Invoke("param($tenant) Get-SecureAppAccessToken $tenant -Resource https://manage.office.com -AsPlainText", tenant).Single().ToString();
        }
    }

    public string[] Tenants { get; }

    public string Token(string tenant) => _tokens[tenant];

    /// <summary>Reads every blob of a tenant, so many at once.</summary>
    public void Each(string tenant, int atOnce, Action<Stream> read)
    {
        string[] blobs = [.. Blobs(tenant).Distinct()];
        if (atOnce == 1)
        {
            foreach (string blob in blobs)
            {
                using HttpResponseMessage reply = GetAsync(_blobs, tenant, blob).GetAwaiter().GetResult();
                read(reply.Content.ReadAsStream());
            }

            return;
        }

        Parallel.ForEachAsync(blobs, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (blob, stop) =>
        {
            using HttpResponseMessage reply = await GetAsync(_blobs, tenant, blob);
            read(await reply.Content.ReadAsStreamAsync(stop));
        }).GetAwaiter().GetResult();
    }

    /// <summary>The addresses of a tenant's blobs of seven days, page by page.</summary>
    public IEnumerable<string> Blobs(string tenant)
    {
        DateTime end = DateTime.UtcNow.AddMinutes(-10);
        foreach (string contentType in s_contentTypes)
        {
            for (DateTime start = DateTime.UtcNow.AddDays(-7).AddMinutes(5); start < end; start = start.AddDays(1))
            {
                DateTime until = start.AddDays(1) < end ? start.AddDays(1) : end;
                string? page = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{_base}/api/v1.0/{tenant}/activity/feed/subscriptions/content?contentType={contentType}&startTime={start:yyyy-MM-ddTHH:mm:ss}&endTime={until:yyyy-MM-ddTHH:mm:ss}");
                while (page is not null)
                {
                    using HttpResponseMessage reply = GetAsync(_lists, tenant, page).GetAwaiter().GetResult();
                    using JsonDocument list = JsonDocument.Parse(reply.Content.ReadAsStream());
                    foreach (JsonElement item in list.RootElement.EnumerateArray())
                    {
                        yield return item.GetProperty("contentUri").GetString()!;
                    }

                    page = reply.Headers.TryGetValues("NextPageUri", out IEnumerable<string>? next) ? next.Single() : null;
                }
            }
        }
    }

    private static HttpClient Client(string authority, bool decompresses)
    {
        SocketsHttpHandler handler = Session.Trusting(authority);
        handler.AutomaticDecompression = decompresses ? DecompressionMethods.GZip : DecompressionMethods.None;
        return new HttpClient(handler);
    }

    private async Task<HttpResponseMessage> GetAsync(HttpClient http, string tenant, string address) =>
        (await http.SendAsync(Request(tenant, address), HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();

    private HttpRequestMessage Request(string tenant, string address) => new(HttpMethod.Get, address)
    {
        Headers = { Authorization = new AuthenticationHeaderValue("Bearer", _tokens[tenant]) },
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };
}
