using System;
using System.Globalization;
using System.IO;
using System.Management.Automation;
using System.Threading;
using SecureAppModel.Interop;
using SecureAppModel.Sandbox;

namespace SecureAppModel.Commands
{
    /// <summary>Starts a local stand-in for Microsoft's cloud: a partner, its customers and their audit logs, all made up.</summary>
    [Cmdlet(VerbsLifecycle.Start, "SecureAppSandbox", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppSandbox))]
    public sealed class StartSecureAppSandboxCommand : SecureAppCmdlet, IDisposable
    {
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

        /// <summary>partner: all is well. articles: the permissions of 2019's guides. mixed: some customers have problems.</summary>
        [Parameter]
        [ValidateSet("partner", "articles", "mixed")]
        public string Preset { get; set; } = "partner";

        /// <summary>The name to register it under; one with its port where none is given.</summary>
        [Parameter]
        public string? Environment { get; set; }

        protected override void ProcessRecord()
        {
            if (!ShouldProcess(TenantCount + " tenants, " + AuditRecordCount + " audit records", "Start sandbox"))
            {
                return;
            }

            SandboxProcess process = Guarded(() => SandboxProcess.Start(SandboxExecutable.Find(), Arguments()), null);
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

        private string Arguments() => string.Format(
            CultureInfo.InvariantCulture,
            "--tenants {0} --records {1} --latency-ms {2} --port 0 --seed {3} --preset {4} --exit-with-stdin",
            TenantCount,
            AuditRecordCount,
            LatencyMilliseconds,
            Seed,
            Preset);

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
                .Text("caPem", ReadRoots(facts.Text("certificatePath")))

                // A name with a port that a dead sandbox left behind is free again; a chosen name may be somebody's.
                .Flag("force", !named);
            EnvironmentStore.Add(name, request);
            process.Environment = name;
            SecureAppCredential credential = CredentialInput.Open(
                facts.Text("applicationId"),
                CredentialInput.Secure(facts.Text("secret")),
                CredentialInput.Secure(facts.Text("refreshToken")),
                facts.Text("partnerTenantId"),
                facts.OptionalText("userPrincipalName"),
                null);
            return new SecureAppSandbox(facts, name, process.Id, credential);
        }

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
