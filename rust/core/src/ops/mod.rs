//! The commands. Each file is one kind of request.

mod application;
mod asking;
mod audit;
mod audit_export;
mod audit_read;
mod audit_search;
mod audit_subscriptions;
mod audit_verify;
mod certificate_create;
mod consents;
mod credential_test;
mod delegated_tenants;
mod exchange_command;
mod mail_send;
mod object_ids;
mod rest;
mod security;
mod sign_in;
mod signer_sign;
mod store;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod tokens;
mod vault;

use crate::engine::Session;
use crate::error::{Error, Result};
use crate::http::Budget;
use crate::operation::log::Log;
use crate::operation::Operation;
use crate::request::Request;

impl Operation {
    /// Starts the operation that the request's kind names. What can be found wrong without sending anything is an error
    /// here; everything later comes out of [`Operation::next`].
    ///
    /// Every kind takes `verbose` and `debug`: where they are not 0, what is being done, or the protocol, is told in events
    /// of that name. Without them such events are not made.
    pub fn start(session: &Session, mut request: Request) -> Result<Operation> {
        let log = Log::wanted(&mut request)?;
        Log::during(log, || Budget::new().during(|| Operation::of_kind(session, &request)))
    }

    fn of_kind(session: &Session, request: &Request) -> Result<Operation> {
        match request.kind() {
            "application_list" => application::list(session, request),
            "application_register" => application::register(session, request),
            "application_remove" => application::remove(session, request),
            "audit_export" => audit_export::start(session, request),
            "audit_read" => audit_read::start(session, request),
            "audit_resumable" => audit_export::resumable(session, request),
            "audit_search" => audit_search::start(session, request),
            "audit_subscriptions" => audit_subscriptions::start(session, request),
            "audit_verify" => audit_verify::start(session, request),
            "audit_watch" => audit_export::watch(session, request),
            "certificate_create" => certificate_create::start(session, request),
            "consents" => consents::start(session, request),
            "credential_load" => store::load(session, request),
            "credential_remove" => store::remove(session, request),
            "credential_rotate" => application::rotate(session, request),
            "credential_save" => store::save(session, request),
            "credential_test" => credential_test::start(session, request),
            "delegated_tenants" => delegated_tenants::start(session, request),
            "exchange_command" => exchange_command::start(session, request),
            "rest_batch" => rest::batch(session, request),
            "rest_request" => rest::start(session, request),
            "security_alerts" => security::alerts(session, request),
            "security_scores" => security::scores(session, request),
            "security_summary" => security::summary(session, request),
            "mail_send" => mail_send::start(session, request),
            "object_ids" => object_ids::start(session, request),
            "sign_in" => sign_in::start(session, request),
            "signer.sign" => signer_sign::start(session, request),
            "tokens" => tokens::start(session, request),
            "vault_certificate_get" => vault::certificate_get(session, request),
            "vault_credential" => vault::credential(session, request),
            "vault_secret_get" => vault::secret_get(session, request),
            "vault_secret_list" => vault::secret_list(session, request),
            "vault_secret_set" => vault::secret_set(session, request),
            #[cfg(feature = "test-hooks")]
            "test.panic" => Ok(test_hooks::panic(session)),
            other => Err(Error::invalid(format!("there is no operation '{other}'"))),
        }
    }
}
