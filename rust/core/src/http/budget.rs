//! Retries that the requests of one operation share.
//!
//! A budget goes with the operation's task and with its questions for tokens, as its log does. A flight that brings a token
//! for several operations has a budget of its own, over the stocks of all of them.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

tokio::task_local! {
    static CURRENT: Budget;
}

/// A small stock of retries that grows with each success, so that a service in trouble is not asked several times as often as
/// a healthy one. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    stocks: Arc<Mutex<Vec<Arc<Stock>>>>,
    free_throttling: bool,
}

#[derive(Debug)]
struct Stock(AtomicI64);

impl Stock {
    /// In tenths of a retry.
    const FULL: i64 = 400;
    const COST: i64 = 10;
    const GAIN: i64 = 2;

    fn succeeded(&self) {
        if self.0.load(Ordering::Relaxed) < Stock::FULL {
            self.0.fetch_add(Stock::GAIN, Ordering::Relaxed);
        }
    }

    fn take(&self) -> bool {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left >= Stock::COST).then_some(left - Stock::COST)
        });
        taken.is_ok()
    }
}

impl Budget {
    /// An operation's, full.
    pub(crate) fn new() -> Self {
        Budget::of(vec![Arc::new(Stock(AtomicI64::new(Stock::FULL)))])
    }

    fn of(stocks: Vec<Arc<Stock>>) -> Self {
        Budget {
            stocks: Arc::new(Mutex::new(stocks)),
            free_throttling: false,
        }
    }

    /// The budget of the work that is calling.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Budget::clone).ok()
    }

    /// Starts work that has this budget.
    pub(crate) fn during<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// Runs `work` with this budget. Without one, it runs as it is.
    pub(crate) async fn within<T>(budget: Option<Self>, work: impl Future<Output = T>) -> T {
        match budget {
            Some(budget) => CURRENT.scope(budget, work).await,
            None => work.await,
        }
    }

    /// For work that others may come to wait for as well: what they bring ([`Budget::join`]) is not this one's.
    pub(crate) fn shared(&self) -> Self {
        Budget::of(self.lock().clone())
    }

    /// Somebody else waits for the work of this budget, and their stock serves it too.
    pub(crate) fn join(&self, other: &Budget) {
        let theirs = other.lock().clone();
        let mut stocks = self.lock();
        for stock in theirs {
            if !stocks.iter().any(|known| Arc::ptr_eq(known, &stock)) {
                stocks.push(stock);
            }
        }
    }

    /// This budget for a service that throttles as a matter of course: a 429 costs nothing, it only says when to go on.
    pub(crate) fn free_of_throttling(mut self) -> Self {
        self.free_throttling = true;
        self
    }

    pub(crate) fn succeeded(&self) {
        self.lock().iter().for_each(|stock| stock.succeeded());
    }

    /// Takes one retry; false where none is left.
    pub(crate) fn take(&self) -> bool {
        self.lock().iter().any(|stock| stock.take())
    }

    /// The same for the repeat of what was answered with this status.
    pub(crate) fn take_after(&self, status: u16) -> bool {
        (self.free_throttling && status == 429) || self.take()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Stock>>> {
        self.stocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRIES: usize = (Stock::FULL / Stock::COST) as usize;

    fn spend(budget: &Budget) -> usize {
        (0..1000).filter(|_| budget.take()).count()
    }

    #[test]
    fn a_budget_is_shared_and_comes_back_with_success() {
        let budget = Budget::new();
        assert_eq!(spend(&budget.clone()), RETRIES);
        assert!(!budget.take());
        (0..5).for_each(|_| budget.succeeded());
        assert!(budget.take());
    }

    #[test]
    fn throttling_costs_nothing_where_it_is_the_rule() {
        let budget = Budget::new().free_of_throttling();
        assert!((0..1000).all(|_| budget.take_after(429)));
        assert_eq!(spend(&budget), RETRIES);
        assert!(!budget.take_after(503) && budget.take_after(429));
    }

    #[test]
    fn a_flight_draws_on_everybody_who_waits_for_it() {
        let (spent, full) = (Budget::new(), Budget::new());
        spend(&spent);
        let flight = spent.shared();
        assert!(!flight.take());
        flight.join(&full);
        flight.join(&full);
        assert_eq!(spend(&flight), RETRIES);
        assert!(!full.take(), "its own stock was drawn on");
        full.succeeded();
        assert!(!spent.take(), "what others brought is not the first one's");
    }
}
