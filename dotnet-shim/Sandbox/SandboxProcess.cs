// One running sandbox. It lives on the write end of its standard input, which this process holds open: however this
// process ends, the pipe closes and the sandbox ends with it.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using SecureAppModel.Interop;

namespace SecureAppModel.Sandbox
{
    internal sealed class SandboxProcess : IDisposable
    {
        private const int ComplaintLines = 40;
        private const int ExitMilliseconds = 2000;

        private readonly object _gate = new object();
        private readonly Queue<string> _complaint = new Queue<string>();
        private readonly ManualResetEventSlim _changed = new ManualResetEventSlim();
        private readonly Process _process;
        private string? _facts;
        private bool _outputEnded;
        private bool _disposed;

        private SandboxProcess(Process process)
        {
            _process = process;
            Id = process.Id;
            process.OutputDataReceived += OnOutput;
            process.ErrorDataReceived += OnError;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        internal int Id { get; }

        /// <summary>The environment that was registered for it; empty until then.</summary>
        internal string Environment { get; set; } = string.Empty;

        internal static SandboxProcess Start(string path, string arguments) => new SandboxProcess(SandboxExecutable.Start(
            path,
            executable => new ProcessStartInfo(executable, arguments)
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }));

        /// <summary>Waits until it is ready and returns what it says about itself; null when <paramref name="stop"/> came first.</summary>
        /// <exception cref="SecureAppException">It ended before it was ready; the message holds its own words.</exception>
        internal ValueMap? WaitForFacts(CancellationToken stop)
        {
            try
            {
                _changed.Wait(stop);
            }
            catch (OperationCanceledException)
            {
                return null;
            }

            string? line;
            lock (_gate)
            {
                line = _facts;
            }

            if (line is null)
            {
                throw EndedEarly();
            }

            using RequestBuilder request = new RequestBuilder("json.read").Text("text", line);
            return Native.Call(request) as ValueMap ?? throw new SecureAppException(
                SecureAppErrorKind.Protocol,
                "The sandbox did not describe itself when it was ready.",
                "Install the SecureAppModel module again so that all of its files come from one release.");
        }

        /// <summary>Ends the process at once: it is not ready.</summary>
        internal void Kill() => End(patience: 0);

        /// <summary>Ends the process, at most this many milliseconds after asking it to.</summary>
        internal void Dispose(int patience) => End(patience);

        /// <summary>Ends the process, kindly first. Calling it again changes nothing.</summary>
        public void Dispose() => End(ExitMilliseconds);

        private void End(int patience)
        {
            lock (_gate)
            {
                if (_disposed)
                {
                    return;
                }

                _disposed = true;
            }

            try
            {
                _process.StandardInput.Close();
                if (patience == 0 || !_process.WaitForExit(patience))
                {
                    _process.Kill();
                    _process.WaitForExit(ExitMilliseconds);
                }
            }
            catch (Exception cause) when (cause is InvalidOperationException or IOException or System.ComponentModel.Win32Exception)
            {
                // It ended by itself in between, which is what was wanted.
            }
            finally
            {
                _process.Dispose();
                SandboxFolder.Remove(Id);
            }
        }

        private SecureAppException EndedEarly()
        {
            string ending;
            if (_process.WaitForExit(ExitMilliseconds))
            {
                // Waits for the rest of the error stream as well, which is what says why.
                _process.WaitForExit();
                ending = "ended with exit code " + _process.ExitCode;
            }
            else
            {
                ending = "closed its output";
            }

            lock (_gate)
            {
                string said = string.Join(System.Environment.NewLine, _complaint).Trim();
                return new SecureAppException(
                    SecureAppErrorKind.Internal,
                    "The sandbox " + ending + " before it was ready" + (said.Length > 0 ? ". It said: " + said : " and said nothing."),
                    "Check the parameters, then start it again.");
            }
        }

        private void OnOutput(object sender, DataReceivedEventArgs line)
        {
            lock (_gate)
            {
                if (line.Data is null)
                {
                    _outputEnded = true;
                }
                else if (_facts is null && line.Data.Trim().Length > 0)
                {
                    _facts = line.Data;
                }

                if (_facts is not null || _outputEnded)
                {
                    _changed.Set();
                }
            }
        }

        private void OnError(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
            {
                return;
            }

            lock (_gate)
            {
                _complaint.Enqueue(line.Data);
                if (_complaint.Count > ComplaintLines)
                {
                    _complaint.Dequeue();
                }
            }
        }
    }
}
