//! Keys that cannot leave their owner: the core asks, the owner signs.
//!
//! A signer has its own small queue, apart from every operation: `next` hands a request to the owner's thread, `reply`
//! or `fail` answers it. So a signature can be made while the operation that needs it has records nobody has read yet.

use crate::error::{Error, Kind, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a signature may take before the request that needs it fails.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// The id of the error that [`Signer::decline`] gives.
pub(crate) const DECLINED: &str = "AlgorithmDeclined";

/// One thing to sign. `algorithm` is a JWS name (`PS256`, `RS256`); `data` is the signing input, not its digest.
#[derive(Clone, Debug)]
pub struct SignRequest {
    pub id: u64,
    pub algorithm: String,
    pub data: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Signer {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    queue: VecDeque<SignRequest>,
    waiting: HashMap<u64, oneshot::Sender<Result<Vec<u8>>>>,
    closed: bool,
}

impl Signer {
    pub fn new() -> Self {
        Signer::default()
    }

    /// Asks the owner for a signature and waits for it. Dropping the future withdraws the request.
    pub async fn sign(&self, algorithm: &str, data: Vec<u8>) -> Result<Vec<u8>> {
        let (id, answer) = {
            let mut state = self.lock();
            if state.closed {
                return Err(closed());
            }
            state.last_id += 1;
            let id = state.last_id;
            let (reply, answer) = oneshot::channel();
            state.waiting.insert(id, reply);
            state.queue.push_back(SignRequest {
                id,
                algorithm: algorithm.to_owned(),
                data,
            });
            (id, answer)
        };
        self.arrived.notify_one();
        let _withdraw = Withdraw { signer: self, id };
        match tokio::time::timeout(REPLY_TIMEOUT, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Error::new(Kind::Timeout, "the key's owner did not sign in time")
                .advise("Check whether the key asks for a PIN or a touch, then try again.")),
        }
    }

    /// Waits up to `timeout` for something to sign; `None` when nothing came. Called by the owner's thread.
    pub fn next(&self, timeout: Duration) -> Result<Option<SignRequest>> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        loop {
            if let Some(request) = state.queue.pop_front() {
                return Ok(Some(request));
            }
            if state.closed {
                return Err(closed());
            }
            let left = deadline.map_or(timeout, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(None);
            }
            state = self
                .arrived
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Answers a request. An id that is unknown or already answered is ignored: its asker may have given up.
    pub fn reply(&self, id: u64, signature: Vec<u8>) {
        self.answer(id, Ok(signature));
    }

    /// Refuses a request, with the reason.
    pub fn fail(&self, id: u64, reason: &str) {
        self.answer(
            id,
            Err(Error::new(
                Kind::NotSignedIn,
                format!("the key's owner could not sign: {reason}"),
            )),
        );
    }

    /// Refuses a request because the key cannot do its algorithm; another one may be asked for.
    pub fn decline(&self, id: u64) {
        self.answer(
            id,
            Err(
                Error::new(Kind::NotSignedIn, "the key's owner cannot sign with this algorithm")
                    .with_id(DECLINED)
                    .advise("Use -AssertionAlgorithm RS256, or another certificate."),
            ),
        );
    }

    /// Ends the signer: waiting askers fail, and so does `next`.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.queue.clear();
        state.waiting.clear();
        drop(state);
        self.arrived.notify_all();
    }

    fn answer(&self, id: u64, result: Result<Vec<u8>>) {
        let waiting = self.lock().waiting.remove(&id);
        if let Some(reply) = waiting {
            // The asker may have gone between the lookup and now; then nobody needs the answer.
            let _ = reply.send(result);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a request back when its asker stops waiting.
struct Withdraw<'a> {
    signer: &'a Signer,
    id: u64,
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        let mut state = self.signer.lock();
        state.waiting.remove(&self.id);
        state.queue.retain(|request| request.id != self.id);
    }
}

#[cold]
fn closed() -> Error {
    Error::new(Kind::NotSignedIn, "the key's owner is gone").advise("Make the credential again in this session.")
}
