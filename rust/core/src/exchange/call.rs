//! One run of a cmdlet: its reply, and the pages that follow it.

use super::{explain, AdminApi};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::http::{random_id, Reply, RequestSpec, Retry};
use crate::odata::Collection;
use crate::token::TokenRequest;
use reqwest::header::HeaderName;
use std::borrow::Cow;
use url::Url;
use zeroize::Zeroizing;

pub(super) const PATIENCE: Retry = Retry::PATIENT;

pub(crate) struct Call {
    pub(super) api: AdminApi,
    pub(super) cmdlet: Cow<'static, str>,
    /// Its first page may be asked for twice.
    pub(super) repeatable: bool,
    /// It may change something, and then it may have nothing to say.
    pub(super) changes: bool,
    pub(super) body: Vec<u8>,
}

impl Collection for Call {
    fn engine(&self) -> &Engine {
        &self.api.engine
    }

    fn token(&self) -> &TokenRequest {
        &self.api.token
    }

    fn name(&self) -> String {
        format!("the answer to {}", self.cmdlet)
    }

    /// A further page takes the same body again.
    fn request(&self, url: &Url, page: u32) -> Result<RequestSpec> {
        let name = HeaderName::from_static;
        Ok(RequestSpec::post(url.as_str())?
            .json(Zeroizing::new(self.body.clone()))
            .header(name("x-anchormailbox"), &self.api.anchor(&self.cmdlet))?
            .header(name("prefer"), "odata.maxpagesize=1000")?
            .header(name("x-cmdletname"), &self.cmdlet)?
            .header(name("x-responseformat"), "json")?
            .header(name("client-request-id"), &random_id()?)?
            .repeatable(self.is_repeatable(page))
            .retry(self.api.retry.clone())
            .pace(self.api.pace.as_ref()))
    }

    fn refused(&self, reply: &Reply) -> Error {
        explain::refusal(reply, &self.cmdlet, &self.api.tenant)
    }

    /// A cmdlet may change something, and a search's session goes on with every call.
    fn is_repeatable(&self, page: u32) -> bool {
        page > 0 || self.repeatable
    }

    fn may_have_no_list(&self) -> bool {
        self.changes
    }
}
