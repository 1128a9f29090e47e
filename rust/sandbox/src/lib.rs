//! A faithful local Microsoft cloud with a fake customer estate.
//!
//! The sandbox serves, over HTTPS with a certificate authority of its own and one port per service:
//!
//! - the Microsoft identity platform (v1 and v2 token, authorize and device code endpoints with pages to sign in at, admin
//!   consent, metadata, instance discovery, keys),
//! - Partner Center's `/v1/customers`,
//! - Microsoft Graph's `contracts` and `delegatedAdminCustomers`, and the directory in which applications are registered,
//! - the Office 365 Management Activity API,
//! - one Azure Key Vault with secrets, certificates and keys.
//!
//! Beside the cloud it is the machine that a script runs on: the managed identity endpoints of Azure's hosting platforms over
//! plain HTTP, and an OpenID issuer with a workload's federated token.
//!
//! It is strict where the services are strict (audience, permission, role, order of checks) and can be told to go wrong
//! the way they do (see [`Control`]). Everything it makes up follows from [`Options::seed`]: the same seed and the same
//! time range give the same tenants, the same records and the same identifiers. Nothing in it is secret.
//!
//! Protocol facts come from Microsoft's public documentation; each module names its pages.
//!
//! ```no_run
//! # async fn run() -> Result<(), secureapp_sandbox::StartError> {
//! use secureapp_sandbox::{Options, Sandbox};
//! let sandbox = Sandbox::start(Options { tenants: 3, ..Options::default() }).await?;
//! println!("{}", sandbox.facts().endpoints.login);
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod access;
mod application;
mod certificate;
mod cli;
mod clock;
mod consent;
mod control;
mod estate;
mod exchange;
mod facts;
mod fault;
mod federation;
mod feed;
mod graph;
mod hold;
mod identity;
mod keys;
mod managed_identity;
mod options;
mod own_certificate;
mod partner_center;
mod partners;
mod permissions;
mod random;
mod record_types;
mod registry;
mod reply;
mod resource;
mod route;
mod sandbox;
mod secrets;
mod server;
mod signer;
mod stats;
mod users;
mod vault;
mod world;

pub use cli::{parse, Command, USAGE};
pub use control::Control;
pub use facts::{Endpoints, Facts, ManagedIdentityFacts, PartnerFacts, TenantFacts, WorkloadFacts};
pub use hold::HoldCounts;
pub use managed_identity::Identity;
pub use options::{AuditOptions, Options, OptionsError, Preset, Signature, SECRETS_VARIABLE};
pub use own_certificate::OwnCertificate;
pub use sandbox::{Sandbox, StartError};
pub use users::UserFacts;
