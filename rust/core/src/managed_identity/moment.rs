//! Moments as platforms write them: seconds since 1970 as a number or a string, ISO 8601, or a date in American order.

use crate::export::time::creation_seconds;
use serde_json::Value as Json;
use time::{Date, Month, PrimitiveDateTime, Time};

/// Seconds since 1970.
pub(super) fn read(value: &Json) -> Option<i64> {
    if let Some(number) = number(value).filter(|number| *number > 0) {
        return Some(number);
    }
    let text = value.as_str()?.trim();
    creation_seconds(text.as_bytes()).or_else(|| american(text))
}

/// A whole number, written as one or as a string of one.
pub(super) fn number(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `1/31/2026 10:00:00 PM +00:00`; without an offset it is UTC.
fn american(text: &str) -> Option<i64> {
    let mut parts = text.split_whitespace();
    let mut date = parts.next()?.split('/').map(|part| part.parse::<u16>().ok());
    let (month, day, year) = (date.next()??, date.next()??, date.next()??);
    let mut time = parts.next()?.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let mut next = parts.next();
    let hour = match next {
        Some("AM") => hour % 12,
        // An hour of 13 and more says by itself that it is after noon.
        Some("PM") if hour < 12 => hour + 12,
        _ => hour,
    };
    if matches!(next, Some("AM" | "PM")) {
        next = parts.next();
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let moment = PrimitiveDateTime::new(date, Time::from_hms(hour, minute, second).ok()?).assume_utc();
    Some(moment.unix_timestamp() - next.map_or(Some(0), offset)?)
}

/// `+01:00` in seconds.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn every_form_is_the_same_moment() {
        for text in [
            "1769896800",
            "2026-01-31T22:00:00Z",
            "2026-01-31T22:00:00+00:00",
            "2026-01-31T23:00:00.000+01:00",
            "2026-01-31T22:00:00",
            "1/31/2026 10:00:00 PM +00:00",
            "01/31/2026 22:00:00 +00:00",
            "1/31/2026 11:00:00 PM +01:00",
            "01/31/2026 22:00:00 PM +00:00",
        ] {
            assert_eq!(read(&json!(text)), Some(1_769_896_800), "{text}");
        }
        assert_eq!(read(&json!(1_769_896_800)), Some(1_769_896_800));
        for text in ["", "soon", "0", "13/31/2026 10:00:00 AM", "1/32/2026 1:00:00 AM"] {
            assert_eq!(read(&json!(text)), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9/: APM+T.Z-]{0,40}") {
            let _ = read(&json!(text));
        }
    }
}
