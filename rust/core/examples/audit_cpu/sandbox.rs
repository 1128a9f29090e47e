//! The sandbox's executable, with an estate of tenants of uneven size, 5 % of the records delivered twice.

use super::Outcome;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const TENANTS: &str = "25";

pub(crate) struct Sandbox {
    process: Child,
    facts: Json,
}

impl Sandbox {
    pub(crate) fn start(records: &str, gzip: bool, extra: &[String]) -> Outcome<Self> {
        let mut process = Command::new(executable()?)
            .args(["--tenants", TENANTS, "--records", records, "--exit-with-stdin"])
            .args(["--audit", &format!("gzip={gzip}")])
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(Sandbox {
            process,
            facts: serde_json::from_str(&line)?,
        })
    }

    /// A text that it printed about itself.
    pub(crate) fn text(&self, key: &str) -> &str {
        text(&self.facts, key)
    }

    /// The address of a service.
    pub(crate) fn endpoint(&self, service: &str) -> &str {
        text(&self.facts["endpoints"], service).trim_end_matches('/')
    }

    pub(crate) fn authority_pem(&self) -> Outcome<String> {
        Ok(std::fs::read_to_string(self.text("certificatePath"))?)
    }

    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        let tenants = self.facts["tenants"].as_array().into_iter().flatten();
        tenants.map(|tenant| text(tenant, "tenantId"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The bench is over; a sandbox that is gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Beside the folder of the examples.
fn executable() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join("secureapp-sandbox"));
    path.filter(|path| path.exists()).ok_or_else(|| {
        "build the sandbox first, with the same profile: cargo build --release -p secureapp-sandbox".into()
    })
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}
