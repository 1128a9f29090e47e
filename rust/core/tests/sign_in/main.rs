//! Signing a user in, against a sandbox whose pages are driven without a browser.

mod device;
mod handed_out;
mod listener;
mod pasting;
mod support;
