//! Which stretches a search over many days is read in.
//!
//! A quiet day costs as many calls as it takes to believe that there is nothing, so days are first looked at together: where one
//! call shows all that they have, they are read as one.

use super::cut::Intake;
use super::session::{Command, Ended, Keys, PAGE};
use super::{Search, DAY_MS, FOR_EVER};
use crate::audit::{Source, Window};
use crate::error::Result;
use std::sync::PoisonError;

impl Search {
    /// How long the parts of `window` are, in milliseconds; `None` where there is nothing in it.
    pub(super) async fn survey(&self, content_type: &str, window: Window) -> Result<Option<i64>> {
        if window.start.div_euclid(DAY_MS) == (window.end - 1).div_euclid(DAY_MS) {
            return Ok(Some(DAY_MS));
        }
        let nowhere = Intake::nowhere();
        let known = Keys::new();
        let looked = self.session(content_type, window, Command::Preview(PAGE), &known, &nowhere);
        match looked.await {
            Ok(Ended::Whole { rows: 0 }) => Ok(None),
            Ok(Ended::Whole { .. }) => Ok(Some(FOR_EVER)),
            Ok(Ended::More { oldest, rows, .. }) => {
                let mut density = self.density.lock().unwrap_or_else(PoisonError::into_inner);
                density.get_or_insert(rows as f64 / super::filled(window, oldest));
                Ok(Some(DAY_MS))
            }
            // What is wrong is found out, and named, day by day.
            Ok(_) => Ok(Some(DAY_MS)),
            Err(error) if self.is_gap(&error) => Ok(Some(DAY_MS)),
            Err(error) => Err(error),
        }
    }
}
