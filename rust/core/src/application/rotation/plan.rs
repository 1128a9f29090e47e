//! What a rotation does, in its order, and which of an application's keys go with the old credential.
//!
//! Graph shows of a secret its first three letters and its name, never its value. So a key is taken away where it is certain that it
//! was this credential's: by those letters where no other secret begins with them, by a certificate's digest, or by the name that an
//! earlier rotation gave it. Every other key is kept and listed. (An old secret of which no letters are shown begins with the same
//! three of 64 once in a quarter of a million: that is certain enough.)

use super::origin::{mark, Origin};
use super::wanted::Wanted;
use crate::application::object::{Application, Entry, EntryKind};
use crate::application::wanted::Proof;
use crate::credential::Credential;
use crate::export::time::day;
use crate::secret::Secret;
use crate::store::Place;
use crate::value::Value;
use std::sync::Arc;

/// One thing that is done, and asked about.
pub(crate) enum Step {
    Add(String),
    Store(String),
    Retire(Entry),
}

pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) kept: Vec<Kept>,
    /// The key that the new one takes the place of, where it is known.
    pub(super) after: Option<String>,
    /// Something of the old credential's could not be told from others'.
    pub(crate) is_unclear: bool,
}

/// A key that stays, and why.
pub(crate) struct Kept {
    pub(crate) entry: Entry,
    pub(crate) reason: String,
}

/// What a credential proves itself with, among an application's keys.
#[derive(Default)]
struct Own {
    certain: Vec<String>,
    /// One of these, or another: nothing tells.
    possible: Vec<String>,
}

impl Step {
    pub(crate) fn line(&self) -> String {
        match self {
            Step::Add(line) | Step::Store(line) => line.clone(),
            Step::Retire(entry) => format!("Remove {}", title(entry)),
        }
    }
}

impl Kept {
    pub(crate) fn value(&self) -> Value {
        self.entry.value().with("reason", self.reason.as_str())
    }
}

impl Plan {
    /// `users` are other credentials at hand, and why a key stays that they prove themselves with.
    pub(crate) fn make(wanted: &Wanted, application: &Application, users: &[(&'static str, Arc<Credential>)]) -> Plan {
        let entries: Vec<Entry> = application.entries().collect();
        let own = Own::of(application, &wanted.subject);
        let place = wanted.place();
        let marked = place.as_deref().and_then(mark);
        let origin = |entry: &Entry| Origin::parse(entry.display_name.as_deref().unwrap_or_default());
        // What the keys that are certainly its own took the place of: a key that an earlier run kept, or could not remove.
        let before: Vec<String> = entries
            .iter()
            .filter(|entry| own.certain.contains(&entry.key_id))
            .filter_map(|entry| origin(entry).after)
            .collect();
        let mut plan = Plan {
            steps: vec![Step::Add(added(wanted))],
            kept: Vec::new(),
            after: own.certain.first().cloned(),
            is_unclear: own.certain.is_empty(),
        };
        plan.steps
            .extend(place.as_deref().map(|place| Step::Store(stored(place))));
        for entry in entries {
            let is_own = own.certain.contains(&entry.key_id);
            let user = users.iter().find(|(_, user)| Own::of(application, user).may_be(&entry));
            let is_over = before.contains(&entry.key_id)
                || marked.is_some() && origin(&entry).place == marked && !own.may_be(&entry);
            let reason = if !is_own && !is_over {
                Some(if own.may_be(&entry) { UNCLEAR } else { OTHERS }.to_owned())
            } else if let Some((why, _)) = user.filter(|_| !wanted.force) {
                Some((*why).to_owned())
            } else if is_own && wanted.keep_old {
                Some("-KeepOld was given. The next update removes it.".to_owned())
            } else if is_own && !wanted.force && wanted.is_lost_unless_taken() {
                Some(UNSTORED.to_owned())
            } else {
                None
            };
            match reason {
                Some(reason) => plan.kept.push(Kept { entry, reason }),
                None => plan.steps.push(Step::Retire(entry)),
            }
        }
        plan
    }
}

const OTHERS: &str = "It is not this credential's, and others may use it.";
const UNSTORED: &str =
    "The new secret is stored nowhere yet: save the new credential. The next update of that one removes this key.";
const UNCLEAR: &str =
    "Nothing says for certain whether it is this credential's: remove it in the Entra admin center once nobody uses it.";

impl Wanted {
    /// The new secret is in the result alone. A certificate is in its maker's hands.
    fn is_lost_unless_taken(&self) -> bool {
        self.binding.is_none() && matches!(self.proof, Proof::Secret { .. })
    }
}

impl Own {
    fn of(application: &Application, credential: &Credential) -> Own {
        if !application.app_id.eq_ignore_ascii_case(credential.application_id()) {
            return Own::default();
        }
        if let Some(certificate) = credential.certificate() {
            let keys = application.key_credentials.iter();
            return Own {
                certain: keys
                    .filter(|key| key.is_of(certificate))
                    .map(|key| key.key_id.clone())
                    .collect(),
                possible: Vec::new(),
            };
        }
        let Some(hint) = credential.secret().map(hint) else {
            return Own::default();
        };
        let with = |wanted: Option<&str>| -> Vec<String> {
            let secrets = application.password_credentials.iter();
            secrets
                .filter(|secret| secret.hint.as_deref() == wanted)
                .map(|secret| secret.key_id.clone())
                .collect()
        };
        match with(Some(&hint)) {
            one if one.len() == 1 => Own {
                certain: one,
                possible: Vec::new(),
            },
            // Old secrets have no hint.
            none if none.is_empty() => Own {
                certain: Vec::new(),
                possible: with(None),
            },
            several => Own {
                certain: Vec::new(),
                possible: several,
            },
        }
    }

    fn may_be(&self, entry: &Entry) -> bool {
        self.certain.contains(&entry.key_id) || self.possible.contains(&entry.key_id)
    }
}

/// What Graph shows of a secret: its first three letters ("passwordCredential resource type").
fn hint(secret: &Secret) -> String {
    secret.expose().chars().take(3).collect()
}

fn added(wanted: &Wanted) -> String {
    match &wanted.proof {
        Proof::Secret { days } => format!("Add a client secret for {days} days, and prove it with a token"),
        Proof::Certificate(credential) => {
            let subject = credential.certificate().map_or("", |certificate| certificate.subject());
            format!("Add the certificate {subject}, and prove it with a token")
        }
    }
}

fn stored(place: &Place) -> String {
    let where_to = place.describe();
    format!(
        "Store the credential in its place in {}",
        where_to.as_text().unwrap_or_default()
    )
}

fn title(entry: &Entry) -> String {
    let end = entry.ends.and_then(|end| day(end.div_euclid(1000)));
    let end = end.map(|end| format!(", which ends on {end}"));
    let what = match (entry.kind, &entry.hint) {
        // Its hint is a part of the secret.
        (EntryKind::Secret, _) => "the client secret".to_owned(),
        (EntryKind::Certificate, hint) => format!("the certificate {}", hint.as_deref().unwrap_or_default()),
    };
    format!("{what} ({}){}", entry.key_id, end.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Field, Request};
    use serde_json::json;

    const APPLICATION: &str = "11111111-2222-3333-4444-555555555555";

    fn wanted(secret: &str) -> Wanted {
        let credential = Request::new("credential")
            .with("applicationId", Field::Text(APPLICATION.to_owned()))
            .with("secret", Field::Secret(secret.into()));
        let credential = Credential::open(&credential).unwrap();
        let request = Request::new("credential_rotate")
            .with("subject", Field::Credential(Arc::new(credential)))
            .with("force", Field::Int(1));
        Wanted::read(&request).unwrap()
    }

    /// By the ids, hints and names of secrets, what is removed and what is kept with an unclear reason.
    fn removed(secret: &str, secrets: &[(&str, Option<&str>, Option<&str>)]) -> (Vec<String>, Vec<String>) {
        let secrets: Vec<_> = secrets
            .iter()
            .map(|(id, hint, name)| json!({"keyId": id, "hint": hint, "displayName": name}))
            .collect();
        let application = json!({"id": "object", "appId": APPLICATION.to_uppercase(), "passwordCredentials": secrets});
        let application: Application = serde_json::from_value(application).unwrap();
        let plan = Plan::make(&wanted(secret), &application, &[]);
        let retired = plan.steps.iter().filter_map(|step| match step {
            Step::Retire(entry) => Some(entry.key_id.clone()),
            _ => None,
        });
        let unclear = plan.kept.iter().filter(|kept| kept.reason == UNCLEAR);
        (
            retired.collect(),
            unclear.map(|kept| kept.entry.key_id.clone()).collect(),
        )
    }

    fn ids(all: &[&str]) -> Vec<String> {
        all.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn a_secret_is_known_by_letters_that_no_other_begins_with() {
        let secrets = [("a", Some("abc"), None), ("b", Some("abd"), None), ("c", None, None)];
        assert_eq!(removed("abc~rest", &secrets), (ids(&["a"]), ids(&[])));
    }

    #[test]
    fn of_two_that_begin_alike_neither_is_removed() {
        let secrets = [
            ("a", Some("abc"), None),
            ("b", Some("abc"), Some("SecureAppModel after c")),
            ("c", Some("xyz"), None),
        ];
        assert_eq!(removed("abc~rest", &secrets), (ids(&[]), ids(&["a", "b"])));
    }

    #[test]
    fn old_secrets_without_letters_may_be_anyones() {
        let secrets = [("a", None, None), ("b", Some("xyz"), None)];
        assert_eq!(removed("abc~rest", &secrets), (ids(&[]), ids(&["a"])));
    }

    #[test]
    fn the_one_before_it_goes_with_it_and_other_chains_stay() {
        let secrets = [
            ("a", Some("xyz"), None),
            ("b", Some("abc"), Some("SecureAppModel after a")),
            ("c", Some("uvw"), Some("SecureAppModel after a")),
            ("d", Some("rst"), Some("SecureAppModel in 0123456789AB after b")),
        ];
        assert_eq!(removed("abc~rest", &secrets), (ids(&["a", "b"]), ids(&[])));
    }
}
