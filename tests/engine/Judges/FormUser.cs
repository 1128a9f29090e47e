using System.Net;
using System.Text.RegularExpressions;
using SecureAppModel.EngineTests.Sandboxing;

namespace SecureAppModel.EngineTests.Judges;

/// <summary>A user with a browser that runs no script: follows redirects, keeps cookies and sends each form that is shown.</summary>
internal sealed partial class FormUser(string certificatePath) : IDisposable
{
    /// <summary>More pages than any sign-in has.</summary>
    private const int Pages = 12;

    private readonly HttpClient _browser = new(Trust.Only(certificatePath));

    public void Dispose() => _browser.Dispose();

    /// <summary>Opens an address and types into each form what its fields are called; returns the last page, which has no form.</summary>
    public string Visit(string address, IReadOnlyDictionary<string, string> typed)
    {
        HttpResponseMessage reply = _browser.GetAsync(address).GetAwaiter().GetResult();
        for (int page = 0; page < Pages; page++)
        {
            Uri here = reply.RequestMessage!.RequestUri!;
            string html = reply.Content.ReadAsStringAsync().GetAwaiter().GetResult();
            Assert.True(reply.IsSuccessStatusCode, $"{here} answered {(int)reply.StatusCode}: {html}");
            reply.Dispose();
            Match form = Form().Match(html);
            if (!form.Success)
            {
                return html;
            }

            var target = new Uri(here, WebUtility.HtmlDecode(form.Groups["action"].Value));
            reply = _browser.PostAsync(target, new FormUrlEncodedContent(Fields(form.Groups["content"].Value, typed))).GetAwaiter().GetResult();
        }

        throw new InvalidOperationException($"The sign-in shows more than {Pages} forms.");
    }

    private static IEnumerable<KeyValuePair<string, string>> Fields(string form, IReadOnlyDictionary<string, string> typed)
    {
        foreach (Match input in Input().Matches(form))
        {
            string name = Attribute(input.Value, "name");
            string value = typed.TryGetValue(name, out string? text) ? text : Attribute(input.Value, "value");
            yield return new KeyValuePair<string, string>(name, value);
        }
    }

    private static string Attribute(string tag, string name) =>
        WebUtility.HtmlDecode(Regex.Match(tag, $"\\b{name}=\"([^\"]*)\"").Groups[1].Value);

    [GeneratedRegex("""<form\b[^>]*?\baction="(?<action>[^"]*)"[^>]*>(?<content>.*?)</form>""", RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex("""<input\b[^>]*\bname="[^>]*>""")]
    private static partial Regex Input();
}
