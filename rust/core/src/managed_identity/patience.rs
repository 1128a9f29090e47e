//! When a platform is asked again. The numbers are those of Microsoft's own libraries and of "How to use managed
//! identities on a VM to get an access token" (error handling): the metadata service answers 404 or 410 while it is being
//! updated, which takes up to 70 seconds.

use super::answer::Answer;
use crate::error::{Error, Result};
use std::time::Duration;

/// All waits of one question together.
const WAITS: Duration = Duration::from_secs(90);
/// An endpoint that cannot be reached, or does not answer in time, is tried once more.
const REACH_AGAIN: u32 = 1;

/// Which platform's manners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manners {
    /// The metadata service of virtual machines.
    Imds,
    Other,
}

pub(super) struct Patience {
    manners: Manners,
    /// What the documentation's second is here.
    second: Duration,
    repeats: u32,
    waited: Duration,
}

impl Patience {
    pub(super) fn new(manners: Manners, first_backoff: Duration) -> Self {
        Patience {
            manners,
            // An engine that waits less than usual elsewhere waits less here, in proportion.
            second: first_backoff * 2,
            repeats: 0,
            waited: Duration::ZERO,
        }
    }

    /// How long to wait before asking again; None where the outcome is final.
    pub(super) fn next_wait(&mut self, outcome: &Result<Answer>) -> Option<Duration> {
        let (most, wait) = match outcome {
            Ok(answer) => {
                let (most, wait) = self.by_status(answer.status)?;
                (most, answer.retry_after.unwrap_or(wait))
            }
            Err(error) => self.by_error(error)?,
        };
        if self.repeats >= most || self.waited + wait > WAITS {
            return None;
        }
        self.repeats += 1;
        self.waited += wait;
        Some(wait)
    }

    fn by_status(&self, status: u16) -> Option<(u32, Duration)> {
        let growing = self.second * 2u32.pow(self.repeats.min(5));
        match (self.manners, status) {
            (Manners::Imds, 410) => Some((7, self.second * 10)),
            (Manners::Imds, 404 | 408 | 429 | 500..=599) => Some((3, growing)),
            (Manners::Other, 404 | 408 | 429 | 500 | 503 | 504) => Some((3, self.second)),
            _ => None,
        }
    }

    fn by_error(&self, error: &Error) -> Option<(u32, Duration)> {
        error.is_retryable().then_some((REACH_AGAIN, self.second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(manners: Manners, statuses: &[u16]) -> Vec<u64> {
        let mut patience = Patience::new(manners, Duration::from_millis(500));
        statuses
            .iter()
            .map_while(|status| patience.next_wait(&Ok(Answer::of_status(*status))))
            .map(|wait| wait.as_secs())
            .collect()
    }

    #[test]
    fn the_metadata_service_is_waited_for() {
        assert_eq!(waits(Manners::Imds, &[410; 10]), [10; 7]);
        assert_eq!(waits(Manners::Imds, &[404, 429, 502, 500]), [1, 2, 4]);
        assert_eq!(waits(Manners::Imds, &[404, 410, 410]), [1, 10, 10]);
        assert!(waits(Manners::Imds, &[400]).is_empty() && waits(Manners::Imds, &[401]).is_empty());
    }

    #[test]
    fn the_others_get_three_more_tries() {
        assert_eq!(waits(Manners::Other, &[404, 429, 500, 503]), [1, 1, 1]);
        assert!(waits(Manners::Other, &[502]).is_empty() && waits(Manners::Other, &[410]).is_empty());
    }

    #[test]
    fn a_wish_is_heard_while_it_fits() {
        let mut patience = Patience::new(Manners::Other, Duration::from_millis(500));
        let asks_for = |seconds| {
            Ok(Answer {
                retry_after: Some(Duration::from_secs(seconds)),
                ..Answer::of_status(429)
            })
        };
        assert_eq!(patience.next_wait(&asks_for(30)), Some(Duration::from_secs(30)));
        assert_eq!(patience.next_wait(&asks_for(61)), None);
    }
}
