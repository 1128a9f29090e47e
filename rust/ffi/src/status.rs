//! The one table of status numbers: what each is called, which of the core's kinds it stands for, and what it means.
//! Numbers are part of the interface: they are never changed and never reused.

use secureapp_core::Kind;

/// How a call ended. 0 is success, positive numbers are ordinary outcomes, negative ones are failures.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The call succeeded.
    Ok = 0,
    /// The operation has finished and has no more events.
    Done = 1,
    /// Nothing came within the time that was given.
    TimedOut = 2,
    /// The operation's input is full: read events, then submit again.
    WouldBlock = 3,
    /// The request itself is wrong; nothing was sent.
    InvalidInput = -1,
    /// The service refused who is asking.
    NotSignedIn = -2,
    /// Signed in, but without the permission for this.
    Denied = -3,
    /// The tenant, resource or object does not exist.
    NotFound = -4,
    /// The service asked for less traffic.
    Throttled = -5,
    /// The service could not be reached.
    Network = -6,
    /// No answer in time.
    Timeout = -7,
    /// The service failed.
    Server = -8,
    /// The answer was not what the protocol says.
    Protocol = -9,
    /// A file could not be written or read.
    Storage = -10,
    /// The caller stopped the work.
    Cancelled = -11,
    /// A defect in this library.
    Internal = -12,
}

impl Status {
    /// The number for a failure of this kind.
    pub fn of(kind: Kind) -> Status {
        match kind {
            Kind::InvalidInput => Status::InvalidInput,
            Kind::NotSignedIn => Status::NotSignedIn,
            Kind::Denied => Status::Denied,
            Kind::NotFound => Status::NotFound,
            Kind::Throttled => Status::Throttled,
            Kind::Network => Status::Network,
            Kind::Timeout => Status::Timeout,
            Kind::Server => Status::Server,
            Kind::Protocol => Status::Protocol,
            Kind::Storage => Status::Storage,
            Kind::Cancelled => Status::Cancelled,
            Kind::Internal => Status::Internal,
        }
    }

    /// Every status with the name that other languages know it by.
    pub const ALL: [(Status, &'static str); 16] = [
        (Status::Ok, "OK"),
        (Status::Done, "DONE"),
        (Status::TimedOut, "TIMED_OUT"),
        (Status::WouldBlock, "WOULD_BLOCK"),
        (Status::InvalidInput, "INVALID_INPUT"),
        (Status::NotSignedIn, "NOT_SIGNED_IN"),
        (Status::Denied, "DENIED"),
        (Status::NotFound, "NOT_FOUND"),
        (Status::Throttled, "THROTTLED"),
        (Status::Network, "NETWORK"),
        (Status::Timeout, "TIMEOUT"),
        (Status::Server, "SERVER"),
        (Status::Protocol, "PROTOCOL"),
        (Status::Storage, "STORAGE"),
        (Status::Cancelled, "CANCELLED"),
        (Status::Internal, "INTERNAL"),
    ];
}
