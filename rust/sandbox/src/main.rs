//! `secureapp-sandbox`: serves a sandbox until it is told to stop.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use secureapp_sandbox::{parse, Command, Options, Sandbox, USAGE};
use tokio::io::AsyncReadExt;

fn main() -> ExitCode {
    match parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => print(USAGE),
        Ok(Command::Version) => print(concat!("secureapp-sandbox ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Command::Run {
            options,
            exit_with_stdin,
        }) => match run(*options, exit_with_stdin) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => fail(&message, 1),
        },
        Err(error) => fail(&format!("{error} (see --help)"), 2),
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "secureapp-sandbox: {message}");
    ExitCode::from(code)
}

fn run(options: Options, exit_with_stdin: bool) -> Result<(), String> {
    let sandbox = Sandbox::start_blocking(options).map_err(|e| e.to_string())?;
    let files = Files::write(&sandbox)?;
    let mut facts = sandbox.facts().clone();
    facts.certificate_path = files.authority().to_string_lossy().into_owned();
    if !facts.application_id.is_empty() {
        facts.certificate_pfx_path = files.application().to_string_lossy().into_owned();
        facts.certificate_pfx_password = PFX_PASSWORD.to_owned();
    }
    let mut line = serde_json::to_string(&facts).map_err(|e| format!("the facts cannot be written: {e}"))?;
    line.push('\n');
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot wait for signals: {e}"))?;
    runtime.block_on(async {
        // Installed before the facts are printed: whoever reads them may stop us at once.
        let stop = Stop::new()?;
        let mut stdout = std::io::stdout().lock();
        stdout
            .write_all(line.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|e| format!("standard output cannot be written: {e}"))?;
        drop(stdout);
        tokio::select! {
            () = stop.wait() => {}
            () = stdin_end(), if exit_with_stdin => {}
        }
        Ok::<(), String>(())
    })?;
    // A read of standard input may still be waiting on a thread; it must not keep the process.
    runtime.shutdown_background();
    Ok(())
}

async fn stdin_end() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 256];
    while let Ok(1..) = stdin.read(&mut buffer).await {}
}

#[cfg(unix)]
struct Stop(
    tokio::signal::unix::Signal,
    tokio::signal::unix::Signal,
    tokio::signal::unix::Signal,
);

#[cfg(unix)]
impl Stop {
    fn new() -> Result<Self, String> {
        use tokio::signal::unix::{signal, SignalKind};
        let on = |kind| signal(kind).map_err(|e| format!("cannot listen for signals: {e}"));
        Ok(Stop(
            on(SignalKind::terminate())?,
            on(SignalKind::interrupt())?,
            on(SignalKind::hangup())?,
        ))
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
            _ = self.2.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn new() -> Result<Self, String> {
        Ok(Stop)
    }

    async fn wait(self) {
        // Without a console handler the process ends with its console, as it should.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Not a secret: what the file opens is this sandbox alone.
const PFX_PASSWORD: &str = "Sandbox only 1";

/// The authority's certificate and the application's, with its key, in a folder of their own, removed at the end.
struct Files(PathBuf);

impl Files {
    fn write(sandbox: &Sandbox) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("secureapp-sandbox-{}", std::process::id()));
        let files = Files(folder);
        let own = sandbox.own_certificate().map_err(|e| e.to_string())?;
        let pfx = own
            .pfx(PFX_PASSWORD)
            .map_err(|e| format!("the application's certificate cannot be exported: {e}"))?;
        std::fs::create_dir_all(&files.0)
            .and_then(|()| std::fs::write(files.authority(), sandbox.ca_pem()))
            .and_then(|()| std::fs::write(files.application(), pfx))
            .map_err(|e| format!("the certificates cannot be written to {}: {e}", files.0.display()))?;
        Ok(files)
    }

    fn authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    fn application(&self) -> PathBuf {
        self.0.join("application.pfx")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed opens nothing once the sandbox has ended.
        let _ = std::fs::remove_file(self.authority());
        let _ = std::fs::remove_file(self.application());
        let _ = std::fs::remove_dir(&self.0);
    }
}
