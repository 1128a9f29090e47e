//! Signing a user in, against a sandbox whose pages are driven without a browser.

mod device;
mod listener;
mod pasting;
mod support;
