//! Whether this machine's platform gives tokens of the identity. The sign-in host and its clock play no part: the platform
//! asks it.

use super::{accepted, clock, reachability, Row};
use crate::error::{Error, Kind};
use crate::managed_identity::ManagedIdentity;

/// The rows of what a managed identity does not need.
pub(crate) fn beside_the_point(identity: &ManagedIdentity) -> [Row; 2] {
    let why = "a managed identity's tokens come from the platform of this machine";
    [reachability::CHECK, clock::CHECK].map(|check| Row::not_applicable(check, identity.platform(), why))
}

/// Judges the answer to one request.
pub(crate) fn judge(identity: &ManagedIdentity, answer: Result<(), &Error>) -> Row {
    let who = identity.identity().title();
    let gives = format!("{} gives tokens of {who}", identity.platform());
    match answer {
        Ok(()) => Row::pass(accepted::CHECK, identity.platform(), gives),
        // It is known, and this resource is not.
        Err(error) if error.kind() == Kind::NotFound => Row::pass(
            accepted::CHECK,
            identity.platform(),
            format!("{gives}; it refused something else, see the next rows"),
        ),
        // The platform is right here: what cannot be reached is not there.
        Err(error) if matches!(error.kind(), Kind::Throttled | Kind::Server) => {
            let detail = format!("could not be checked: {}", error.message());
            Row::warn(accepted::CHECK, identity.platform(), detail).because(error)
        }
        Err(error) => Row::fail(accepted::CHECK, identity.platform(), error.message()).because(error),
    }
}
