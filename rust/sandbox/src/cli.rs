//! The executable's command line.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::options::{number, Options, OptionsError};

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Print the version.
    Version,
    /// Serve.
    Run {
        /// What to serve.
        options: Box<Options>,
        /// Whether to stop when standard input ends.
        exit_with_stdin: bool,
    },
}

/// The help text.
pub const USAGE: &str = "\
A local Microsoft cloud with a fake customer estate: identity platform, Partner Center, Microsoft Graph, the
Management Activity API and a key vault over HTTPS on localhost. Prints one line of JSON with its addresses and credentials when it is
ready, and serves until it gets SIGTERM or Ctrl+C.

Usage: secureapp-sandbox [options]

  --tenants <n>          customers (default 25)
  --records <n>          distinct audit records in the whole estate (default 10000)
  --latency-ms <n>       wait before every answer (default 0)
  --port <n>             first port; each service has its own, in a row (default 0: any free ones)
  --seed <n>             what everything made up follows from (default 1)
  --preset <name>        partner, articles, articles-oob, mixed or empty: no application yet (default partner)
  --second-partner       another partner with the same application: one customer in four is its own, and one both's
  --redirect-uri <uri>   a reply URL of the application instead of the preset's; may be given more than once
  --signature <name>     rsa, or filler: tokens nobody can verify, for measuring a client (default rsa)
  --page-size <n>        most customers in one page of a list (default: the services' own limits)
  --token-lifetime <n>   seconds that an access token lives (default 3600)
  --audit <key=value,..> duplicates, late, longestDelayMinutes, burst, growing, growSeconds, pageSize, recordsPerBlob,
                         withoutId, conflicts, relisted, expirationDays, firstContentSeconds, requestsPerMinute,
                         startTime, endTime, gzip, subscribed (true; with false every customer's subscriptions have to be started, and each
                         then holds about a day of the past)
  --exit-with-stdin      stop when standard input ends
  --version              print the version
  --help                 print this text

SECUREAPP_SANDBOX_SECRETS in its environment: a folder where it writes down each secret that it holds or sees, but for
JSON Web Tokens; for tests that look for leaks.

Nothing that it prints is secret, and nothing leaves this machine.
";

/// Reads a command line (without the program's name).
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, OptionsError> {
    let mut options = Options::default();
    let mut exit_with_stdin = false;
    let mut parser = Parser::from_args(arguments);
    let text = |parser: &mut Parser| -> Result<String, OptionsError> {
        parser.value().and_then(|v| v.string()).map_err(wrong)
    };
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Arg::Long("tenants") => options.tenants = number("--tenants", &text(&mut parser)?)?,
            Arg::Long("records") => options.records = number("--records", &text(&mut parser)?)?,
            Arg::Long("latency-ms") => {
                options.latency = Duration::from_millis(number("--latency-ms", &text(&mut parser)?)?);
            }
            Arg::Long("port") => options.port = number("--port", &text(&mut parser)?)?,
            Arg::Long("seed") => options.seed = number("--seed", &text(&mut parser)?)?,
            Arg::Long("preset") => options.preset = text(&mut parser)?.parse()?,
            Arg::Long("second-partner") => options.second_partner = true,
            Arg::Long("redirect-uri") => options.redirect_uris.push(text(&mut parser)?),
            Arg::Long("signature") => options.signature = text(&mut parser)?.parse()?,
            Arg::Long("page-size") => options.list_page_size = Some(number("--page-size", &text(&mut parser)?)?),
            Arg::Long("token-lifetime") => {
                options.token_lifetime_seconds = number("--token-lifetime", &text(&mut parser)?)?;
            }
            Arg::Long("audit") => {
                for pair in text(&mut parser)?.split(',').filter(|pair| !pair.is_empty()) {
                    let (name, value) = pair
                        .split_once('=')
                        .ok_or_else(|| OptionsError(format!("--audit needs key=value, not '{pair}'")))?;
                    options.audit.set(name.trim(), value.trim())?;
                }
            }
            Arg::Long("exit-with-stdin") => exit_with_stdin = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            other => return Err(wrong(other.unexpected())),
        }
    }
    Ok(Command::Run {
        options: Box::new(options),
        exit_with_stdin,
    })
}

fn wrong(error: lexopt::Error) -> OptionsError {
    OptionsError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Preset;

    fn run(line: &str) -> Result<Command, OptionsError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn reads_every_option() {
        let line = "--tenants 3 --records=7 --latency-ms 5 --port 9000 --seed 2 --preset mixed --second-partner --exit-with-stdin --redirect-uri urn:x \
                    --audit duplicates=0.5,pageSize=2,endTime=2026-01-02T03:04:05";
        let Command::Run {
            options,
            exit_with_stdin,
        } = run(line).unwrap()
        else {
            panic!("not a run")
        };
        assert!(exit_with_stdin && options.second_partner);
        assert_eq!(
            (options.tenants, options.records, options.port, options.seed),
            (3, 7, 9000, 2)
        );
        assert_eq!(options.preset, Preset::Mixed);
        assert_eq!(options.redirect_uris, ["urn:x"]);
        assert_eq!((options.audit.duplicates, options.audit.page_size), (0.5, 2));
        assert!(options.audit.end_ms.is_some());
    }

    #[test]
    fn says_what_is_wrong() {
        for (line, part) in [
            ("--tenants many", "--tenants needs a whole number, not 'many'"),
            ("--preset other", "use partner, articles, articles-oob, mixed or empty"),
            ("--audit duplicates=2", "a share from 0 to 1"),
            ("--audit growing", "needs key=value"),
            ("--what", "--what"),
        ] {
            let error = run(line).unwrap_err().to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn the_help_names_every_audit_option() {
        let error = crate::AuditOptions::default()
            .set("nothing", "1")
            .unwrap_err()
            .to_string();
        for name in [
            "duplicates",
            "late",
            "growing",
            "pageSize",
            "recordsPerBlob",
            "withoutId",
            "expirationDays",
            "startTime",
            "endTime",
            "gzip",
            "subscribed",
        ] {
            assert!(USAGE.contains(name) && error.contains(name), "{name}");
        }
    }
}
