//! Key Vault: the client against the sandbox's vault.

mod secrets;
mod support;
