//! Which time the folder can vouch for: what exports into it have asked for, what they have got for good, and why the rest
//! is missing.
//!
//! The manifest's `complete` is drawn from here, so that a good run over one range does not hide what an earlier one over
//! another lacked.

use super::Gap;
use crate::window::{Window, Windows};
use serde::{Deserialize, Serialize};

/// Why time is missing that an export has asked for and said no more of.
pub(crate) const BROKEN_OFF: &str = "the export that asked for it was broken off; run it again";

/// What is known of one content type of one source; also a fact of the journal, where it is what one run adds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scope {
    pub(crate) source: String,
    pub(crate) content_type: String,
    /// Every range that an export has asked for.
    #[serde(default)]
    pub(crate) asked: Windows,
    /// What was listed and written and can no longer grow.
    #[serde(default)]
    pub(crate) had: Windows,
    /// Why something is missing, the latest last.
    #[serde(default)]
    pub(crate) lacks: Vec<Lack>,
}

/// Why a stretch of time is not had.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Lack {
    #[serde(flatten)]
    pub window: Window,
    /// For a person.
    pub reason: String,
}

impl Lack {
    pub fn new(window: Window, reason: &str) -> Self {
        Lack {
            window,
            reason: reason.to_owned(),
        }
    }
}

impl From<&Gap> for Lack {
    fn from(gap: &Gap) -> Self {
        Lack::new(gap.window, &gap.reason)
    }
}

/// What a run has got of one content type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Got {
    pub content_type: String,
    pub had: Windows,
    pub lacks: Vec<Lack>,
}

/// What a folder lacks of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) source: String,
    /// Those that lack something.
    pub(crate) content_types: Vec<String>,
    /// From the first moment that is missing to the last.
    pub(crate) window: Window,
}

/// All scopes of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage(Vec<Scope>);

impl Coverage {
    pub(crate) fn scopes(&self) -> &[Scope] {
        &self.0
    }

    /// Adds what a run asked for or got.
    pub(crate) fn add(&mut self, fact: Scope) {
        let same = |known: &&mut Scope| known.source == fact.source && known.content_type == fact.content_type;
        let Some(known) = self.0.iter_mut().find(same) else {
            self.0.push(fact);
            return;
        };
        fact.asked.iter().for_each(|window| known.asked.add(window));
        fact.had.iter().for_each(|window| known.had.add(window));
        known.lacks.extend(fact.lacks);
        let Scope { had, lacks, .. } = known;
        lacks.retain(|lack| had.missing(lack.window) != Windows::default());
    }

    /// Where one more export of these content types goes on: at the first moment that is missing and may still be had, which is
    /// nothing before `earliest` but for what nobody has asked for yet. `None` where one of them was never asked for.
    pub(crate) fn goes_on_from(&self, source: &str, content_types: &[String], earliest: i64) -> Option<i64> {
        let of = |name: &String| {
            let mut scopes = self.0.iter().filter(|scope| scope.source == source);
            scopes.find(|scope| scope.content_type == *name)?.goes_on_from(earliest)
        };
        let from: Option<Vec<i64>> = content_types.iter().map(of).collect();
        from?.into_iter().min()
    }

    /// From the first moment that was asked for to the last, over all content types.
    pub(crate) fn asked(&self) -> Option<Window> {
        let hulls = self.0.iter().filter_map(|scope| scope.asked.hull());
        hulls.reduce(|one, other| Window::new(one.start.min(other.start), one.end.max(other.end)))
    }

    /// What is missing between the first moment and the last that were asked for, of each content type.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.0.iter().flat_map(Scope::gaps).collect()
    }

    /// The same by source, as one export of each could bring it.
    pub(crate) fn missing(&self) -> Vec<Missing> {
        let mut missing: Vec<Missing> = Vec::new();
        for scope in &self.0 {
            let gaps: Vec<Window> = scope.gaps().iter().map(|gap| gap.window).collect();
            let Some(window) = Windows::from(gaps).hull() else {
                continue;
            };
            match missing.iter_mut().find(|known| known.source == scope.source) {
                Some(known) => {
                    known.content_types.push(scope.content_type.clone());
                    known.window = known.window.hull(window);
                }
                None => missing.push(Missing {
                    source: scope.source.clone(),
                    content_types: vec![scope.content_type.clone()],
                    window,
                }),
            }
        }
        missing
    }
}

impl Scope {
    fn goes_on_from(&self, earliest: i64) -> Option<i64> {
        let asked = self.asked.hull()?;
        let end = self.had.hull().map_or(asked.start, |had| had.end.max(asked.start));
        let holes = self.had.missing(Window::new(asked.start, end));
        let hole = holes.iter().find(|hole| hole.end > earliest);
        Some(hole.map_or(end, |hole| hole.start.max(earliest)))
    }

    fn gaps(&self) -> Vec<Gap> {
        let Some(whole) = self.asked.hull() else {
            return Vec::new();
        };
        let mut open = self.had.missing(whole);
        let mut gaps = Vec::new();
        let mut explain = |open: &mut Windows, why: Window, reason: &str| {
            let explained: Vec<Window> = open.iter().map(|hole| hole.intersect(why)).collect();
            for window in explained.into_iter().filter(|window| !window.is_empty()) {
                open.remove(window);
                gaps.push(Gap {
                    content_type: self.content_type.clone(),
                    window,
                    reason: reason.to_owned(),
                });
            }
        };
        for lack in self.lacks.iter().rev() {
            explain(&mut open, lack.window, &lack.reason);
        }
        for asked in self.asked.iter() {
            explain(&mut open, asked, BROKEN_OFF);
        }
        explain(&mut open, whole, "no export into this folder has asked for it");
        gaps.sort_by_key(|gap| gap.window.start);
        // Two runs over nearly the same time say the same of it.
        gaps.dedup_by(|next, gap| {
            let same = gap.window.end == next.window.start && gap.reason == next.reason;
            if same {
                gap.window.end = next.window.end;
            }
            same
        });
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(asked: &[(i64, i64)], had: &[(i64, i64)], lacks: &[(i64, i64, &str)]) -> Scope {
        let windows = |pairs: &[(i64, i64)]| {
            let windows: Vec<Window> = pairs.iter().map(|(start, end)| Window::new(*start, *end)).collect();
            Windows::from(windows)
        };
        Scope {
            source: "feed".to_owned(),
            content_type: "Audit.General".to_owned(),
            asked: windows(asked),
            had: windows(had),
            lacks: lacks
                .iter()
                .map(|(start, end, reason)| Lack::new(Window::new(*start, *end), reason))
                .collect(),
        }
    }

    fn gaps(facts: Vec<Scope>) -> Vec<(i64, i64, String)> {
        let mut coverage = Coverage::default();
        facts.into_iter().for_each(|fact| coverage.add(fact));
        let short = |gap: Gap| {
            let word = gap.reason.split(' ').next().unwrap_or_default().to_owned();
            (gap.window.start, gap.window.end, word)
        };
        coverage.gaps().into_iter().map(short).collect()
    }

    fn gap(start: i64, end: i64, word: &str) -> (i64, i64, String) {
        (start, end, word.to_owned())
    }

    #[test]
    fn an_earlier_hole_outlives_a_later_good_run() {
        let first = scope(&[(0, 10)], &[(0, 4), (5, 10)], &[(4, 5, "lost")]);
        let second = scope(&[(10, 20)], &[(10, 20)], &[]);
        assert_eq!(gaps(vec![first.clone(), second.clone()]), [gap(4, 5, "lost")]);
        // Whoever gets it later closes it.
        assert_eq!(gaps(vec![first, second, scope(&[(2, 6)], &[(2, 6)], &[])]), []);
    }

    #[test]
    fn what_nobody_asked_for_between_two_runs_is_missing_too() {
        let facts = vec![
            scope(&[(0, 10)], &[(0, 10)], &[]),
            scope(&[(15, 20)], &[(15, 18)], &[(18, 20, "young")]),
        ];
        assert_eq!(gaps(facts), [gap(10, 15, "no"), gap(18, 20, "young")]);
    }

    #[test]
    fn a_run_that_never_said_how_it_ended_was_broken_off() {
        assert_eq!(gaps(vec![scope(&[(0, 10)], &[], &[])]), [gap(0, 10, "the")]);
        // A later one over the same time that fails gives the later reason; what was had stays had.
        let facts = vec![
            scope(&[(0, 10)], &[(0, 6)], &[(6, 10, "early")]),
            scope(&[(0, 10)], &[], &[(0, 10, "late")]),
        ];
        assert_eq!(gaps(facts), [gap(6, 10, "late")]);
        let facts = vec![
            scope(&[(0, 10)], &[], &[(0, 10, "lost")]),
            scope(&[(1, 10)], &[], &[(1, 10, "lost")]),
        ];
        assert_eq!(gaps(facts), [gap(0, 10, "lost")]);
    }

    #[test]
    fn an_export_goes_on_at_the_first_hole_that_can_still_be_filled() {
        let from = |facts: Vec<Scope>, earliest: i64| {
            let mut coverage = Coverage::default();
            facts.into_iter().for_each(|fact| coverage.add(fact));
            coverage.goes_on_from("feed", &["Audit.General".to_owned()], earliest)
        };
        assert_eq!(from(vec![], 0), None);
        let whole = || scope(&[(10, 40)], &[(10, 40)], &[]);
        assert_eq!(from(vec![whole()], 0), Some(40));
        // Away for longer than anything is kept: the time in between is asked for, so that it is known to be lost.
        assert_eq!(from(vec![whole()], 70), Some(40));
        let holed = || scope(&[(10, 40)], &[(10, 20), (30, 35)], &[]);
        assert_eq!(from(vec![holed()], 0), Some(20));
        assert_eq!(from(vec![holed()], 25), Some(25));
        assert_eq!(from(vec![holed()], 32), Some(35));
        // A run that was broken off has got nothing.
        assert_eq!(from(vec![scope(&[(10, 40)], &[], &[])], 0), Some(10));
        // The content type that is furthest behind.
        let mut coverage = Coverage::default();
        let other = Scope {
            content_type: "Audit.Exchange".to_owned(),
            ..holed()
        };
        [whole(), other].into_iter().for_each(|fact| coverage.add(fact));
        let both = ["Audit.General".to_owned(), "Audit.Exchange".to_owned()];
        assert_eq!(coverage.goes_on_from("feed", &both, 0), Some(20));
        assert_eq!(coverage.goes_on_from("feed", &["DLP.All".to_owned()], 0), None);
    }

    #[test]
    fn other_content_types_and_sources_vouch_for_themselves() {
        let other = Scope {
            content_type: "Audit.Exchange".to_owned(),
            ..scope(&[(5, 10)], &[(5, 10)], &[])
        };
        let elsewhere = Scope {
            source: "search".to_owned(),
            ..scope(&[(0, 10)], &[(0, 10)], &[])
        };
        let facts = vec![scope(&[(0, 10)], &[(0, 5)], &[]), other, elsewhere];
        assert_eq!(gaps(facts), [gap(5, 10, "the")]);
    }

    #[test]
    fn what_is_missing_is_one_range_for_each_source() {
        let other = |content_type: &str, asked, had| Scope {
            content_type: content_type.to_owned(),
            ..scope(asked, had, &[])
        };
        let mut coverage = Coverage::default();
        for fact in [
            scope(&[(0, 20)], &[(0, 5), (7, 9), (10, 20)], &[]),
            other("Audit.Exchange", &[(0, 30)], &[(0, 15), (16, 30)]),
            other("Audit.SharePoint", &[(0, 9)], &[(0, 9)]),
            Scope {
                source: "search {\"UserIds\":[\"a\"]}".to_owned(),
                ..scope(&[(3, 4)], &[], &[])
            },
        ] {
            coverage.add(fact);
        }
        let missing = |source: &str, content_types: &[&str], start, end| Missing {
            source: source.to_owned(),
            content_types: content_types.iter().map(|name| (*name).to_owned()).collect(),
            window: Window::new(start, end),
        };
        let expected = [
            missing("feed", &["Audit.General", "Audit.Exchange"], 5, 16),
            missing("search {\"UserIds\":[\"a\"]}", &["Audit.General"], 3, 4),
        ];
        assert_eq!(coverage.missing(), expected);
    }
}
