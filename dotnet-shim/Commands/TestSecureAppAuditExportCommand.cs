using System.IO;
using System.Management.Automation;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>Reads export folders again and says whether each holds what its journal and manifest say, each record once.</summary>
    [Cmdlet(VerbsDiagnostic.Test, "SecureAppAuditExport")]
    [OutputType(typeof(SecureAppAuditExportCheck))]
    public sealed class TestSecureAppAuditExportCommand : OperationCmdlet
    {
        private const string Advice = "Give -Path the folder that was given to Export-SecureAppAuditLog, or the folder of one of the tenants in it.";

        /// <summary>The folders to check, taken literally: those that exports were given, or single tenants' folders in them.</summary>
        [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Alias("FullName")]
        public string[]? Path { get; set; }

        protected override void BeginProcessing()
        {
            if (!MyInvocation.ExpectingInput && (Path is null || Path.Length == 0))
            {
                FailInput("No folder was given.", Advice, null);
            }
        }

        protected override void ProcessRecord()
        {
            foreach (string path in Path ?? new[] { string.Empty })
            {
                Check(path);
            }

            if (IsStarted)
            {
                DrainReady();
            }
        }

        protected override void EndProcessing() => Complete();

        internal override void OnRecord(ValueMap record) => WriteObject(new SecureAppAuditExportCheck(record));

        internal override void OnFailed(ValueMap target, SecureAppException failure) =>
            WriteError(ErrorRecords.From(failure, new FilePath(target.OptionalText("path"))));

        private void Check(string path)
        {
            string full;
            try
            {
                full = string.IsNullOrWhiteSpace(path)
                    ? throw new SecureAppException(SecureAppErrorKind.InvalidInput, "The path is empty.", Advice)
                    : OutputPath.Resolve(SessionState, path, Advice);
                if (!Directory.Exists(full))
                {
                    throw new SecureAppException(SecureAppErrorKind.NotFound, "There is no folder at " + Shown.Path(path) + ".", Advice);
                }
            }
            catch (SecureAppException failure)
            {
                FailItem(failure, new FilePath(path));
                return;
            }

            if (!IsStarted)
            {
                using RequestBuilder request = new RequestBuilder("audit_verify");
                Start(request);
            }

            using RequestBuilder item = new RequestBuilder("folder").Text("path", full);
            Submit(item);
        }
    }
}
