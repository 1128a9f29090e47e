//! What a tenant's audit feed holds, by arithmetic alone.
//!
//! Nothing is stored: how many blobs there are, when each was created, which records it holds and which of them it repeats
//! follow from the seed and the position. So a million records cost nothing until they are fetched, and a blob can be made
//! on its own.
//!
//! A content type's records are numbered from 0. Each belongs to one blob, in order; some are delivered again in the next
//! blob, or in one that is more than a day away: the feed is at-least-once by design ("Office 365 Management Activity API
//! reference", "Working with the Office 365 Management Activity API"; duplicates are named in its troubleshooting page).

use crate::clock::{iso_millis, iso_seconds};
use crate::options::AuditOptions;
use crate::random::Random;

const DAY_MS: i64 = 86_400_000;

/// The content types that can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ContentType {
    AzureActiveDirectory,
    Exchange,
    SharePoint,
    General,
    /// Data loss prevention; the sandbox has no such records.
    Dlp,
}

impl ContentType {
    pub(crate) const ALL: [ContentType; 5] = [
        ContentType::AzureActiveDirectory,
        ContentType::Exchange,
        ContentType::SharePoint,
        ContentType::General,
        ContentType::Dlp,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            ContentType::AzureActiveDirectory => "Audit.AzureActiveDirectory",
            ContentType::Exchange => "Audit.Exchange",
            ContentType::SharePoint => "Audit.SharePoint",
            ContentType::General => "Audit.General",
            ContentType::Dlp => "DLP.All",
        }
    }

    pub(crate) fn find(name: &str) -> Option<ContentType> {
        ContentType::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// When the feed's blobs were created.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// The moment near which the growing blobs were created; None leaves them in their places.
    pub(crate) edge_ms: Option<i64>,
}

/// One content type of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) content: ContentType,
    /// The seed of everything in it.
    pub(crate) key: u64,
    pub(crate) records: u64,
    pub(crate) blobs: u64,
    span: Span,
    duplicates: f64,
    growing: u64,
    burst: f64,
}

/// A record in a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) record: u64,
    /// Whether the record belongs to another blob.
    pub(crate) again: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Near,
    Far,
}

impl Plan {
    /// The plans of a tenant with this many records, one per content type.
    pub(crate) fn of_tenant(
        seed: u64,
        tenant_id: &str,
        records: u64,
        options: &AuditOptions,
        span: Span,
    ) -> [Plan; ContentType::ALL.len()] {
        let mut random = Random::at(seed, tenant_id, 7);
        let weights: [f64; 5] = std::array::from_fn(|at| {
            let usual = [0.25, 0.40, 0.28, 0.07, 0.0][at];
            usual * (0.7 + 0.6 * random.below(1000) as f64 / 1000.0)
        });
        let total: f64 = weights.iter().sum();
        let mut assigned = 0;
        let mut so_far = 0.0;
        std::array::from_fn(|at| {
            let content = ContentType::ALL[at];
            so_far += weights[at];
            let until = match content {
                ContentType::General | ContentType::Dlp => records,
                _ => ((records as f64) * so_far / total).floor() as u64,
            };
            let own = until.saturating_sub(assigned);
            assigned += own;
            Plan {
                content,
                key: Random::at(seed, tenant_id, 100 + at as u64).next(),
                records: own,
                blobs: own.div_ceil(u64::from(options.records_per_blob.max(1))),
                span,
                duplicates: options.duplicates,
                growing: u64::from(options.growing),
                burst: options.burst.min(0.99),
            }
        })
    }

    /// The first record of a blob; for `blobs`, the number of records.
    pub(crate) fn first_record(&self, blob: u64) -> u64 {
        if blob == 0 {
            return 0;
        }
        if blob >= self.blobs {
            return self.records;
        }
        let even = (u128::from(self.records) * u128::from(blob) / u128::from(self.blobs)) as u64;
        let reach = self.records / self.blobs * 2 / 5;
        even - reach + Random::at(self.key, "size", blob).below(2 * reach + 1)
    }

    /// The blob that a record belongs to.
    pub(crate) fn blob_of(&self, record: u64) -> u64 {
        let mut blob = (u128::from(record) * u128::from(self.blobs) / u128::from(self.records.max(1))) as u64;
        while blob > 0 && record < self.first_record(blob) {
            blob -= 1;
        }
        while blob + 1 < self.blobs && record >= self.first_record(blob + 1) {
            blob += 1;
        }
        blob
    }

    /// A blob's contentCreated, milliseconds since 1970. Later blobs are created later.
    pub(crate) fn created(&self, blob: u64) -> i64 {
        if let (Some(edge), true) = (self.span.edge_ms, self.grows(blob)) {
            let from_newest = (self.blobs - 1 - blob) as i64;
            return edge - from_newest * 7_000 - Random::at(self.key, "created", blob).below(3_000) as i64;
        }
        let length = (self.span.end_ms - self.span.start_ms).max(0) as u128;
        let place = u128::from(blob) * 1000 + 50 + u128::from(Random::at(self.key, "created", blob).below(900));
        let all = u128::from(self.blobs.max(1)) * 1000;
        if self.burst > 0.0 {
            let place = self.in_burst(place as f64 / all as f64);
            return self.span.start_ms + (length as f64 * place) as i64;
        }
        self.span.start_ms + (length * place / all) as i64
    }

    /// Where in the feed's time the blob is that has this share of the others before it: in its middle there is a burst.
    fn in_burst(&self, share: f64) -> f64 {
        const EDGE: f64 = 0.5 - 1.0 / 120.0;
        let quiet = 0.5 - self.burst / 2.0;
        if share < quiet {
            share / quiet * EDGE
        } else if share > 1.0 - quiet {
            1.0 - (1.0 - share) / quiet * EDGE
        } else {
            EDGE + (share - quiet) / self.burst / 60.0
        }
    }

    /// Whether a blob is served incomplete at first.
    pub(crate) fn grows(&self, blob: u64) -> bool {
        blob + self.growing >= self.blobs
    }

    /// The blobs created in a half-open window.
    pub(crate) fn created_in(&self, start_ms: i64, end_ms: i64) -> std::ops::Range<u64> {
        let first_at = |moment: i64| {
            let (mut low, mut high) = (0, self.blobs);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.created(middle) < moment {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let start = first_at(start_ms);
        start..first_at(end_ms).max(start)
    }

    /// A blob's contentId, in the form that real ones have: two time stamps with six more digits, the type twice, and in
    /// some regions a shard.
    pub(crate) fn content_id(&self, blob: u64) -> String {
        let created = self.created(blob);
        let digits: String = iso_seconds(created.div_euclid(1000))
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let stamp = format!(
            "{digits}{:03}{:06}",
            created.rem_euclid(1000),
            blob.wrapping_mul(7_919) % 1_000_000
        );
        let name = self.content.name().replace('.', "_");
        let shard = match self.key % 3 {
            0 => "",
            1 => "$emea0036",
            _ => "$na0030$na0030",
        };
        format!("{stamp}${stamp}${}${name}{shard}", name.to_ascii_lowercase())
    }

    /// The blob with this contentId.
    pub(crate) fn find_blob(&self, content_id: &str) -> Option<u64> {
        let stamp = content_id.get(..17)?;
        let field = |range: std::ops::Range<usize>| stamp.get(range);
        let text = format!(
            "{}-{}-{}T{}:{}:{}.{}",
            field(0..4)?,
            field(4..6)?,
            field(6..8)?,
            field(8..10)?,
            field(10..12)?,
            field(12..14)?,
            field(14..17)?
        );
        let created = crate::clock::parse_utc_ms(&text)?;
        self.created_in(created, created + 1)
            .find(|&blob| self.content_id(blob) == content_id)
    }

    /// When a blob expires, as the wire has it.
    pub(crate) fn expiration(&self, blob: u64, days: u32) -> (i64, String) {
        let at = self.created(blob) + i64::from(days) * DAY_MS;
        (at, iso_millis(at))
    }

    /// The blob that repeats a record, if one does.
    pub(crate) fn repeated_in(&self, record: u64, own: u64) -> Option<u64> {
        if self.blobs < 2 {
            return None;
        }
        let repeat = self.repeat(record)?;
        let distance = self.far();
        Some(match repeat {
            Repeat::Far if own + distance < self.blobs => own + distance,
            Repeat::Far if own >= distance => own - distance,
            _ if own + 1 < self.blobs => own + 1,
            _ => own - 1,
        })
    }

    fn repeat(&self, record: u64) -> Option<Repeat> {
        let mut random = Random::at(self.key, "repeat", record);
        random.chance(self.duplicates).then(|| {
            if random.below(2) == 0 {
                Repeat::Near
            } else {
                Repeat::Far
            }
        })
    }

    /// How many blobs away is more than a day away.
    fn far(&self) -> u64 {
        let length = (self.span.end_ms - self.span.start_ms).max(1) as u128;
        ((u128::from(self.blobs) * DAY_MS as u128 * 5 / 4) / length).max(2) as u64
    }

    /// Everything that a blob holds in the end, in the order it is served: none in particular.
    pub(crate) fn entries(&self, blob: u64) -> Vec<Entry> {
        let own = self.first_record(blob)..self.first_record(blob + 1);
        let mut entries: Vec<Entry> = own.map(|record| Entry { record, again: false }).collect();
        if self.duplicates > 0.0 && self.blobs > 1 {
            let distance = self.far();
            let mut sources = vec![
                blob.wrapping_sub(1),
                blob + 1,
                blob.wrapping_sub(distance),
                blob + distance,
            ];
            sources.retain(|&source| source < self.blobs && source != blob);
            sources.sort_unstable();
            sources.dedup();
            for source in sources {
                let records = self.first_record(source)..self.first_record(source + 1);
                entries.extend(
                    records
                        .filter(|&record| self.repeated_in(record, source) == Some(blob))
                        .map(|record| Entry { record, again: true }),
                );
            }
        }
        let mut random = Random::at(self.key, "order", blob);
        for at in (1..entries.len()).rev() {
            entries.swap(at, random.below(at as u64 + 1) as usize);
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn plan(records: u64, options: AuditOptions) -> Plan {
        let span = Span {
            start_ms: 1_700_000_000_000,
            end_ms: 1_700_000_000_000 + 13 * DAY_MS / 2,
            edge_ms: None,
        };
        let plans = Plan::of_tenant(5, "t", records, &options, span);
        assert_eq!(plans.iter().map(|p| p.records).sum::<u64>(), records);
        plans.into_iter().max_by_key(|p| p.records).unwrap()
    }

    #[test]
    fn every_record_is_in_its_blob_once_and_repeats_add_up() {
        for records in [0, 1, 3, 49, 700, 20_000] {
            let plan = plan(records, AuditOptions::default());
            let mut seen: HashMap<u64, u32> = HashMap::new();
            let mut again = 0u64;
            for blob in 0..plan.blobs {
                for entry in plan.entries(blob) {
                    *seen.entry(entry.record).or_default() += 1;
                    again += u64::from(entry.again);
                    assert_eq!(plan.blob_of(entry.record) == blob, !entry.again);
                }
            }
            assert_eq!(seen.len() as u64, plan.records);
            assert_eq!(seen.values().map(|n| u64::from(*n)).sum::<u64>(), plan.records + again);
            if records == 20_000 {
                let share = again as f64 / plan.records as f64;
                assert!((0.04..0.06).contains(&share), "{share}");
            }
        }
    }

    #[test]
    fn a_burst_has_its_share_and_blobs_stay_in_order() {
        let burst = AuditOptions {
            burst: 0.5,
            ..AuditOptions::default()
        };
        let plan = plan(20_000, burst);
        let length = plan.span.end_ms - plan.span.start_ms;
        let middle = plan.span.start_ms + length / 2;
        assert!((1..plan.blobs).all(|blob| plan.created(blob - 1) <= plan.created(blob)));
        let inside = plan.created_in(middle - length / 120, middle + length / 120).count() as f64;
        let share = inside / plan.blobs as f64;
        assert!((0.48..0.52).contains(&share), "{share}");
    }

    #[test]
    fn blobs_are_created_in_order_and_found_by_window_and_id() {
        let plan = plan(
            20_000,
            AuditOptions {
                growing: 2,
                ..AuditOptions::default()
            },
        );
        for blob in 1..plan.blobs {
            assert!(plan.created(blob - 1) < plan.created(blob));
        }
        for blob in [0, 1, plan.blobs / 2, plan.blobs - 1] {
            let created = plan.created(blob);
            assert_eq!(plan.created_in(created, created + 1), blob..blob + 1);
            assert_eq!(plan.created_in(created + 1, created + 1).count(), 0);
            assert_eq!(plan.find_blob(&plan.content_id(blob)), Some(blob));
        }
        assert_eq!(plan.find_blob("nonsense"), None);
    }
}
