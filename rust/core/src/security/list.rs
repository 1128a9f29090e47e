//! A collection of Graph's security API.

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use crate::odata::{Collection, Pages};
use crate::token::TokenRequest;
use reqwest::header::HeaderName;

pub(super) struct List {
    api: GraphApi,
    what: &'static str,
    permission: &'static str,
}

/// `what` reads like "security alerts"; the application needs `permission`. `path` is below `v1.0/security`.
pub(super) fn pages(
    api: &GraphApi,
    what: &'static str,
    permission: &'static str,
    path: &str,
    query: &[(&str, &str)],
) -> Result<Pages<List>> {
    let first = api.address(&format!("v1.0/security/{path}"), query)?;
    let api = api.clone();
    Ok(Pages::new(List { api, what, permission }, first))
}

impl Collection for List {
    fn engine(&self) -> &Engine {
        self.api.engine()
    }

    fn token(&self) -> &TokenRequest {
        self.api.token()
    }

    fn name(&self) -> String {
        format!("the list of {}", self.what)
    }

    fn request(&self, url: &url::Url, _page: u32) -> Result<RequestSpec> {
        // Without it, members that an enumeration has got since it was published come as unknownFutureValue.
        let prefer = HeaderName::from_static("prefer");
        let spec = RequestSpec::get(url.as_str())?.header(prefer, "include-unknown-enum-members")?;
        self.api.asked(spec)
    }

    fn refused(&self, reply: &Reply) -> Error {
        let action = format!("list {}", self.what);
        let error = self.api.refused(reply, &action, self.permission);
        if error.kind() != Kind::Denied {
            return error;
        }
        if String::from_utf8_lossy(reply.bytes()).contains("not provisioned") {
            return error.with_id("NoDefender").advise(
                "Microsoft Defender is not set up in this tenant: it is with the first visit to security.microsoft.com, and a licence \
                 for any of its products. Leave the tenant out until then.",
            );
        }
        let advice = error.advice().to_owned();
        error.advise(format!(
            "{advice} A signed-in user also needs a role there that reads security data, such as Security Reader."
        ))
    }

    fn is_repeatable(&self, _page: u32) -> bool {
        true
    }
}
