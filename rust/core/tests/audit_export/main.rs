//! Exporting audit logs from the sandbox's feed: what is in the files equals what the sandbox says there is, whatever goes
//! wrong on the way. The files are read here by serde_json and csv alone, not by the code that wrote them.

#[cfg(unix)]
mod child;
mod estate;
mod exchange;
mod exchange_cut;
mod exchange_ends;
mod faults;
mod graph;
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod kills;
mod lifecycle;
#[cfg(unix)]
mod property;
mod random;
mod read;
mod refusals;
mod resume;
mod search;
#[cfg(unix)]
mod storage;
mod subscriptions;
mod support;
mod switches;
mod truth;
mod verify;
mod watch;
