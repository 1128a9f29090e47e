//! `certificate_create`: makes a self-signed certificate and writes it to files.
//!
//! The record tells where it is and how it is recognised, and holds it with its key as PKCS #12 with an empty password in
//! base64, for hosts that keep certificates in stores of their own.

use crate::certificate::create::{Files, Made, Plan};
use crate::certificate::{hex, pfx};
use crate::engine::Session;
use crate::error::{Error, Result};
use crate::event::Progress;
use crate::export::time::now;
use crate::operation::Operation;
use crate::request::Request;
use crate::secret::Secret;
use crate::value::Value;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine as _;

pub(super) fn start(session: &Session, request: &Request) -> Result<Operation> {
    let known: Vec<&str> = Plan::FIELDS.into_iter().chain(Files::FIELDS).collect();
    request.only(&known)?;
    let plan = Plan::from_request(request)?;
    let files = Files::from_request(request)?;
    Ok(Operation::spawn(session, |context| async move {
        let bits = plan.bits;
        let progress = |completed| {
            context.sink.progress(Progress {
                id: 0,
                parent: -1,
                activity: "Making a certificate".to_owned(),
                status: format!("looking for the primes of an RSA key of {bits} bits"),
                percent: None,
                completed,
            });
        };
        progress(false);
        let made = context.or_cancelled(plan.make(now())).await?;
        progress(true);
        let unprotected = files.unprotected();
        let record = tokio::task::spawn_blocking(move || finish(&made, &files))
            .await
            .map_err(|_| Error::internal("the writing of a certificate was broken off"))??;
        if unprotected {
            context
                .sink
                .warning("The private key is written without a password: whoever can read the file can sign in as the application. Use -Password, or keep the file where nobody else can read it.")
                .await?;
        }
        context.sink.record(record).await
    }))
}

fn finish(made: &Made, files: &Files) -> Result<Value> {
    let certificate = made.certificate()?;
    let pkcs12 = made.pfx("", pfx::Encryption::TripleDesSha1)?;
    files.write(made)?;
    let record = Value::map()
        .with("subject", certificate.subject())
        .with("thumbprint", hex(certificate.sha1()))
        .with("thumbprintSha256", hex(certificate.sha256()))
        .with("x5tS256", URL_SAFE_NO_PAD.encode(certificate.sha256()))
        .with("notBefore", Value::Time(certificate.not_before()))
        .with("notAfter", Value::Time(certificate.not_after()))
        .with("keyLength", i64::from(certificate.bits()))
        .with("certificate", Value::Bytes(made.der()?))
        .with("pkcs12", Value::Hidden(Secret::new(STANDARD.encode(&*pkcs12))));
    Ok(files.paths().into_iter().fold(record, |record, (key, path)| {
        record.with(key, path.map(|path| path.to_string_lossy().into_owned()))
    }))
}
