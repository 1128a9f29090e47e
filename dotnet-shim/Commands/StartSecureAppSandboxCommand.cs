using System;
using System.Collections;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Security;
using System.Threading;
using SecureAppModel.Certificates;
using SecureAppModel.Interop;
using SecureAppModel.Sandbox;

namespace SecureAppModel.Commands
{
    /// <summary>Starts a local stand-in for Microsoft's cloud: a partner, its customers and their audit logs, all made up.</summary>
    [Cmdlet(VerbsLifecycle.Start, "SecureAppSandbox", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppSandbox))]
    public sealed class StartSecureAppSandboxCommand : SecureAppCmdlet, IDisposable
    {
        private const string Moment = "yyyy-MM-ddTHH:mm:ss";

        private readonly CancellationTokenSource _stop = new CancellationTokenSource();

        [Parameter(Position = 0)]
        [ValidateRange(1, 10000)]
        public int TenantCount { get; set; } = 25;

        /// <summary>Distinct audit records of all tenants together.</summary>
        [Parameter(Position = 1)]
        [ValidateRange(0, 100000000)]
        public int AuditRecordCount { get; set; } = 10000;

        /// <summary>How long every answer takes at least.</summary>
        [Parameter]
        [ValidateRange(0, 60000)]
        public int LatencyMilliseconds { get; set; }

        /// <summary>The same seed gives the same customers and records.</summary>
        [Parameter]
        [ValidateRange(0, int.MaxValue)]
        public int Seed { get; set; } = 1;

        /// <summary>partner: all is well. articles: the permissions of 2019's guides; articles-oob: with their only reply URL. mixed: some customers have problems. empty: no application is registered yet.</summary>
        [Parameter]
        [ValidateSet("partner", "articles", "articles-oob", "mixed", "empty")]
        public string Preset { get; set; } = "partner";

        /// <summary>Another partner with the same application: one customer in four is its own, and one both's.</summary>
        [Parameter]
        public SwitchParameter SecondPartner { get; set; }

        /// <summary>The first of its ports, which lie in a row; the system chooses free ones where none is given.</summary>
        [Parameter]
        [ValidateRange(0, 65000)]
        public int Port { get; set; }

        /// <summary>rsa: tokens are signed and can be verified. filler: they are not, for measuring a client.</summary>
        [Parameter]
        [ValidateSet("rsa", "filler")]
        public string Signature { get; set; } = "rsa";

        /// <summary>The most customers in one page of a list; the services' own limits where it is not given.</summary>
        [Parameter]
        [ValidateRange(1, int.MaxValue)]
        public int? PageSize { get; set; }

        [Parameter]
        [ValidateRange(1, int.MaxValue)]
        public int TokenLifetimeSeconds { get; set; } = 3600;

        /// <summary>The application's reply URLs, in place of those of its preset.</summary>
        [Parameter]
        public string[]? RedirectUri { get; set; }

        /// <summary>What is special about the audit feed, by the names that <c>secureapp-sandbox --help</c> lists under --audit.</summary>
        [Parameter]
        public IDictionary? AuditOption { get; set; }

        /// <summary>The name to register it under; one with its port where none is given.</summary>
        [Parameter]
        public string? Environment { get; set; }

        protected override void ProcessRecord()
        {
            if (Environment is not null ? string.IsNullOrWhiteSpace(Environment) : MyInvocation.BoundParameters.ContainsKey(nameof(Environment)))
            {
                FailInput("-Environment is empty.", "Check that the variable it comes from has a value in this session, or leave it out.", null);
            }

            if (!ShouldProcess(TenantCount + " tenants, " + AuditRecordCount + " audit records", "Start sandbox"))
            {
                return;
            }

            string arguments = Arguments();
            SandboxFolder.RemoveStale();
            SandboxProcess process = Guarded(() => SandboxProcess.Start(SandboxExecutable.Find(), arguments), null);
            bool ready = false;
            try
            {
                ValueMap? facts = Guarded(() => process.WaitForFacts(_stop.Token), null);
                if (facts is null)
                {
                    return;
                }

                SecureAppSandbox sandbox = Guarded(() => Register(process, facts), Environment);
                SandboxRegistry.Add(process);
                ready = true;
                WriteObject(sandbox);
            }
            finally
            {
                if (!ready)
                {
                    process.Kill();
                }
            }
        }

        protected override void StopProcessing() => _stop.Cancel();

        public void Dispose() => _stop.Dispose();

        private string Arguments()
        {
            string fixedOnes = string.Format(
                CultureInfo.InvariantCulture,
                "--tenants {0} --records {1} --latency-ms {2} --port {3} --seed {4} --preset {5} --signature {6} --token-lifetime {7} --exit-with-stdin",
                TenantCount,
                AuditRecordCount,
                LatencyMilliseconds,
                Port,
                Seed,
                Preset,
                Signature,
                TokenLifetimeSeconds);
            string pages = PageSize is int size ? " --page-size " + size.ToString(CultureInfo.InvariantCulture) : string.Empty;
            string audit = AuditOption is { Count: > 0 } options
                ? " --audit " + string.Join(",", options.Cast<DictionaryEntry>().Select(option => AuditArgument(option)))
                : string.Empty;
            string partners = SecondPartner ? " --second-partner" : string.Empty;
            return fixedOnes + partners + pages + audit + string.Concat((RedirectUri ?? Array.Empty<string>()).Select(RedirectArgument));
        }

        private string RedirectArgument(string uri)
        {
            // Well formed means without spaces and quotation marks too, which could begin another argument.
            if (!Uri.IsWellFormedUriString(uri, UriKind.Absolute))
            {
                FailInput("A reply URL is not an absolute address.", "Use for example http://localhost or urn:ietf:wg:oauth:2.0:oob.", null);
            }

            return " --redirect-uri " + uri;
        }

        /// <summary>One option as key=value. Which there are, and what they may be, the sandbox itself says.</summary>
        private string AuditArgument(DictionaryEntry option)
        {
            string name = Convert.ToString(option.Key, CultureInfo.InvariantCulture) ?? string.Empty;
            object? given = option.Value is PSObject wrapped ? wrapped.BaseObject : option.Value;
            string value = given switch
            {
                bool flag => flag ? "true" : "false",
                SwitchParameter flag => flag ? "true" : "false",
                DateTimeOffset time => time.UtcDateTime.ToString(Moment, CultureInfo.InvariantCulture),
                DateTime time => time.ToUniversalTime().ToString(Moment, CultureInfo.InvariantCulture),
                _ => Convert.ToString(given, CultureInfo.InvariantCulture) ?? string.Empty,
            };

            // Nothing that could end the argument or begin another one.
            if (name.Length == 0 || value.Length == 0 || !name.All(char.IsLetter) || !value.All(character => char.IsLetterOrDigit(character) || ".:+-".IndexOf(character) >= 0))
            {
                FailInput(
                    "The audit option '" + name + "' is not a name with a number, a time, true or false.",
                    "Use for example -AuditOption @{ duplicates = 0.2; growing = 3 }.",
                    null);
            }

            return name + "=" + value;
        }

        private SecureAppSandbox Register(SandboxProcess process, ValueMap facts)
        {
            bool named = !string.IsNullOrWhiteSpace(Environment);
            string name = named ? Environment!.Trim() : facts.Text("environment");
            ValueMap endpoints = facts.Map("endpoints") ?? ValueMap.Empty;
            using RequestBuilder request = new RequestBuilder("environment.add")
                .Text("name", name)
                .Text("loginHost", endpoints.Text("login"))
                .Text("graphHost", endpoints.OptionalText("graph"))
                .Text("partnerCenterHost", endpoints.OptionalText("partnerCenter"))
                .Text("manageHost", endpoints.OptionalText("manage"))
                .Text("outlookHost", endpoints.OptionalText("outlook"))
                .Text("aadGraphHost", endpoints.OptionalText("aadGraph"))
                .Text("keyVaultHost", endpoints.OptionalText("keyVault"))
                .Text("caPem", ReadRoots(facts.Text("certificatePath")))

                // A name with a port that a dead sandbox left behind is free again; a chosen name may be somebody's.
                .Flag("force", !named);
            EnvironmentStore.Add(name, request);
            process.Environment = name;
            if (facts.OptionalText("applicationId") is null)
            {
                // No application is registered yet.
                return new SecureAppSandbox(facts, name, process.Id);
            }

            CertificateParts certificate = new CertificateParts
            {
                Path = facts.Text("certificatePfxPath"),
                Password = CredentialInput.Secure(facts.Text("certificatePfxPassword")),
            };
            SecureString Secret() => CredentialInput.Secure(facts.Text("secret"));
            return new SecureAppSandbox(facts, name, process.Id)
            {
                Credential = OpenCredential(facts, facts, facts.Text("partnerTenantId"), Secret(), null),
                CertificateCredential = OpenCredential(facts, facts, facts.Text("partnerTenantId"), null, certificate),
                SecondCredential = facts.Map("secondPartner") is ValueMap second ? OpenCredential(facts, second, second.Text("tenantId"), Secret(), null) : null,
            };
        }

        private static SecureAppCredential OpenCredential(ValueMap facts, ValueMap user, string tenant, SecureString? secret, CertificateParts? certificate) => CredentialInput.Open(
            facts.Text("applicationId"),
            secret,
            CredentialInput.Secure(user.Text("refreshToken")),
            tenant,
            user.OptionalText("userPrincipalName"),
            null,
            certificate);

        private static string ReadRoots(string path)
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new SecureAppException(
                    SecureAppErrorKind.Storage,
                    "The sandbox's certificate '" + path + "' could not be read: " + cause.Message,
                    "Check that this user may read the temporary folder.",
                    cause);
            }
        }
    }
}
