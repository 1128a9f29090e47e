//! What a token is for: a v1 resource or v2 scopes.
//!
//! Rules of the v2 endpoint, from Microsoft's "Scopes and permissions in the Microsoft identity platform": one resource
//! per request; `{resource}/.default` stands alone; a resource that ends in a slash keeps it (`https://host//.default`);
//! a name without a resource means Microsoft Graph.

use crate::error::{Error, Result};
use crate::shown;
use crate::tenant;
use std::sync::Arc;

const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// Microsoft Graph's application id, which stands for its name in scopes.
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

/// What a token is asked for, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    form: Form,
    /// `r ` + resource or `s ` + sorted scopes: equal for equal targets.
    key: Arc<str>,
    app_only_capable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Resource(String),
    Scopes(Vec<String>),
}

impl Target {
    /// A resource name for the v1 endpoint, as it is registered: with or without a slash at the end makes a difference.
    pub fn resource(name: &str) -> Result<Self> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Error::invalid("the resource is empty")
                .advise("Give the resource's name, such as https://graph.microsoft.com."));
        }
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Error::invalid("a resource name holds no spaces")
                .advise("Ask for one resource at a time; scopes go to -Scope."));
        }
        if !names_a_resource(name) {
            let advice = match shown::is_host(name) {
                true => format!("Give it with its scheme: https://{name}."),
                false => {
                    "Give the resource's name, such as https://graph.microsoft.com, or its application id.".to_owned()
                }
            };
            return Err(Error::invalid(format!("{} is not a resource", shown::api_name(name))).advise(advice));
        }
        if name.ends_with("/.default") {
            return Err(Error::invalid(format!("'{name}' is a scope, not a resource"))
                .for_resource(name)
                .advise("Use -Scope with it, or -Resource without '/.default'."));
        }
        let key = format!("r {name}").into();
        Ok(Target {
            form: Form::Resource(name.to_owned()),
            key,
            app_only_capable: true,
        })
    }

    /// Scopes for the v2 endpoint. `graph` is the environment's name of Microsoft Graph, which names without a resource
    /// belong to.
    pub fn scopes<S: AsRef<str>>(texts: &[S], graph: &str) -> Result<Self> {
        let mut scopes: Vec<String> = Vec::new();
        for scope in texts.iter().flat_map(|text| text.as_ref().split_whitespace()) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        if let Some(scope) = scopes
            .iter()
            .find(|scope| !names_a_resource(scope) && !is_scope_name(scope))
        {
            // It is not repeated: it may be a secret.
            let length = scope.chars().count();
            return Err(Error::invalid(format!("a text of {length} characters is not a scope"))
                .advise(format!("Give scopes such as {graph}/.default or User.Read.")));
        }
        if scopes.is_empty() {
            return Err(Error::invalid("no scope was given").advise(format!("Give scopes such as {graph}/.default.")));
        }
        let named: Vec<&String> = scopes
            .iter()
            .filter(|scope| !OPENID.contains(&scope.as_str()))
            .collect();
        let first = named.first().map(|scope| resource_of(scope, graph));
        if let Some(other) = named
            .iter()
            .map(|scope| resource_of(scope, graph))
            .find(|other| Some(other) != first.as_ref())
        {
            return Err(Error::invalid(format!(
                "the scopes belong to different resources ({} and {other}), and a token is for one",
                first.unwrap_or_default()
            ))
            .advise("Ask for one token per resource: call the command once for each."));
        }
        let defaults = named.iter().filter(|scope| is_default(scope)).count();
        if defaults > 0 && named.len() > defaults {
            return Err(Error::invalid("'.default' cannot be combined with named scopes")
                .advise("Use '.default' alone (everything that was consented to), or only named scopes."));
        }
        let mut sorted: Vec<&str> = scopes.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        let key = format!("s {}", sorted.join(" ")).into();
        Ok(Target {
            app_only_capable: defaults == 1 && named.len() == 1,
            form: Form::Scopes(scopes),
            key,
        })
    }

    /// The v2 scope that stands for all that was consented to on a resource.
    pub fn default_of(resource: &str, graph: &str) -> Result<Self> {
        Target::scopes(&[format!("{resource}/.default")], graph)
    }

    /// The resource, where the token comes from the v1 endpoint.
    pub fn as_resource(&self) -> Option<&str> {
        match &self.form {
            Form::Resource(name) => Some(name),
            Form::Scopes(_) => None,
        }
    }

    /// The scopes as given, where the token comes from the v2 endpoint.
    pub fn as_scopes(&self) -> Option<&[String]> {
        match &self.form {
            Form::Resource(_) => None,
            Form::Scopes(scopes) => Some(scopes),
        }
    }

    /// The one resource that an application's own token would be for, where it is asked for by name or by `/.default`.
    pub(super) fn managed_resource(&self, graph: &str) -> Result<String> {
        self.check_app_only()?;
        let name = match &self.form {
            Form::Resource(name) => name.as_str(),
            Form::Scopes(scopes) => {
                let scope = scopes.iter().find(|scope| is_default(scope)).map_or("", String::as_str);
                match scope.strip_suffix("/.default") {
                    Some(resource) => resource,
                    None => graph,
                }
            }
        };
        Ok(name.to_owned())
    }

    /// The resource that it is for, by name: of scopes the one that they belong to. `graph` as for [`Target::scopes`].
    pub(crate) fn owner(&self, graph: &str) -> String {
        match &self.form {
            Form::Resource(name) => name.clone(),
            Form::Scopes(scopes) => {
                let named = scopes.iter().find(|scope| !OPENID.contains(&scope.as_str()));
                named.map_or_else(|| graph.to_owned(), |scope| resource_of(scope, graph))
            }
        }
    }

    /// What an error names: the resource, or the scopes.
    pub fn title(&self) -> &str {
        &self.key[2..]
    }

    pub(super) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// An application acting for itself can only ask for all that it was granted.
    pub(super) fn check_app_only(&self) -> Result<()> {
        if self.app_only_capable {
            return Ok(());
        }
        Err(Error::invalid("an application without a user cannot ask for named scopes")
            .for_resource(self.title())
            .advise("Ask for <resource>/.default, such as https://graph.microsoft.com/.default: it stands for the application permissions that were granted."))
    }
}

fn is_default(scope: &str) -> bool {
    scope == ".default" || scope.ends_with("/.default")
}

/// The resource that a scope belongs to, in a form that compares equal for the same one.
fn resource_of(scope: &str, graph: &str) -> String {
    let path_start = scope.find("://").map_or(0, |at| at + 3);
    let resource = match scope[path_start..].rfind('/') {
        Some(slash) => scope[..path_start + slash].trim_end_matches('/').to_ascii_lowercase(),
        None => return graph.trim_end_matches('/').to_ascii_lowercase(),
    };
    if resource == GRAPH_ID {
        graph.trim_end_matches('/').to_ascii_lowercase()
    } else {
        resource
    }
}

/// An App ID URI or an application id, alone or in front of something. What is neither was never meant to be sent as one:
/// a secret in the wrong place, say.
fn names_a_resource(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let has_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    let first = text.split('/').next().unwrap_or_default();
    has_scheme || tenant::parse_guid(first).is_some()
}

/// A permission of Microsoft Graph by its bare name.
fn is_scope_name(text: &str) -> bool {
    let starts_as_one = text == ".default" || text.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_as_one && text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRAPH: &str = "https://graph.microsoft.com";

    fn scopes(texts: &[&str]) -> Result<Target> {
        Target::scopes(texts, GRAPH)
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let a = scopes(&["User.Read", "Mail.Read openid"]).unwrap();
        let b = scopes(&["openid Mail.Read", "User.Read", "User.Read"]).unwrap();
        assert_eq!(a.key(), b.key());
        assert_ne!(a.key(), scopes(&["User.Read"]).unwrap().key());
    }

    #[test]
    fn one_resource_per_token() {
        for fine in [
            &["User.Read", "https://graph.microsoft.com/Mail.Read"][..],
            &["00000003-0000-0000-c000-000000000000/User.Read", "Mail.Read"],
            &["https://host//.default", "offline_access"],
            &["api://11111111-2222-3333-4444-555555555555/read"],
            &["openid", "profile"],
        ] {
            assert!(scopes(fine).is_ok(), "{fine:?}");
        }
        for refused in [
            &["User.Read", "https://manage.office.com/ActivityFeed.Read"][..],
            &["https://a.example/.default", "https://b.example/.default"],
            &["https://graph.microsoft.com/.default", "User.Read"],
            &[" "],
        ] {
            assert!(scopes(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn an_application_asks_for_default_only() {
        assert!(scopes(&["https://graph.microsoft.com/.default"])
            .unwrap()
            .check_app_only()
            .is_ok());
        assert!(scopes(&[".default"]).unwrap().check_app_only().is_ok());
        assert!(
            Target::default_of("https://host/", GRAPH).unwrap().as_scopes().unwrap()[0] == "https://host//.default"
        );
        assert!(scopes(&["User.Read"]).unwrap().check_app_only().is_err());
        assert!(scopes(&["openid"]).unwrap().check_app_only().is_err());
    }

    #[test]
    fn a_scope_is_not_a_resource() {
        assert!(Target::resource("https://graph.microsoft.com/.default").is_err());
        assert!(Target::resource("https://a https://b").is_err());
        assert_ne!(
            Target::resource("https://a").unwrap().key(),
            Target::resource("https://a/").unwrap().key()
        );
    }

    #[test]
    fn what_names_no_resource_is_refused_and_not_repeated() {
        for fine in [
            "https://a",
            "api://x",
            "urn:x:y",
            "00000003-0000-0000-c000-000000000000",
            "00000002-0000-0ff1-ce00-000000000000/host",
        ] {
            assert!(Target::resource(fine).is_ok(), "{fine}");
        }
        let host = Target::resource("graph.microsoft.com").unwrap_err();
        assert!(host.message().contains("'graph.microsoft.com'"), "{host}");
        assert!(host.advice().contains("https://graph.microsoft.com."), "{host}");
        for secret in ["Ewy~kSUOT-TxnzHleHCDwybm+/yrFhV24", "0.AXoAbc-def_ghi"] {
            let message = Target::resource(secret).unwrap_err().message().to_owned();
            assert!(message.contains("characters") && !message.contains(secret), "{message}");
        }
        let token = format!("M.AXoA{}", "x".repeat(400));
        for secret in ["Ewy~kSUOT-TxnzHleHCDwybm+/yrFhV24", "0.AXoAbc-def_ghi", token.as_str()] {
            let message = scopes(&[secret]).unwrap_err().message().to_owned();
            assert!(message.contains("characters") && !message.contains(secret), "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_scopes_are_read_or_refused(texts in proptest::collection::vec(".{0,40}", 0..4)) {
            let _ = Target::scopes(&texts, GRAPH);
            for text in &texts {
                let _ = Target::resource(text);
            }
        }
    }
}
