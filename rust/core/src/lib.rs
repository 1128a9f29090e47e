//! What SecureAppModel does, without C and without PowerShell.
//!
//! An [`Engine`] holds what lives as long as the process: environments with their connection pools, the token cache
//! and the refresh-token lineages. A [`Session`] groups the operations of one caller so that they can be cancelled
//! together. An [`Operation`] is one command's work: it is started with a [`Request`], may take more requests as
//! input, and gives back one ordered stream of [`Event`]s that its caller pulls.
//!
//! Threads: every public type here is `Send + Sync`; an operation's events have one consumer at a time.
#![forbid(unsafe_code)]

mod application;
mod audit;
mod certificate;
mod check;
mod consent;
pub mod credential;
mod delegated;
mod directory;
pub mod engine;
pub mod environment;
pub mod error;
pub mod event;
mod exchange;
pub mod export;
mod graph;
mod html;
mod http;
mod immediate;
pub mod json;
pub mod jwt;
mod mail;
mod managed_identity;
mod odata;
pub mod operation;
mod ops;
mod owned_file;
pub mod request;
mod rest;
pub mod secret;
mod security;
mod shown;
mod sign_in;
pub mod signer;
mod store;
pub mod tenant;
pub mod token;
pub mod value;
mod vault;
pub mod window;

pub use credential::Credential;
pub use engine::{Engine, Session};
pub use error::{Error, Kind, Result};
pub use event::{Event, Failure, Progress, Prompt, PromptKind};
pub use http::Options as HttpOptions;
pub use immediate::immediate;
pub use operation::{Next, Operation, Submitted};
pub use request::{Field, Request};
pub use secret::Secret;
pub use signer::Signer;
pub use value::Value;
