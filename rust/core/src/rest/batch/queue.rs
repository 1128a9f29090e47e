//! Which requests go into the next batch, and what becomes of those that depend on others.
//!
//! A request goes with what it depends on where Graph can take both in one batch, and after it otherwise. Graph knows three
//! patterns of dependence: none, each on the one before it, and all on the same one. One that depends on a failed request is
//! not sent.

use super::{Item, LARGEST};
use crate::error::{Error, Kind};
use std::collections::{HashMap, VecDeque};

/// One tenant's requests.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Item>,
    known: HashMap<String, State>,
}

/// What is known of a request, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    UnderWay,
    Succeeded,
    Failed,
}

impl Queue {
    /// Takes a request; one with an id that there was before, or that depends on itself, is given back with what is wrong.
    pub(crate) fn add(&mut self, item: Item) -> Result<(), Box<(Item, Error)>> {
        let problem = if self.known.contains_key(&item.id) {
            "has the id of another one"
        } else if item.depends_on.contains(&item.id) {
            "depends on itself"
        } else {
            self.known.insert(item.id.clone(), State::Waiting);
            self.waiting.push_back(item);
            return Ok(());
        };
        let error = Error::invalid(format!("the request {} of the batch {problem}", item.id))
            .advise("Give each request of a tenant an id of its own, or none.");
        Err(Box::new((item, error)))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next batch, in the order of the input: empty where nothing can be sent before something else is answered.
    pub(crate) fn take(&mut self) -> Vec<Item> {
        let mut batch: Vec<Item> = Vec::new();
        let mut left = VecDeque::with_capacity(self.waiting.len());
        while let Some(mut item) = self.waiting.pop_front() {
            if batch.len() < LARGEST {
                // What has succeeded is no condition any more, and in another batch it would be unknown.
                item.depends_on
                    .retain(|id| self.known.get(id) != Some(&State::Succeeded));
                if fits(&batch, &item) {
                    self.known.insert(item.id.clone(), State::UnderWay);
                    batch.push(item);
                    continue;
                }
            }
            left.push_back(item);
        }
        self.waiting = left;
        batch
    }

    /// A request has its answer. What depends on a failed one is given back, each with its error.
    pub(crate) fn answered(&mut self, id: &str, succeeded: bool) -> Vec<(Item, Error)> {
        let state = if succeeded { State::Succeeded } else { State::Failed };
        self.known.insert(id.to_owned(), state);
        let mut dropped = Vec::new();
        let mut failed = if succeeded { Vec::new() } else { vec![id.to_owned()] };
        while let Some(cause) = failed.pop() {
            let (hit, rest) = std::mem::take(&mut self.waiting)
                .into_iter()
                .partition::<VecDeque<Item>, _>(|item| item.depends_on.contains(&cause));
            self.waiting = rest;
            for item in hit {
                self.known.insert(item.id.clone(), State::Failed);
                failed.push(item.id.clone());
                let error = unmet(&item, &cause);
                dropped.push((item, error));
            }
        }
        dropped
    }

    /// A request that was told to wait comes again, before all others.
    pub(crate) fn again(&mut self, item: Item) {
        self.known.insert(item.id.clone(), State::Waiting);
        self.waiting.push_front(item);
    }

    /// What can never be sent: it depends on what never came, or in a circle.
    pub(crate) fn stuck(&mut self) -> Vec<(Item, Error)> {
        let known = &self.known;
        let problem = |item: &Item| {
            let missing = item.depends_on.iter().find(|id| !known.contains_key(*id));
            match missing {
                Some(id) => format!("depends on '{id}', which is not among the requests"),
                None => "depends on one that depends on it".to_owned(),
            }
        };
        let stuck = std::mem::take(&mut self.waiting).into_iter().map(|item| {
            let error = Error::invalid(format!("the request {} of the batch {}", item.id, problem(&item)))
                .advise("Correct its dependsOn: it names the ids of requests of the same tenant.");
            (item, error)
        });
        stuck.collect()
    }
}

/// Whether a request can be sent with those of a batch: all that it waits for is there, and the pattern is one that Graph takes.
fn fits(batch: &[Item], item: &Item) -> bool {
    let is_there = |id: &String| batch.iter().any(|other| other.id == *id);
    if !item.depends_on.iter().all(is_there) {
        return false;
    }
    let all = || batch.iter().chain([item]);
    let first = all().find_map(|item| item.depends_on.first());
    let is_same = all().all(|item| match item.depends_on.as_slice() {
        [] => true,
        [only] => Some(only) == first,
        _ => false,
    });
    let is_chain = || {
        let before = [None].into_iter().chain(batch.iter().map(|item| Some(&item.id)));
        all()
            .zip(before)
            .all(|(item, before)| item.depends_on.iter().eq(before))
    };
    is_same || is_chain()
}

/// As the service says it of a batch's own requests: 424, Failed Dependency.
#[cold]
fn unmet(item: &Item, cause: &str) -> Error {
    Error::new(
        Kind::InvalidInput,
        format!(
            "{} was not sent, because the request {cause} that it depends on failed",
            item.title()
        ),
    )
    .with_id("FailedDependency")
    .advise("Correct the other request and send both again.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Field, Request};
    use proptest::prelude::*;

    fn item(id: &str, depends_on: &[&str]) -> Item {
        let mut request = Request::new("item")
            .with("id", Field::Text(id.to_owned()))
            .with("url", Field::Text(format!("/users/{id}?$select=id")));
        for other in depends_on {
            request.add_text("dependsOn", (*other).to_owned()).unwrap();
        }
        Item::read(&request, 1).unwrap()
    }

    fn queue(items: &[(&str, &[&str])]) -> Queue {
        let mut queue = Queue::default();
        for (id, depends_on) in items {
            queue.add(item(id, depends_on)).unwrap();
        }
        queue
    }

    fn ids(items: &[Item]) -> Vec<&str> {
        items.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn a_chain_goes_in_one_batch_and_so_does_what_depends_on_one() {
        let mut chain = queue(&[("a", &[]), ("b", &["a"]), ("c", &["b"])]);
        let batch = chain.take();
        assert_eq!(ids(&batch), ["a", "b", "c"]);
        assert_eq!(batch[2].depends_on, ["b"]);
        let mut same = queue(&[("a", &[]), ("b", &["a"]), ("x", &[]), ("c", &["a"])]);
        assert_eq!(ids(&same.take()), ["a", "b", "x", "c"]);
    }

    #[test]
    fn what_graph_cannot_take_together_goes_one_after_the_other() {
        let mut both = queue(&[("a", &[]), ("b", &[]), ("c", &["a", "b"]), ("d", &["c"])]);
        assert_eq!(ids(&both.take()), ["a", "b"]);
        assert!(both.take().is_empty(), "nothing is answered yet");
        assert!(both.answered("a", true).is_empty());
        assert!(both.take().is_empty());
        both.answered("b", true);
        let batch = both.take();
        assert_eq!(ids(&batch), ["c", "d"]);
        assert!(batch[0].depends_on.is_empty(), "what is done is no condition any more");
    }

    #[test]
    fn what_depends_on_a_failure_fails_unsent_however_far() {
        let mut queue = queue(&[
            ("a", &[]),
            ("x", &[]),
            ("b", &["a", "x"]),
            ("c", &["b", "x"]),
            ("d", &["x"]),
        ]);
        assert_eq!(ids(&queue.take()), ["a", "x", "d"]);
        let dropped = queue.answered("a", false);
        assert_eq!(
            dropped.iter().map(|(item, _)| item.id.as_str()).collect::<Vec<_>>(),
            ["b", "c"]
        );
        assert!(dropped.iter().all(|(_, error)| error.id() == "FailedDependency"));
        assert!(dropped[0].1.message().contains("/users/b") && !dropped[0].1.message().contains("$select"));
        assert!(queue.is_empty());
    }

    #[test]
    fn an_id_that_is_there_twice_or_never_came_is_refused() {
        let mut queue = queue(&[("a", &["gone"]), ("b", &["c"]), ("c", &["b"])]);
        assert!(queue
            .add(item("a", &[]))
            .unwrap_err()
            .1
            .message()
            .contains("id of another"));
        assert!(queue.add(item("s", &["s"])).unwrap_err().1.message().contains("itself"));
        assert!(queue.take().is_empty());
        let stuck = queue.stuck();
        assert_eq!(stuck.len(), 3);
        assert!(stuck[0].1.message().contains("'gone'") && stuck[1].1.message().contains("depends on it"));
    }

    proptest! {
        /// Every request is sent once, after or with what it depends on, in batches that Graph takes.
        #[test]
        fn all_are_sent_in_an_order_that_keeps_their_dependence(
            edges in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..60),
        ) {
            let mut queue = Queue::default();
            for (number, before) in edges.iter().enumerate() {
                let mut depends_on: Vec<String> = before.iter().filter(|_| number > 0).map(|at| at.index(number).to_string()).collect();
                depends_on.sort();
                depends_on.dedup();
                let names: Vec<&str> = depends_on.iter().map(String::as_str).collect();
                queue.add(item(&number.to_string(), &names)).unwrap();
            }
            let mut sent: Vec<String> = Vec::new();
            while !queue.is_empty() {
                let batch = queue.take();
                prop_assert!(!batch.is_empty() && batch.len() <= LARGEST);
                for (at, item) in batch.iter().enumerate() {
                    for other in &item.depends_on {
                        prop_assert!(batch[..at].iter().any(|earlier| earlier.id == *other));
                    }
                    sent.push(item.id.clone());
                }
                for item in &batch {
                    prop_assert!(queue.answered(&item.id, true).is_empty());
                }
            }
            sent.sort_by_key(|id| id.parse::<usize>().unwrap());
            prop_assert_eq!(sent, (0..edges.len()).map(|number| number.to_string()).collect::<Vec<_>>());
        }
    }
}
