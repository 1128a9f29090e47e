//! Rows on their way out: a reply has so many, and names the address of the next.

use std::collections::VecDeque;

use serde_json::{json, Value};

use crate::clock::iso_seconds;
use crate::estate::Tenant;
use crate::feed::events::{Event, Texts};
use crate::record_types;
use crate::reply::{self, Reply};
use crate::world::{lock, World};

use super::error::ExchangeError;
use super::settings::Metadata;
use super::Output;

/// Pages that are kept for whoever comes for them; the oldest go first.
const KEPT: usize = 256;

#[derive(Clone)]
pub(super) enum Row {
    Plain(Value),
    Audit(AuditRow),
}

/// A row of a search, as little of it as says the rest.
#[derive(Clone)]
pub(super) struct AuditRow {
    pub(super) event: Event,
    /// From 1, in the session.
    pub(super) index: usize,
    pub(super) count: f64,
    /// In which form it says whether there is more, where it does.
    pub(super) metadata: Option<(Metadata, bool)>,
    /// Its record ends before its end.
    pub(super) is_cut: bool,
}

/// One reply's rows, and what follows them.
pub(super) struct Page {
    rows: Vec<Row>,
    warnings: Vec<String>,
    confirmation: Option<String>,
    next: Option<String>,
}

/// Rows that nobody has come for yet, by their token.
#[derive(Default)]
pub(super) struct Pages(VecDeque<(String, String, Vec<Row>)>);

impl Page {
    pub(super) fn first(world: &World, tenant: &Tenant, output: Output) -> Self {
        Page {
            warnings: output.warnings,
            confirmation: output.confirmation,
            ..cut(world, tenant, output.rows)
        }
    }

    pub(super) fn reply(self, world: &World, tenant: &Tenant) -> Reply {
        let texts = Texts::new(world, tenant);
        let outlook = &world.endpoints.outlook;
        let address = format!("{outlook}/adminapi/beta/{}", tenant.id);
        let rows: Vec<Value> = self.rows.iter().map(|row| row.json(&texts)).collect();
        let mut body = json!({
            "@odata.context": format!("{address}/$metadata#Collection(Exchange.GenericHashTable)"),
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": self.warnings,
            "value": rows,
        });
        if let Some(question) = self.confirmation {
            body["@adminapi.confirmationmessage"] = question.into();
        }
        if let Some(token) = self.next {
            body["@odata.nextLink"] = format!("{address}/InvokeCommand?$skiptoken={token}").into();
        }
        let mut reply = reply::json(200, &body);
        reply::set(
            &mut reply,
            http::header::CONTENT_TYPE,
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
        );
        reply
    }
}

/// The page that a token stands for. It can be asked for again, as a client does whose connection broke.
pub(super) fn next(world: &World, tenant: &Tenant, token: &str) -> Result<Page, ExchangeError> {
    let rows = {
        let pages = lock(&world.exchange.pages);
        let found = pages
            .0
            .iter()
            .find(|(known, owner, _)| known == token && *owner == tenant.id);
        found.map(|(_, _, rows)| rows.clone())
    };
    rows.map(|rows| cut(world, tenant, rows))
        .ok_or_else(|| ExchangeError::bad("The continuation token is invalid or has expired."))
}

fn cut(world: &World, tenant: &Tenant, mut rows: Vec<Row>) -> Page {
    let size = world.exchange.settings().page_size;
    let rest = if rows.len() > size {
        rows.split_off(size)
    } else {
        Vec::new()
    };
    let next = (!rest.is_empty()).then(|| {
        let token = world.random().text(24);
        let mut pages = lock(&world.exchange.pages);
        pages.0.push_back((token.clone(), tenant.id.clone(), rest));
        if pages.0.len() > KEPT {
            pages.0.pop_front();
        }
        token
    });
    Page {
        rows,
        warnings: Vec::new(),
        confirmation: None,
        next,
    }
}

impl Row {
    fn json(&self, texts: &Texts<'_>) -> Value {
        match self {
            Row::Plain(row) => row.clone(),
            Row::Audit(row) => row.json(texts),
        }
    }
}

impl AuditRow {
    fn json(&self, texts: &Texts<'_>) -> Value {
        let text = String::from_utf8_lossy(&texts.json(&self.event)).into_owned();
        let record: Value = serde_json::from_str(&text).unwrap_or_default();
        let mut kept = if self.is_cut { text.len() / 2 } else { text.len() };
        while !text.is_char_boundary(kept) {
            kept -= 1;
        }
        let mut row = json!({
            "RecordType": record_types::name(self.event.kind.into()),
            "CreationDate@data.type": "System.DateTime",
            "CreationDate": format!("{}.0000000+00:00", iso_seconds(self.event.at)),
            "UserIds": record["UserId"],
            "Operations": record["Operation"],
            "AuditData": text.get(..kept),
            "ResultIndex@data.type": "System.Int32",
            "ResultIndex": self.index,
            "ResultCount@data.type": "System.Int32",
            "ResultCount": number(self.count),
            "Identity": record["Id"],
            "IsValid": true,
            "ObjectState": "Unchanged",
        });
        if let Some((form, more)) = self.metadata {
            row["AuditSearchRequestMetadata"] = match form {
                Metadata::Object => json!({"moreRecordsAvailable": more}),
                Metadata::Text => json!({"moreRecordsAvailable": more}).to_string().into(),
                Metadata::Pascal => json!({"MoreRecordsAvailable": more}),
            };
        }
        row
    }
}

/// Without a fraction where it has none.
fn number(count: f64) -> Value {
    match count.fract() == 0.0 {
        true => json!(count as u64),
        false => json!(count),
    }
}
