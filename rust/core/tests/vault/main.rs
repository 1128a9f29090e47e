//! Key Vault: the client against the sandbox's vault, and credentials that are kept in it.

mod kills;
mod replaced;
mod secrets;
mod single_use;
mod stores;
mod support;
