using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>A message that was sent.</summary>
    public sealed class SecureAppMailMessage
    {
        internal SecureAppMailMessage(ValueMap record)
        {
            From = record.OptionalText("from");
            To = record.Texts("to");
            Cc = record.Texts("cc");
            Bcc = record.Texts("bcc");
            Subject = record.Text("subject");
            Attached = record.Texts("attached");
            NotAttached = record.Texts("omitted");
            Reason = record.OptionalText("reason");
        }

        /// <summary>The mailbox; none for the signed-in user's own.</summary>
        public string? From { get; }

        public string[] To { get; }

        public string[] Cc { get; }

        public string[] Bcc { get; }

        public string Subject { get; }

        /// <summary>The files that went with it.</summary>
        public string[] Attached { get; }

        /// <summary>The files that did not; the message says where they are.</summary>
        public string[] NotAttached { get; }

        /// <summary>Why not.</summary>
        public string? Reason { get; }

        public override string ToString() => Subject;
    }
}
