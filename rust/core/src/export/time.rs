//! Times as audit records and manifests write them.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Seconds since 1970-01-01 UTC of a `CreationTime`, which is UTC where it names no zone.
///
/// Records write `2026-01-31T23:59:59`; a blank for the `T`, a fraction, `Z` and an offset occur.
pub(crate) fn creation_seconds(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let shape = b"0000-00-00T00:00:00";
    let fits = date_time.iter().zip(shape).all(|(byte, model)| match model {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        other => byte == other,
    });
    if !fits {
        return None;
    }
    let number = |from: usize, to: usize| {
        date_time[from..to]
            .iter()
            .fold(0u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let month = Month::try_from(number(5, 7) as u8).ok()?;
    let date = Date::from_calendar_date(number(0, 4) as i32, month, number(8, 10) as u8).ok()?;
    // A leap second belongs to the minute that it ends.
    let time = Time::from_hms(number(11, 13) as u8, number(14, 16) as u8, number(17, 19).min(59) as u8).ok()?;
    if number(17, 19) > 60 {
        return None;
    }
    Some(
        PrimitiveDateTime::new(date, time)
            .assume_offset(zone(rest)?)
            .unix_timestamp(),
    )
}

/// The offset that follows the seconds and their fraction.
fn zone(rest: &[u8]) -> Option<UtcOffset> {
    let rest = match rest.split_first() {
        Some((b'.' | b',', fraction)) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            &fraction[digits..]
        }
        _ => rest,
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| (byte - b'0') as i8);
    match rest {
        [] | [b'Z' | b'z'] => Some(UtcOffset::UTC),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let sign = if *sign == b'-' { -1 } else { 1 };
            let hours = digit(h1)? * 10 + digit(h2)?;
            let minutes = digit(m1)? * 10 + digit(m2)?;
            UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
        }
        _ => None,
    }
}

/// `2026-01-31`, the UTC day; `None` for a time that has no such form.
pub(crate) fn day(seconds: i64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok()?.date();
    Some(format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    ))
}

/// `2026-01-31T23:59:59Z`, with milliseconds where there are any; empty for a time that has no such form.
pub(crate) fn iso(millis: i64) -> String {
    let Some(seconds) = seconds_text(millis.div_euclid(1000)) else {
        return String::new();
    };
    match millis.rem_euclid(1000) {
        0 => format!("{seconds}Z"),
        millis => format!("{seconds}.{millis:03}Z"),
    }
}

/// `2026-01-31T23:59:59`, UTC without a zone: how records and the activity feed write times.
pub(crate) fn seconds_text(seconds: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let date = day(seconds)?;
    Some(format!(
        "{date}T{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    ))
}

/// Milliseconds since 1970-01-01 UTC of a time as the services write it.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let seconds = creation_seconds(text.as_bytes())?;
    let fraction = text.get(19..)?.strip_prefix('.').unwrap_or_default();
    let digits: String = fraction
        .chars()
        .take_while(char::is_ascii_digit)
        .chain("000".chars())
        .take(3)
        .collect();
    Some(seconds * 1000 + digits.parse::<i64>().ok()?)
}

/// Now, in milliseconds since 1970-01-01 UTC.
pub(crate) fn now() -> i64 {
    (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creation_times_in_every_form_seen() {
        let expected = Some(1_621_372_413);
        for text in [
            "2021-05-18T21:13:33",
            "2021-05-18 21:13:33",
            "2021-05-18T21:13:33Z",
            "2021-05-18T21:13:33.125Z",
            "2021-05-18T21:13:33.0000000+00:00",
            "2021-05-18T23:13:33+02:00",
            "2021-05-18T15:43:33-05:30",
        ] {
            assert_eq!(creation_seconds(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2021-05-18",
            "2021-13-18T21:13:33",
            "2021-02-30T21:13:33",
            "2021-05-18T25:13:33",
            "5/18/2021 9:13:33 PM",
            "2021-05-18T21:13:33.Z",
            "2021-05-18T21:13:33+2:00",
            "2021-05-18T21:13:99",
            "2021-05-18T21:13:33 PM",
        ] {
            assert_eq!(creation_seconds(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_and_read_back() {
        assert_eq!(day(1_621_372_413).as_deref(), Some("2021-05-18"));
        assert_eq!(iso(1_621_372_413_000), "2021-05-18T21:13:33Z");
        assert_eq!(iso(1_621_372_413_048), "2021-05-18T21:13:33.048Z");
        assert_eq!(millis("2021-05-18T21:13:33.048Z"), Some(1_621_372_413_048));
        assert_eq!(millis("2021-05-18T21:13:33.5"), Some(1_621_372_413_500));
        assert_eq!(millis("2021-05-18T21:13:33"), Some(1_621_372_413_000));
    }
}
