//! A collection that is read with GET.

use super::explain;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use crate::odata::{Collection, Pages};
use crate::token::TokenRequest;
use url::Url;

pub(super) struct List {
    api: GraphApi,
    what: &'static str,
    permissions: &'static str,
}

/// `what` reads like "the sign-ins"; it needs one of `permissions`.
pub(super) fn pages(api: &GraphApi, what: &'static str, permissions: &'static str, first: Url) -> Pages<List> {
    let list = List {
        api: api.clone(),
        what,
        permissions,
    };
    Pages::new(list, first)
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

    fn request(&self, url: &Url, _page: u32) -> Result<RequestSpec> {
        self.api.asked(RequestSpec::get(url.as_str())?)
    }

    fn refused(&self, reply: &Reply) -> Error {
        explain::refusal(
            reply,
            &format!("list {}", self.what),
            self.permissions,
            self.api.tenant(),
        )
    }

    fn is_repeatable(&self, _page: u32) -> bool {
        true
    }
}
