using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using SecureAppModel.Completion;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Sends a message through Microsoft Graph with the parameters of Send-MailMessage, and reports on exports.</summary>
    [Cmdlet(VerbsCommunications.Send, "SecureAppMailMessage", SupportsShouldProcess = true)]
    [OutputType(typeof(SecureAppMailMessage))]
    public sealed class SendSecureAppMailMessageCommand : OperationCmdlet
    {
        private readonly List<string> _files = new List<string>();
        private readonly List<SecureAppAuditExport> _exports = new List<SecureAppAuditExport>();

        [Parameter(Position = 0)]
        public string[]? To { get; set; }

        [Parameter(Position = 1)]
        [Alias("sub")]
        public string? Subject { get; set; }

        [Parameter(Position = 2)]
        public string? Body { get; set; }

        /// <summary>Has no effect: Microsoft Graph sends the message. It is here for scripts that say it.</summary>
        [Parameter(Position = 3)]
        [Alias("ComputerName")]
        public string? SmtpServer { get; set; }

        /// <summary>The mailbox to send from; the signed-in user's own where it is not given.</summary>
        [Parameter]
        public string? From { get; set; }

        [Parameter]
        public string[]? Cc { get; set; }

        [Parameter]
        public string[]? Bcc { get; set; }

        [Parameter]
        public string[]? ReplyTo { get; set; }

        [Parameter]
        [Alias("BAH")]
        public SwitchParameter BodyAsHtml { get; set; }

        /// <summary>Files, taken literally.</summary>
        [Parameter(ValueFromPipeline = true)]
        [Alias("PsPath")]
        [AttachmentTransformation]
        public string[]? Attachments { get; set; }

        /// <summary>Results of Export-SecureAppAuditLog, to be reported on.</summary>
        [Parameter(ValueFromPipeline = true)]
        public SecureAppAuditExport[]? AuditExport { get; set; }

        [Parameter]
        [ValidateSet("Low", "Normal", "High")]
        public string? Priority { get; set; }

        [Parameter]
        [Alias("DNO")]
        [ValidateSet("None", "OnSuccess", "OnFailure")]
        public string[]? DeliveryNotificationOption { get; set; }

        /// <summary>Has no effect: Microsoft Graph takes Unicode.</summary>
        [Parameter]
        [Alias("BE")]
        public object? Encoding { get; set; }

        /// <summary>Has no effect: what is sent is always encrypted on its way to Microsoft Graph.</summary>
        [Parameter]
        public SwitchParameter UseSsl { get; set; }

        /// <summary>Has no effect.</summary>
        [Parameter]
        public int Port { get; set; }

        /// <summary>The tenant of the mailbox; the credential's own where it is not given.</summary>
        [Parameter]
        [Alias("Tenant")]
        [ArgumentCompleter(typeof(TenantCompleter))]
        public string? TenantId { get; set; }

        [Parameter]
        [Alias("AppCredential")]
        public object? Credential { get; set; }

        [Parameter]
        public SwitchParameter PassThru { get; set; }

        [Parameter]
        public SwitchParameter AppOnly { get; set; }

        [Parameter]
        [ArgumentCompleter(typeof(EnvironmentCompleter))]
        public string? Environment { get; set; }

        protected override void BeginProcessing()
        {
            CheckNotEmpty(nameof(From), nameof(To), nameof(Cc), nameof(Bcc), nameof(ReplyTo), nameof(Attachments), nameof(AuditExport));
            if (IsGiven(nameof(TenantId)))
            {
                Check(TenantInput.Refusal(TenantId), TenantId);
            }

            string[] idle = new[] { nameof(SmtpServer), nameof(Port), nameof(UseSsl), nameof(Encoding) }.Where(IsGiven).ToArray();
            if (idle.Length > 0)
            {
                WriteVerbose("Microsoft Graph sends the message, so these have no effect: " + string.Join(", ", idle.Select(name => "-" + name)) + ".");
            }
        }

        protected override void ProcessRecord()
        {
            // What is not piped is bound anew for each item of the input.
            foreach (string path in (Attachments ?? Array.Empty<string>()).Where(path => !_files.Contains(path)))
            {
                _files.Add(path);
            }

            _exports.AddRange((AuditExport ?? Array.Empty<SecureAppAuditExport>()).Except(_exports));
        }

        protected override void EndProcessing()
        {
            if (MyInvocation.ExpectingInput && _files.Count == 0 && _exports.Count == 0)
            {
                FailInput("Nothing came through the pipeline to send.", "Pipe results of Export-SecureAppAuditLog or paths of files in, or call the command without a pipeline.", null);
            }

            string[] files = _files.Select(File).ToArray();
            using RequestBuilder request = new RequestBuilder("mail_send")
                .Credential("credential", ResolveCredential(Credential))
                .Text("environment", ResolveEnvironment(Environment))
                .Flag("appOnly", AppOnly)
                .Text("tenant", TenantId?.Trim())
                .Text("from", From)
                .Texts("to", To)
                .Texts("cc", Cc)
                .Texts("bcc", Bcc)
                .Texts("replyTo", ReplyTo)
                .Text("subject", Subject)
                .Text("body", Body)
                .Flag("html", BodyAsHtml)
                .Text("priority", Priority)
                .Flag("deliveryReceipt", DeliveryNotificationOption?.Contains("OnSuccess", StringComparer.OrdinalIgnoreCase) == true)
                .Texts("attachments", files)
                .Text("machine", System.Environment.MachineName);
            string recipients = string.Join(", ", new[] { To, Cc, Bcc }.SelectMany(list => list ?? Array.Empty<string>()));
            if (!ShouldProcess(recipients, "Send the message '" + Subject + "'" + (files.Length > 0 ? " with " + files.Length + " files" : string.Empty)))
            {
                return;
            }

            Start(request);
            foreach (SecureAppAuditExport export in _exports)
            {
                using RequestBuilder item = Item(export);
                Submit(item);
            }

            Complete();
        }

        internal override void OnRecord(ValueMap record)
        {
            if (PassThru)
            {
                WriteObject(new SecureAppMailMessage(record));
            }
        }

        /// <summary>Whether a message may have gone is what a script asks an error.</summary>
        internal override void OnEnded(SecureAppException failure) =>
            ThrowTerminatingError(ErrorRecords.From(failure, null, failure.Id.Length > 0 ? failure.Id : null));

        private string File(string path) =>
            Guarded(() => OutputPath.Resolve(SessionState, path, "Give -Attachments paths of files."), new FilePath(path));

        private static RequestBuilder Item(SecureAppAuditExport export) => new RequestBuilder("export")
            .Text("tenantId", export.TenantId)
            .Text("displayName", export.DisplayName)
            .Time("startTime", export.StartTime)
            .Time("endTime", export.EndTime)
            .Int("records", export.Records)
            .Int("duplicates", export.Duplicates)
            .Int("conflicts", export.Conflicts)
            .Flag("complete", export.Complete)
            .Text("reason", export.Reason)
            .Texts("gaps", export.Gaps.Select(gap => gap.ToString()))
            .Text("error", export.Error?.Message)
            .Text("path", export.Path);
    }
}
