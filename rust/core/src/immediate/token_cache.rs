//! `token_cache.list` and `token_cache.clear`: which tokens there are, and forgetting them. No token is in an answer.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::tenant::{self, TenantId};
use crate::token::Filter;
use crate::value::Value;

/// The tokens that are meant, by cloud, tenant and what they are for.
pub(super) fn list(engine: &Engine, request: &Request) -> Result<Value> {
    let mut held = engine.tokens().held(&filter(engine, request)?)?;
    let environments = engine.environments().list();
    let name = |instance: u64| {
        let found = environments
            .iter()
            .find(|environment| environment.instance() == instance);
        found.map(|environment| environment.name())
    };
    held.sort_by_cached_key(|held| {
        let token = &held.token;
        (
            name(held.environment),
            token.tenant().as_str().to_owned(),
            token.target().title().to_owned(),
            held.number,
        )
    });
    let records = held.iter().map(|held| {
        let token = &held.token;
        Value::map()
            .with("number", i64::try_from(held.number).unwrap_or(i64::MAX))
            .with("environment", name(held.environment))
            .with("tenantId", token.known_tenant().map(TenantId::as_str))
            .with("applicationId", token.application_id())
            .with("account", token.account())
            .with("resource", token.target().as_resource())
            .with("scopes", token.target().as_scopes().map(<[String]>::to_vec))
            .with("grant", held.grant)
            .with("expiresOn", Value::Time(token.expires_on()))
    });
    Ok(Value::List(records.collect()))
}

/// Forgets the tokens that are meant; how many there were.
pub(super) fn clear(engine: &Engine, request: &Request) -> Result<Value> {
    let forgotten = engine.tokens().forget(&filter(engine, request)?)?;
    Ok(Value::I64(i64::try_from(forgotten).unwrap_or(i64::MAX)))
}

/// `number`, `environment`, `applicationId`, `tenants`; what is absent does not matter.
fn filter(engine: &Engine, request: &Request) -> Result<Filter> {
    request.only(&["number", "environment", "applicationId", "tenants"])?;
    let environment = match request.opt_text("environment")? {
        Some(name) => Some(engine.environments().find(name)?.instance()),
        None => None,
    };
    let application_id = match request.opt_text("applicationId")?.map(str::trim) {
        Some(id) if tenant::parse_guid(id).is_some() => Some(id.to_ascii_lowercase()),
        Some(id) => {
            return Err(Error::invalid(format!("'{id}' is not an application id"))
                .advise("Give the Application (client) ID, a GUID, from the app registration's overview page."))
        }
        None => None,
    };
    Ok(Filter {
        number: match request.opt_int("number")? {
            Some(number) => Some(u64::try_from(number).map_err(|_| Error::invalid("the number is negative"))?),
            None => None,
        },
        environment,
        application_id,
        tenants: request
            .texts("tenants")?
            .iter()
            .map(|text| TenantId::parse(text))
            .collect::<Result<_>>()?,
    })
}
