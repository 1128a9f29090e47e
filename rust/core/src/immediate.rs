//! Calls that answer at once and send nothing.

mod token_cache;

use crate::consent::Wanted;
use crate::engine::Engine;
use crate::environment::Definition;
use crate::error::{Error, Result};
use crate::json;
use crate::jwt;
use crate::request::Request;
use crate::value::Value;

/// Answers `consent.wanted`, `environment.add`, `environment.remove`, `environment.list`, `environment.get`, `store.due`, `store.document`,
/// `store.written`, `token.read`, `token_cache.list`, `token_cache.clear` or `json.read`.
pub fn immediate(engine: &Engine, request: &Request) -> Result<Value> {
    match request.kind() {
        // Which permissions a `consents` operation with these fields would grant.
        "consent.wanted" => {
            request.only(&[&["environment"][..], &Wanted::FIELDS].concat())?;
            let environment = engine
                .environments()
                .find(request.opt_text("environment")?.unwrap_or_default())?;
            let wanted = Wanted::read(&environment, request)?;
            let shown = wanted.into_iter().map(|wanted| {
                Value::map()
                    .with("resource", wanted.api.name)
                    .with("scopes", wanted.scopes)
            });
            Ok(Value::List(shown.collect()))
        }
        "environment.add" => {
            let definition = Definition::from_request(request)?;
            Ok(engine
                .environments()
                .add(definition, request.flag("force")?)?
                .to_value())
        }
        "environment.remove" => {
            request.only(&["name"])?;
            engine
                .environments()
                .remove(request.text("name")?)
                .map(|()| Value::Null)
        }
        "environment.list" => {
            request.only(&[])?;
            Ok(Value::List(
                engine
                    .environments()
                    .list()
                    .iter()
                    .map(|environment| environment.to_value())
                    .collect(),
            ))
        }
        "environment.get" => {
            request.only(&["name"])?;
            engine
                .environments()
                .find(request.text("name")?)
                .map(|environment| environment.to_value())
        }
        "store.due" => {
            request.only(&[])?;
            let writes = engine.stores().host_writes().into_iter().map(|write| {
                Value::map()
                    .with("id", write.id)
                    .with("store", write.store)
                    .with("name", write.name)
            });
            Ok(Value::List(writes.collect()))
        }
        // `stored` is what the host's store holds now; without it, nothing.
        "store.document" => {
            request.only(&["id", "stored"])?;
            let document = engine
                .stores()
                .host_document(request.int("id")?, request.opt_secret("stored")?)?;
            Ok(document.map_or(Value::Null, Value::Hidden))
        }
        "store.written" => {
            request.only(&["id", "well"])?;
            engine.stores().host_wrote(request.int("id")?, request.flag("well")?);
            Ok(Value::Null)
        }
        "token.read" => {
            request.only(&["token"])?;
            let token = request
                .opt_secret("token")?
                .ok_or_else(|| Error::invalid("'token.read' needs a field 'token'"))?;
            let claims = jwt::claims(token.expose())?;
            let times = jwt::times(&claims)
                .into_iter()
                .fold(Value::map(), |times, (name, millis)| {
                    times.with(name, Value::Time(millis))
                });
            let claims = serde_json::Value::Object(claims).to_string();
            Ok(Value::map().with("claims", json::parse(&claims)?).with("times", times))
        }
        "token_cache.list" => token_cache::list(engine, request),
        "token_cache.clear" => token_cache::clear(engine, request),
        "json.read" => {
            request.only(&["text"])?;
            match request.opt_text("text") {
                Ok(Some(text)) => json::parse(text),
                // The text may hold secrets, and its caller may have said so.
                _ => match request.opt_secret("text")? {
                    Some(text) => json::parse(text.expose()),
                    None => Err(Error::invalid("'json.read' needs a field 'text'")),
                },
            }
        }
        other => Err(Error::invalid(format!("there is no call '{other}'"))),
    }
}
