//! Whether the refresh token is alive, and for how long the stored one can be.

use super::{aadsts, Row};
use crate::error::{Error, Kind};
use std::time::{Duration, SystemTime};

pub(crate) const CHECK: &str = "RefreshToken";
/// How long Microsoft Entra keeps a refresh token of a confidential client that is not used.
const LIFETIME: Duration = Duration::from_secs(90 * DAY);
/// When to say that a stored token nears its end.
const NEAR_END: Duration = Duration::from_secs(14 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// Judges the answer to a redemption. `acquired_on` is when the given token was issued, where that is known.
pub(crate) fn judge(
    account: &str,
    answer: Result<(), &Error>,
    acquired_on: Option<SystemTime>,
    now: SystemTime,
) -> Row {
    match answer {
        Ok(()) => alive(account, "the refresh token is alive", acquired_on, now),
        Err(error) => match state(error) {
            State::Dead => Row::fail(CHECK, account, error.message()).because(error),
            State::Blocked => Row::fail(
                CHECK,
                account,
                format!("the refresh token is alive, but was refused here: {}", error.message()),
            )
            .because(error),
            State::Alive => alive(
                account,
                "the refresh token is alive; the resource was refused, see its row",
                acquired_on,
                now,
            ),
            State::Unknown => {
                Row::warn(CHECK, account, format!("could not be checked: {}", error.message())).because(error)
            }
        },
    }
}

fn alive(account: &str, detail: &str, acquired_on: Option<SystemTime>, now: SystemTime) -> Row {
    let Some(acquired_on) = acquired_on else {
        return Row::pass(CHECK, account, format!("{detail}; its age is not known"));
    };
    let age = now.duration_since(acquired_on).unwrap_or_default();
    let left = LIFETIME.saturating_sub(age);
    let detail = format!("{detail}; it was acquired {} days ago", age.as_secs() / DAY);
    if left > NEAR_END {
        return Row::pass(CHECK, account, detail);
    }
    let detail = match left.as_secs() / DAY {
        0 => format!("{detail} and may end at any time"),
        days => format!("{detail} and may end in {days} days"),
    };
    Row::warn(CHECK, account, detail).remedy(
        "Every redemption gives a newer refresh token: store it in place of this one (Get-SecureAppAccessToken -IncludeRefreshToken), \
         at least once in 90 days.",
    )
}

enum State {
    /// It will never work again.
    Dead,
    /// It is accepted as such, but the sign-in that it stands for is not good enough here.
    Blocked,
    /// It is accepted; what was asked for with it is not.
    Alive,
    Unknown,
}

fn state(error: &Error) -> State {
    let Some(service) = error.service() else {
        return State::Unknown;
    };
    if error.is_retryable() || error.kind() == Kind::Protocol {
        return State::Unknown;
    }
    match (service.error.as_str(), service.suberror.as_str()) {
        (_, "bad_token" | "token_expired") => return State::Dead,
        (_, "consent_required") | ("invalid_resource" | "invalid_scope" | "consent_required", _) => {
            return State::Alive
        }
        (_, "basic_action" | "additional_action" | "message_only" | "user_password_expired") => return State::Blocked,
        ("interaction_required", _) => return State::Blocked,
        _ => {}
    }
    // What is left is `invalid_grant` without a suberror: only the number tells more.
    match aadsts(error) {
        70000 | 70008 | 70043 | 700005 | 700007 | 700082 | 700084 | 50132 | 50133 | 50173 | 9002313 => State::Dead,
        50034
        | 50055
        | 50057
        | 50072
        | 50074
        | 50076
        | 50078
        | 50079
        | 50097
        | 50131
        | 50158
        | 53000..=53004
        | 53010
        | 53011
        | 530003
        | 530032
        | 530034
        | 530035 => State::Blocked,
        65001 | 65005 | 500011 | 650052 | 650056 | 650057 | 50001 | 90093 | 90094 => State::Alive,
        _ => State::Unknown,
    }
}

/// True where no resource can be had with it any more.
pub(crate) fn is_dead(error: &Error) -> bool {
    matches!(state(error), State::Dead)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::ServiceError;

    fn refused(error: &str, suberror: &str, code: &str) -> Error {
        Error::new(Kind::NotSignedIn, "refused").with_service(ServiceError {
            http_status: 400,
            error: error.to_owned(),
            suberror: suberror.to_owned(),
            code: code.to_owned(),
            ..ServiceError::default()
        })
    }

    #[test]
    fn the_answer_tells_dead_from_blocked_from_alive() {
        for (error, suberror, code, verdict) in [
            ("invalid_grant", "bad_token", "", Verdict::Fail),
            ("invalid_grant", "", "AADSTS700082", Verdict::Fail),
            ("invalid_grant", "", "AADSTS50173", Verdict::Fail),
            ("interaction_required", "basic_action", "AADSTS50076", Verdict::Fail),
            ("invalid_grant", "message_only", "AADSTS53003", Verdict::Fail),
            ("invalid_grant", "", "AADSTS50097", Verdict::Fail),
            ("invalid_grant", "consent_required", "AADSTS65001", Verdict::Pass),
            ("invalid_resource", "", "AADSTS500011", Verdict::Pass),
            ("invalid_grant", "", "AADSTS1", Verdict::Warn),
        ] {
            let row = judge("user", Err(&refused(error, suberror, code)), None, SystemTime::now());
            assert_eq!(row.verdict, verdict, "{error} {suberror} {code}");
        }
        let row = judge(
            "user",
            Err(&Error::new(Kind::Timeout, "no answer")),
            None,
            SystemTime::now(),
        );
        assert_eq!(row.verdict, Verdict::Warn);
    }

    #[test]
    fn an_old_token_warns_before_its_end() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(400 * DAY);
        let judged = |days: u64| judge("user", Ok(()), Some(now - Duration::from_secs(days * DAY)), now);
        assert_eq!(judged(0).verdict, Verdict::Pass);
        assert_eq!(judged(75).verdict, Verdict::Pass);
        assert_eq!(judged(77).verdict, Verdict::Warn);
        assert!(judged(77).detail.contains("in 13 days"), "{}", judged(77).detail);
        assert!(judged(200).detail.contains("at any time"));
        assert!(!judged(80).remedy.is_empty());
    }

    #[test]
    fn a_token_from_the_future_is_new() {
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(
            judge("user", Ok(()), Some(now + Duration::from_secs(DAY)), now).verdict,
            Verdict::Pass
        );
    }
}
