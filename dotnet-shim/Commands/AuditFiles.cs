using System;
using SecureAppModel.Interop;

namespace SecureAppModel.Commands
{
    /// <summary>How exports and watches write their files: what cannot be meant, and how the native side is told.</summary>
    internal static class AuditFiles
    {
        /// <summary>Null where a folder is named; otherwise what to do about it.</summary>
        internal static SecureAppException? Missing(string? path) => string.IsNullOrWhiteSpace(path)
            ? ErrorRecords.Refusal("No folder was given.", "Use -Path with the folder to write to.")
            : null;

        /// <summary>Null where the format has what else is asked for; otherwise why not.</summary>
        internal static SecureAppException? Refusal(string format, bool bom, bool flatten)
        {
            if (!bom && !flatten || IsCsv(format))
            {
                return null;
            }

            string name = bom ? "-Bom" : "-Flatten";
            return ErrorRecords.Refusal(name + " is for CSV files only.", "Add -Format Csv, or leave " + name + " out.");
        }

        internal static RequestBuilder Files(this RequestBuilder request, string format, bool bom, bool flatten, string compression) => request
            .Text("format", format.ToLowerInvariant())
            .Flag("bom", bom)
            .Flag("flatten", flatten)
            .Text("compression", compression.ToLowerInvariant());

        private static bool IsCsv(string format) => format.Equals("Csv", StringComparison.OrdinalIgnoreCase);
    }
}
