using System.Management.Automation;

namespace SecureAppModel.EngineTests.Hosting;

/// <summary>The harness itself: what the other tests rely on.</summary>
public sealed class HostTests
{
    [Fact]
    public void Every_stream_is_captured()
    {
        using Engine engine = Engine.Bare();

        Outcome outcome = engine.Run(
            """
            [CmdletBinding()] param($text)
            $VerbosePreference = 'Continue'; $DebugPreference = 'Continue'; $ErrorActionPreference = 'Continue'
            $PSCmdlet.WriteVerbose('v'); $PSCmdlet.WriteDebug('d'); $PSCmdlet.WriteWarning('w')
            $PSCmdlet.WriteProgress([System.Management.Automation.ProgressRecord]::new(1, 'activity', 'status'))
            $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([Exception]::new('e'), 'Id', 'NotSpecified', $null))
            $text
            """,
            "o");

        Assert.Null(outcome.Failure);
        Assert.Equal("o", outcome.Single<string>());
        Assert.Equal("e", Assert.Single(outcome.Errors).Exception.Message);
        Assert.Equal(["w"], outcome.Warnings);
        Assert.Equal(["v"], outcome.Verbose);
        Assert.Equal(["d"], outcome.Debug);
        Assert.Equal("activity", Assert.Single(outcome.Progress).Activity);
        Assert.Equal("activity", Assert.Single(engine.Progress).Activity);
    }

    [Fact]
    public void A_terminating_error_is_kept_with_its_record()
    {
        using Engine engine = Engine.Bare();

        Outcome outcome = engine.Run("throw 'no'");

        Assert.Equal("no", outcome.FailureRecord?.Exception.Message);
        Assert.False(outcome.Stopped);
    }

    [Fact]
    public void A_rendered_object_looks_as_on_a_screen()
    {
        using Engine engine = Engine.Bare();

        string screen = engine.Render("[pscustomobject]@{ Name = 'Contoso'; Records = 3 }");

        Assert.Contains("Name", screen);
        Assert.Matches(@"Contoso\s+3", screen);
    }

    [Fact]
    public void A_running_script_can_be_stopped()
    {
        using Engine engine = Engine.Bare();
        RunningScript script = engine.Start("'started'; while ($true) { }");
        Assert.Single(script.TakeUntil(1));

        script.Stop();

        Assert.True(script.Wait().Stopped);
    }

    [Fact]
    public void Input_reaches_the_command_while_it_is_made()
    {
        using Engine engine = Engine.Bare();
        using var second = new ManualResetEventSlim();
        IEnumerable<int> Numbers()
        {
            yield return 1;
            Within.Wait(second, "the first result");
            yield return 2;
        }

        RunningScript script = engine.StartWithInput(
            Numbers(), "ForEach-Object", new Dictionary<string, object> { ["Process"] = ScriptBlock.Create("$_ * 10") });
        Assert.Equal(10, Assert.Single(script.TakeUntil(1)).BaseObject);
        second.Set();

        Assert.Equal([10, 20], script.Wait().Succeeded().Output.Select(item => item.BaseObject));
    }
}
