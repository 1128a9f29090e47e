//! The sandbox's own idea of the time, which can be set wrong on purpose, and the ways services write times.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// The service clock: the machine's clock plus a skew.
#[derive(Default)]
pub(crate) struct Clock {
    skew_seconds: AtomicI64,
}

impl Clock {
    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew_seconds.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn skew(&self) -> i64 {
        self.skew_seconds.load(Ordering::Relaxed)
    }

    /// Milliseconds since 1970 as the services see it.
    pub(crate) fn now_ms(&self) -> i64 {
        machine_ms().saturating_add(self.skew().saturating_mul(1000))
    }

    /// Seconds since 1970 as the services see it.
    pub(crate) fn now(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

/// Milliseconds since 1970 by the machine's clock.
pub(crate) fn machine_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

fn parts(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-01-31T10:00:00`
pub(crate) fn iso_seconds(seconds: i64) -> String {
    let t = parts(seconds);
    let (year, month, day) = t.to_calendar_date();
    format!(
        "{year:04}-{:02}-{day:02}T{:02}:{:02}:{:02}",
        u8::from(month),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// `2026-01-31T10:00:00.123Z`
pub(crate) fn iso_millis(ms: i64) -> String {
    format!("{}.{:03}Z", iso_seconds(ms.div_euclid(1000)), ms.rem_euclid(1000))
}

/// `2026-01-31 10:00:00Z`, as the identity platform's error bodies have it.
pub(crate) fn identity_timestamp(seconds: i64) -> String {
    let mut text = iso_seconds(seconds);
    text.replace_range(10..11, " ");
    text.push('Z');
    text
}

/// The value of an HTTP `Date` header.
pub(crate) fn http_date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let t = parts(seconds);
    let (year, month, day) = t.to_calendar_date();
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS[usize::from(t.weekday().number_days_from_monday())],
        MONTHS[usize::from(u8::from(month) - 1)],
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Reads the three forms that the Management Activity API documents (`YYYY-MM-DD`, `..THH:MM`, `..THH:MM:SS`, all UTC),
/// and also a fraction and a trailing `Z`, which the service tolerates. Milliseconds since 1970.
pub(crate) fn parse_utc_ms(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let (year, month, day) = (
        digits(fields.next()?, 4)?,
        digits(fields.next()?, 2)?,
        digits(fields.next()?, 2)?,
    );
    if fields.next().is_some() {
        return None;
    }
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = time::Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    let mut ms = 0;
    if let Some(clock) = clock {
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut fields = clock.split(':');
        let (hour, minute) = (digits(fields.next()?, 2)?, digits(fields.next()?, 2)?);
        let second = fields.next().map_or(Some(0), |f| digits(f, 2))?;
        if fields.next().is_some() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        ms = (hour * 3600 + minute * 60 + second) * 1000;
        if !fraction.is_empty() {
            if !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let padded = format!("{fraction:0<3}");
            ms += padded.get(..3)?.parse::<i64>().ok()?;
        }
    }
    Some(date.midnight().assume_utc().unix_timestamp() * 1000 + ms)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_and_write() {
        for text in ["2026-01-31T10:11:12", "2026-01-31T10:11:12Z"] {
            let ms = parse_utc_ms(text).unwrap();
            assert_eq!(iso_millis(ms), "2026-01-31T10:11:12.000Z");
        }
        assert_eq!(
            iso_millis(parse_utc_ms("2026-01-31").unwrap()),
            "2026-01-31T00:00:00.000Z"
        );
        assert_eq!(
            iso_millis(parse_utc_ms("2026-01-31T10:11").unwrap()),
            "2026-01-31T10:11:00.000Z"
        );
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(identity_timestamp(784_111_777), "1994-11-06 08:49:37Z");
    }

    #[test]
    fn offsets_and_nonsense_are_refused() {
        for text in [
            "2026-01-31T10:11:12+00:00",
            "2026-13-01",
            "31.01.2026",
            "2026-01-31T25:00",
            "",
            "2026-1-1",
        ] {
            assert_eq!(parse_utc_ms(text), None, "{text}");
        }
    }
}
