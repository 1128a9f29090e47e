//! When what the application proves itself with ends: its certificate, its secret.

use super::registration::{Listed, Seen, PERMISSION};
use super::{aadsts, Row};
use crate::certificate::{hex, Certificate};
use crate::error::Error;
use crate::export::time::iso;
use crate::secret::Secret;

pub(crate) const CERTIFICATE: &str = "Certificate";
pub(crate) const SECRET: &str = "Secret";
/// When to say that the end is near.
const NEAR_END: i64 = 30 * DAY;
const DAY: i64 = 86_400_000;

/// Judges a certificate by itself, and by the registration where that could be read. `now` is in milliseconds since 1970.
pub(crate) fn certificate(certificate: &Certificate, seen: &Seen, now: i64) -> Row {
    let target = hex(certificate.sha1());
    if now < certificate.not_before() {
        let detail = format!("the certificate is not valid before {}", iso(certificate.not_before()));
        return Row::fail(CERTIFICATE, &target, detail)
            .remedy("Check this machine's clock; otherwise wait until then, or use another certificate.");
    }
    let mut ends = certificate.not_after();
    if let Seen::Read(registration) = seen {
        match registration.certificate(certificate) {
            Listed::Until(listed) => ends = ends.min(listed.unwrap_or(ends)),
            Listed::Missing => {
                let detail = format!(
                    "{}, and the app registration does not list it",
                    until("the certificate", ends)
                );
                return Row::warn(CERTIFICATE, &target, detail).remedy(
                    "Upload it under Certificates & secrets of the app registration: the service may only not have noticed yet \
                     that it was removed.",
                );
            }
        }
    }
    judge(CERTIFICATE, &target, "the certificate", ends, now).remedy_unless_fine(
        "Make a new certificate (New-SecureAppCertificate), upload it to the app registration beside this one, and use it from then on.",
    )
}

/// Judges a secret that is accepted: only the registration says when it ends.
pub(crate) fn secret(application: &str, secret: &Secret, seen: &Seen, now: i64) -> Row {
    let unknown =
        |why: &str| Row::not_checked(SECRET, application, format!("when the secret ends is not known: {why}"));
    match seen {
        Seen::NotAsked(why) => unknown(why),
        Seen::Refused(error) => unknown(error.message())
            .remedy(format!(
                "Give the application {PERMISSION} and consent to it in its own tenant, or look under Certificates & secrets of \
                 the app registration."
            ))
            .because(error),
        Seen::Read(registration) => match registration.secret(secret, now) {
            Listed::Missing => unknown("no secret of the app registration begins like it")
                .remedy("Look under Certificates & secrets of the app registration."),
            Listed::Until(None) => Row::pass(SECRET, application, "the secret has no end"),
            Listed::Until(Some(ends)) => judge(SECRET, application, "the secret", ends, now).remedy_unless_fine(
                "Add a new secret to the app registration (or better a certificate: New-SecureAppCertificate) and use it before then.",
            ),
        },
    }
}

/// The row of a secret that was refused because it has ended; `None` for any other refusal.
pub(crate) fn ended(application: &str, error: &Error) -> Option<Row> {
    (aadsts(error) == 7_000_222).then(|| Row::fail(SECRET, application, "the secret has ended").because(error))
}

fn judge(check: &'static str, target: &str, what: &str, ends: i64, now: i64) -> Row {
    let left = ends.saturating_sub(now);
    if left <= 0 {
        return Row::fail(check, target, format!("{what} ended on {}", iso(ends)));
    }
    let detail = format!("{}, in {} days", until(what, ends), left / DAY);
    if left < NEAR_END {
        Row::warn(check, target, detail)
    } else {
        Row::pass(check, target, detail)
    }
}

fn until(what: &str, ends: i64) -> String {
    format!("{what} ends on {}", iso(ends))
}

impl Row {
    fn remedy_unless_fine(self, remedy: &str) -> Self {
        match self.verdict {
            super::Verdict::Pass => self,
            _ => self.remedy(remedy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn an_end_warns_a_month_before_and_fails_after() {
        let now = 1_790_000_000_000;
        for (days, verdict, words) in [
            (31, Verdict::Pass, "in 31 days"),
            (30, Verdict::Pass, "in 30 days"),
            (29, Verdict::Warn, "in 29 days"),
            (0, Verdict::Fail, "ended on"),
            (-3, Verdict::Fail, "ended on"),
        ] {
            let row = judge(SECRET, "app", "the secret", now + days * DAY, now).remedy_unless_fine("do");
            assert_eq!(row.verdict, verdict, "{days}");
            assert!(row.detail.contains(words), "{}", row.detail);
            assert_eq!(row.remedy.is_empty(), verdict == Verdict::Pass);
        }
    }
}
