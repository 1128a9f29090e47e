using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Internal;
using System.Security;

namespace SecureAppModel.Demo;

/// <summary>A small console: text as it comes, progress on one line that is rewritten, or now and then when nobody watches.</summary>
internal sealed class ConsoleHost : PSHost
{
    private readonly ConsoleUI _ui = new();

    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override string Name => "SecureAppModel demo";

    public override PSHostUserInterface UI => _ui;

    public override Version Version { get; } = new(1, 0);

    public void EndProgress() => _ui.EndProgress();

    public override void EnterNestedPrompt() => throw Unattended();

    public override void ExitNestedPrompt() => throw Unattended();

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode)
    {
    }

    private static PSNotImplementedException Unattended() => new("The demo runs unattended: it asks nothing.");

    private sealed class ConsoleUI : PSHostUserInterface
    {
        private readonly Lock _gate = new();
        private readonly bool _watched = !Console.IsOutputRedirected;
        private bool _lineShown;
        private int _lastQuarter = -1;
        private string _activity = string.Empty;

        public override PSHostRawUserInterface RawUI { get; } = new ConsoleScreen();

        public override bool SupportsVirtualTerminal => _watched;

        public void EndProgress()
        {
            lock (_gate)
            {
                ClearLine();
            }
        }

        public override void Write(string value)
        {
            lock (_gate)
            {
                ClearLine();
                Console.Out.Write(_watched ? value : new StringDecorated(value).ToString(OutputRendering.PlainText));
            }
        }

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

        public override void WriteLine(string value) => Write(value + Environment.NewLine);

        public override void WriteDebugLine(string message) => WriteLine("DEBUG: " + message);

        public override void WriteErrorLine(string value) => WriteLine(value);

        public override void WriteVerboseLine(string message) => WriteLine("VERBOSE: " + message);

        public override void WriteWarningLine(string message) => WriteLine("WARNING: " + message);

        public override void WriteProgress(long sourceId, ProgressRecord record)
        {
            lock (_gate)
            {
                // The customers' own progress has no line here; the activity they belong to counts them.
                if (record.ParentActivityId >= 0)
                {
                    return;
                }

                if (record.RecordType == ProgressRecordType.Completed)
                {
                    ClearLine();
                    _lastQuarter = -1;
                    return;
                }

                string text = $"   {record.Activity}: {record.StatusDescription}" + (record.PercentComplete >= 0 ? $" ({record.PercentComplete} %)" : string.Empty);
                if (_watched)
                {
                    int width = Math.Max(20, Console.WindowWidth - 1);
                    Console.Out.Write("\r\u001b[K" + (text.Length > width ? text[..width] : text));
                    _lineShown = true;
                    return;
                }

                int quarter = record.PercentComplete / 25;
                if (record.PercentComplete >= 0 && (quarter > _lastQuarter || record.Activity != _activity))
                {
                    (_lastQuarter, _activity) = (quarter, record.Activity);
                    Console.Out.WriteLine(text);
                }
            }
        }

        public override Dictionary<string, PSObject> Prompt(
            string caption, string message, Collection<FieldDescription> descriptions) => throw Unattended();

        public override int PromptForChoice(
            string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) => throw Unattended();

        public override PSCredential PromptForCredential(
            string caption, string message, string userName, string targetName) => throw Unattended();

        public override PSCredential PromptForCredential(
            string caption,
            string message,
            string userName,
            string targetName,
            PSCredentialTypes allowedCredentialTypes,
            PSCredentialUIOptions options) => throw Unattended();

        public override string ReadLine() => throw Unattended();

        public override SecureString ReadLineAsSecureString() => throw Unattended();

        private void ClearLine()
        {
            if (_lineShown)
            {
                Console.Out.Write("\r\u001b[K");
                _lineShown = false;
            }
        }
    }

    private sealed class ConsoleScreen : PSHostRawUserInterface
    {
        public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

        public override Size BufferSize { get; set; } = new(Console.IsOutputRedirected ? 120 : Math.Max(80, Console.WindowWidth), 1000);

        public override Coordinates CursorPosition { get; set; }

        public override int CursorSize { get; set; } = 25;

        public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

        public override bool KeyAvailable => false;

        public override Size MaxPhysicalWindowSize => BufferSize;

        public override Size MaxWindowSize => BufferSize;

        public override Coordinates WindowPosition { get; set; }

        public override Size WindowSize { get => new(BufferSize.Width, 50); set => BufferSize = new Size(value.Width, BufferSize.Height); }

        public override string WindowTitle { get; set; } = string.Empty;

        public override void FlushInputBuffer()
        {
        }

        public override BufferCell[,] GetBufferContents(Rectangle rectangle) => new BufferCell[0, 0];

        public override KeyInfo ReadKey(ReadKeyOptions options) => throw Unattended();

        public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill)
        {
        }

        public override void SetBufferContents(Coordinates origin, BufferCell[,] contents)
        {
        }

        public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
        {
        }
    }
}
