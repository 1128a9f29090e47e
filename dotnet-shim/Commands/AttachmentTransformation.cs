using System;
using System.IO;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Takes paths and the files of Get-ChildItem. Two parameters take pipeline input, and PowerShell gives what is meant for one to the
    /// other as well, as its text: the result of an export is no path.
    /// </summary>
    internal sealed class AttachmentTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
            (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
            {
                SecureAppAuditExport or SecureAppAuditExport[] => Array.Empty<string>(),
                FileSystemInfo file => file.FullName,
                _ => inputData,
            };
    }
}
