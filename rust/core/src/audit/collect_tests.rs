//! Collecting from a source that does what services do.

use super::super::{outlet, Shortfall};
use super::*;
use crate::error::ServiceError;
use crate::export::split::Fields;
use std::collections::HashMap;
use std::sync::Mutex;

const DAY: i64 = 86_400_000;

/// What a blob gives, attempt by attempt; the last entry for ever.
type Attempts = Vec<Result<&'static str, Kind>>;

#[derive(Default)]
struct Fake {
    blobs: Vec<(&'static str, i64, Attempts)>,
    attempts: Mutex<HashMap<String, usize>>,
    listings: Mutex<Vec<Window>>,
    notices: Vec<Notice>,
    refuse: Option<Kind>,
    lost: Option<Window>,
    shortfall: Shortfall,
    clock: Clock,
    /// How long each listing takes, in milliseconds by the clock.
    listing_takes: i64,
}

impl Source for Fake {
    const NAME: &'static str = "fake";
    const PART: &'static str = "blob";
    const PARTS: &'static str = "blobs";
    const SELECTED_BY: &'static str = "contentCreated";

    fn longest_window(&self) -> i64 {
        DAY
    }

    async fn prepare(&self, _: &[String]) -> Result<Vec<Notice>> {
        Ok(self.notices.clone())
    }

    async fn list(&self, content_type: &str, window: Window, found: &mpsc::Sender<Part>) -> Result<Option<Window>> {
        self.listings.lock().unwrap().push(window);
        self.clock.advance_ms(self.listing_takes);
        if let Some(kind) = self.refuse {
            return Err(Error::new(kind, "refused"));
        }
        // A second more on both sides, as a service that knows whole seconds gives, and everything twice.
        for _ in 0..2 {
            for (id, created, _) in &self.blobs {
                if (window.start - 1000..window.end + 1000).contains(created) {
                    let part = Part {
                        id: Arc::from(*id),
                        content_type: Arc::from(content_type),
                        address: String::new(),
                        created: *created,
                        fields: Fields::AUDIT_LOG,
                    };
                    found.send(part).await.map_err(|_| Error::cancelled())?;
                }
            }
        }
        Ok(self.lost)
    }

    fn is_gap(&self, error: &Error) -> bool {
        error.is_broken_off() || matches!(error.kind(), Kind::NotFound | Kind::Protocol | Kind::Server)
    }

    fn shortfall(&self, _: &str, _: Window, parts: u64) -> Shortfall {
        Shortfall {
            awaited: self.shortfall.awaited.filter(|_| parts == 0),
            ..self.shortfall.clone()
        }
    }

    async fn read(&self, part: &Part, delivery: &mut Delivery) -> Result<()> {
        let (_, _, attempts) = self.blobs.iter().find(|(id, ..)| *id == &*part.id).unwrap();
        let attempt = {
            let mut counts = self.attempts.lock().unwrap();
            let count = counts.entry(part.id.to_string()).or_default();
            *count += 1;
            *count - 1
        };
        match attempts[attempt.min(attempts.len() - 1)] {
            Ok(text) => delivery.bytes(text.as_bytes()).await,
            // The network fails in the middle of a part; where it is down altogether, a listing notices as well.
            Err(Kind::Network) => Err(Error::new(Kind::Network, "cut short").broken_off()),
            Err(kind) => Err(Error::new(kind, "not now").with_service(ServiceError::default())),
        }
    }
}

struct Got {
    records: Vec<(String, bool)>,
    result: Result<Collected>,
    source: Arc<Fake>,
    read: u64,
}

async fn run(source: Fake, window: Window, settle_ms: i64) -> Got {
    let source = Arc::new(source);
    let ask = Ask {
        content_types: vec!["Audit.General".to_owned()],
        window,
        settle_ms,
        readers: 3,
        largest_record: 1000,
        first_backoff: Duration::from_millis(1),
    };
    let (out, mut batches) = outlet();
    let meter = Arc::new(Meter::default());
    let collecting = async {
        let result = collect(&source, &ask, &source.clock, &out, &meter).await;
        drop(out);
        result
    };
    let writing = async {
        let mut records = Vec::new();
        loop {
            let held = batches.receive().await;
            if held.is_empty() {
                break;
            }
            let records_of = held.iter().flat_map(|held| {
                let batch = &held.batch;
                batch
                    .records
                    .iter()
                    .enumerate()
                    .map(|(at, meta)| (batch.record(at), meta))
            });
            for (bytes, meta) in records_of {
                records.push((String::from_utf8(bytes.to_vec()).unwrap(), meta.again));
            }
        }
        records.sort();
        records
    };
    let (result, records) = tokio::join!(collecting, writing);
    Got {
        records,
        result,
        source,
        read: meter.read(),
    }
}

fn now() -> i64 {
    Clock::default().now_ms()
}

fn texts(got: &Got) -> Vec<&str> {
    got.records.iter().map(|(text, _)| text.as_str()).collect()
}

#[tokio::test]
async fn every_part_of_the_window_is_read_once() {
    let end = (now() - 3 * DAY) / 1000 * 1000;
    let window = Window {
        start: end - 3 * DAY,
        end,
    };
    let blobs = vec![
        ("before", window.start - 1, vec![Ok("[{\"n\":0}]")]),
        ("first", window.start, vec![Ok("[{\"n\":1},{\"n\":2}]")]),
        ("middle", window.start + DAY, vec![Ok("[]")]),
        ("last", window.end - 1, vec![Ok("[{\"n\":3}]")]),
        ("after", window.end, vec![Ok("[{\"n\":4}]")]),
    ];
    let got = run(
        Fake {
            blobs,
            ..Fake::default()
        },
        window,
        600_000,
    )
    .await;
    assert_eq!(texts(&got), ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    let collected = got.result.unwrap();
    assert_eq!((collected.incomplete, collected.final_until), (None, end));
    assert_eq!(got.source.listings.lock().unwrap().len(), 3);
    assert_eq!(got.read, 3);
}

#[tokio::test]
async fn a_broken_part_is_read_again_and_its_first_records_are_not_news() {
    let end = now() - DAY;
    let blobs = vec![(
        "a",
        end - 1,
        vec![Ok("[{\"n\":1},{\"n\""), Err(Kind::Network), Ok("[{\"n\":1},{\"n\":2}]")],
    )];
    let got = run(
        Fake {
            blobs,
            ..Fake::default()
        },
        Window { start: end - 10, end },
        0,
    )
    .await;
    assert_eq!(got.result.as_ref().unwrap().gaps, []);
    let expected = [("{\"n\":1}", false), ("{\"n\":1}", true), ("{\"n\":2}", false)];
    let records: Vec<_> = got
        .records
        .iter()
        .map(|(text, again)| (text.as_str(), *again))
        .collect();
    assert_eq!(records, expected);
}

#[tokio::test]
async fn a_part_that_cannot_be_read_is_a_gap() {
    let end = now() - DAY;
    let blobs = vec![
        ("gone", end - 1, vec![Err(Kind::NotFound)]),
        ("html", end - 2, vec![Ok("<html>")]),
        ("good", end - 3, vec![Ok("[{\"n\":1}]")]),
        ("cut", end - 4, vec![Err(Kind::Network)]),
    ];
    let got = run(
        Fake {
            blobs,
            ..Fake::default()
        },
        Window { start: end - 10, end },
        0,
    )
    .await;
    assert_eq!(texts(&got), ["{\"n\":1}"]);
    let collected = got.result.unwrap();
    assert_eq!(collected.gaps.len(), 3);
    assert!(collected.incomplete.unwrap().contains("3 gaps"));
    let attempts = got.source.attempts.lock().unwrap();
    assert_eq!((attempts["gone"], attempts["html"], attempts["cut"]), (1, 4, 4));
}

#[tokio::test]
async fn what_the_service_does_not_keep_any_more_is_a_gap() {
    let end = now() - DAY;
    let lost = Window {
        start: end - 10,
        end: end - 5,
    };
    let got = run(
        Fake {
            lost: Some(lost),
            ..Fake::default()
        },
        Window { start: end - 10, end },
        0,
    )
    .await;
    let collected = got.result.unwrap();
    assert_eq!(collected.gaps[0].window, lost);
    assert!(collected.incomplete.is_some());
    let got = &collected.got[0];
    assert_eq!(got.had, Windows::from(vec![Window { start: end - 5, end }]));
    assert_eq!(got.lacks[0].window, lost);
}

#[tokio::test]
async fn a_refusal_ends_the_run() {
    let end = now() - DAY;
    for kind in [Kind::Denied, Kind::NotSignedIn, Kind::Throttled] {
        let blobs = vec![("a", end - 1, vec![Err(kind)])];
        let got = run(
            Fake {
                blobs,
                ..Fake::default()
            },
            Window { start: end - 10, end },
            0,
        )
        .await;
        assert_eq!(got.result.unwrap_err().kind(), kind);
    }
    let fake = Fake {
        refuse: Some(Kind::Server),
        ..Fake::default()
    };
    let got = run(fake, Window { start: end - 10, end }, 0).await;
    assert_eq!(got.result.unwrap_err().kind(), Kind::Server);
}

#[tokio::test(start_paused = true)]
async fn young_parts_are_read_again_once_they_are_final() {
    // The clock is the machine's, the waits are not: the part becomes old enough while the test does not wait.
    let end = now();
    let blobs = vec![("young", end - 1, vec![Ok("[{\"n\":1}]"), Ok("[{\"n\":1},{\"n\":2}]")])];
    let got = run(
        Fake {
            blobs,
            ..Fake::default()
        },
        Window { start: end - 10, end },
        50_000,
    )
    .await;
    assert_eq!(texts(&got), ["{\"n\":1}", "{\"n\":1}", "{\"n\":2}"]);
    assert_eq!(got.read, 1, "one part, however often it is read");
    // After its wait the clock still says that the part is young, so the run says so instead of waiting for ever.
    let collected = got.result.unwrap();
    assert!(collected.incomplete.unwrap().contains("may still grow"));
    assert_eq!(collected.final_until, end - 10);
}

#[tokio::test]
async fn parts_that_need_longer_are_named_with_the_time_to_come_back() {
    let end = now();
    let blobs = vec![("young", end - 1000, vec![Ok("[{\"n\":1}]")])];
    let window = Window { start: end - DAY, end };
    let got = run(
        Fake {
            blobs,
            ..Fake::default()
        },
        window,
        600_000,
    )
    .await;
    let collected = got.result.unwrap();
    let reason = collected.incomplete.unwrap();
    assert!(reason.contains(&time::iso(end + 600_000)), "{reason}");
    assert!(collected.final_until <= end - 600_000 + 60_000);
}

#[tokio::test]
async fn a_window_that_was_listed_too_early_is_listed_again_from_there() {
    let end = now();
    let window = Window {
        start: end - DAY / 2,
        end,
    };
    let fake = Fake {
        listing_takes: 700_000,
        ..Fake::default()
    };
    let got = run(fake, window, 600_000).await;
    let collected = got.result.unwrap();
    assert_eq!((collected.incomplete, collected.final_until), (None, end));
    let listings = got.source.listings.lock().unwrap();
    assert_eq!(listings.len(), 2);
    // By then all but the settle delay before the first listing was final.
    assert!(
        (end - 601_000..end - 500_000).contains(&listings[1].start),
        "{listings:?}"
    );
}

#[tokio::test]
async fn an_end_that_may_still_get_content_is_not_complete_although_nothing_young_was_listed() {
    let end = now();
    let blobs = vec![("old", end - DAY / 2, vec![Ok("[{\"n\":1}]")])];
    let window = Window { start: end - DAY, end };
    let fake = Fake {
        blobs,
        ..Fake::default()
    };
    let collected = run(fake, window, 600_000).await.result.unwrap();
    let reason = collected.incomplete.unwrap();
    assert!(reason.contains(&time::iso(end + 600_000)), "{reason}");
    assert!(collected.final_until < end, "{}", collected.final_until);
    let got = &collected.got[0];
    assert_eq!(got.had.hull(), Some(Window::new(window.start, collected.final_until)));
    assert_eq!(got.lacks, [Lack::new(Window::new(collected.final_until, end), &reason)]);
}

#[tokio::test]
async fn what_the_source_cannot_have_is_a_gap_and_what_it_may_not_have_yet_is_a_reason() {
    let end = now() - DAY;
    let window = Window { start: end - 10, end };
    let lost = Window {
        start: end - 10,
        end: end - 4,
    };
    let shortfall = Shortfall {
        gap: Some((lost, "too new".to_owned())),
        awaited: Some(end + DAY),
    };
    let empty = Fake {
        shortfall: shortfall.clone(),
        ..Fake::default()
    };
    let collected = run(empty, window, 0).await.result.unwrap();
    assert_eq!(collected.gaps.len(), 1);
    assert_eq!(
        (collected.gaps[0].window, &*collected.gaps[0].reason),
        (lost, "too new")
    );
    assert_eq!(
        collected.got[0].had,
        Windows::default(),
        "nothing has come, so nothing is had"
    );
    let reason = collected.incomplete.unwrap();
    assert!(
        reason.contains("too new") && reason.contains(&time::iso(end + DAY)),
        "{reason}"
    );
    let filled = Fake {
        blobs: vec![("a", end - 1, vec![Ok("[]")])],
        shortfall: Shortfall { gap: None, ..shortfall },
        ..Fake::default()
    };
    let collected = run(filled, window, 0).await.result.unwrap();
    assert_eq!(collected.incomplete, None);
    assert_eq!(collected.got[0].had, Windows::from(vec![window]));
}

#[test]
fn slices_adjoin_and_cover_in_whole_seconds() {
    let window = Window {
        start: 5_001,
        end: 5_002 + 2 * DAY,
    };
    let slices = slices(window, DAY);
    assert_eq!(slices.len(), 3);
    assert_eq!((slices[0].start, slices[2].end), (5_000, 6_000 + 2 * DAY));
    assert!(slices.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert!(slices.iter().all(|slice| slice.end - slice.start <= DAY));
    assert_eq!(
        super::slices(
            Window {
                start: 1000,
                end: 1000 + DAY
            },
            DAY
        )
        .len(),
        1
    );
}
