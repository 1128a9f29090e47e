using System.Collections.Concurrent;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Internal;
using System.Security;
using System.Text;
using System.Text.RegularExpressions;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>
/// A host that keeps what a person would have seen: rendered lines (Out-Default and the Format.ps1xml views end here) and
/// progress. It has nobody to ask, so a prompt fails the command, unless a test says what is answered.
/// </summary>
public sealed class CapturingHost : PSHost
{
    private readonly CapturingUI _ui = new();

    /// <summary>All text written to the screen since the last <see cref="TakeText"/>.</summary>
    public string TakeText() => _ui.TakeText();

    /// <summary>Blocks until the text on the screen matches.</summary>
    public Match WaitForText(Regex pattern) => _ui.WaitForText(pattern);

    /// <summary>What a person answers who is asked for a line; the argument is the text on the screen.</summary>
    public Func<string, string>? Answer
    {
        get => _ui.Answer;
        set => _ui.Answer = value;
    }

    /// <summary>Every progress record shown so far, in order.</summary>
    public IReadOnlyCollection<ProgressRecord> Progress => _ui.Progress;

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.GetCultureInfo("en-US");

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override string Name => "SecureAppModel tests";

    public override PSHostUserInterface UI => _ui;

    public override Version Version { get; } = new(1, 0);

    public override void EnterNestedPrompt() => throw Nobody();

    public override void ExitNestedPrompt() => throw Nobody();

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode)
    {
    }

    private static PSNotImplementedException Nobody() => new("A test ran into a prompt; nobody can answer it.");

    private sealed class CapturingUI : PSHostUserInterface
    {
        /// <summary>Longer than anything takes; only a failing test waits for it.</summary>
        private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

        private readonly StringBuilder _text = new();
        private readonly ConcurrentQueue<ProgressRecord> _progress = new();

        public Func<string, string>? Answer { get; set; }

        public IReadOnlyCollection<ProgressRecord> Progress => _progress;

        public override PSHostRawUserInterface RawUI { get; } = new FixedScreen();

        public override bool SupportsVirtualTerminal => false;

        public string TakeText()
        {
            lock (_text)
            {
                string text = _text.ToString();
                _text.Clear();
                return text;
            }
        }

        public Match WaitForText(Regex pattern)
        {
            lock (_text)
            {
                Match match = pattern.Match(_text.ToString());
                while (!match.Success)
                {
                    Assert.True(Monitor.Wait(_text, s_limit), $"'{pattern}' did not come on the screen: {_text}");
                    match = pattern.Match(_text.ToString());
                }

                return match;
            }
        }

        public override void Write(string value)
        {
            lock (_text)
            {
                // Without colours, which would stand between the characters that tests look for.
                _text.Append(new StringDecorated(value).ToString(OutputRendering.PlainText));
                Monitor.PulseAll(_text);
            }
        }

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

        public override void WriteLine(string value) => Write(value + "\n");

        // Debug and verbose text is on in every test, but no person asked for it: it is in the streams and not on the screen.
        public override void WriteDebugLine(string message)
        {
        }

        public override void WriteErrorLine(string value) => WriteLine(value);

        public override void WriteVerboseLine(string message)
        {
        }

        public override void WriteWarningLine(string message) => WriteLine("WARNING: " + message);

        public override void WriteProgress(long sourceId, ProgressRecord record) => _progress.Enqueue(record);

        public override Dictionary<string, PSObject> Prompt(
            string caption, string message, Collection<FieldDescription> descriptions) => throw Nobody();

        public override int PromptForChoice(
            string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) => throw Nobody();

        public override PSCredential PromptForCredential(
            string caption, string message, string userName, string targetName) => throw Nobody();

        public override PSCredential PromptForCredential(
            string caption,
            string message,
            string userName,
            string targetName,
            PSCredentialTypes allowedCredentialTypes,
            PSCredentialUIOptions options) => throw Nobody();

        public override string ReadLine()
        {
            string screen;
            lock (_text)
            {
                screen = _text.ToString();
            }

            return Answer is null ? throw Nobody() : Answer(screen);
        }

        public override SecureString ReadLineAsSecureString() => throw Nobody();
    }

    /// <summary>A screen of 120 columns, so that a rendered view is the same on every machine.</summary>
    private sealed class FixedScreen : PSHostRawUserInterface
    {
        public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

        public override Size BufferSize { get; set; } = new(120, 500);

        public override Coordinates CursorPosition { get; set; }

        public override int CursorSize { get; set; } = 25;

        public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

        public override bool KeyAvailable => false;

        public override Size MaxPhysicalWindowSize => BufferSize;

        public override Size MaxWindowSize => BufferSize;

        public override Coordinates WindowPosition { get; set; }

        public override Size WindowSize { get; set; } = new(120, 50);

        public override string WindowTitle { get; set; } = string.Empty;

        public override void FlushInputBuffer()
        {
        }

        public override BufferCell[,] GetBufferContents(Rectangle rectangle) => new BufferCell[0, 0];

        public override KeyInfo ReadKey(ReadKeyOptions options) => throw Nobody();

        public override void ScrollBufferContents(
            Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill)
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
