//! Reading a partner's customers and trying its credential, against the sandbox and what goes wrong there.

mod credential_rows;
mod credential_test;
mod delegated_tenants;
mod rest;
mod security;
mod support;
