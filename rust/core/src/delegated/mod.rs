//! The customers that a partner administers: read from three lists, merged into one, and tried.
//!
//! No list alone is whole. Partner Center knows the customers with a reseller contract, Graph's `contracts` the same from
//! the directory's side, and Graph's `delegatedAdminCustomers` those that granted delegated administration, contract or not.

pub(crate) mod access;
pub(crate) mod explain;
pub(crate) mod filter;
pub(crate) mod graph;
pub(crate) mod initial_domain;
pub(crate) mod kept;
pub(crate) mod merge;
pub(crate) mod paging;
pub(crate) mod partner_center;
pub(crate) mod read;
pub(crate) mod relationship;
pub(crate) mod roles;

use crate::credential::Credential;
use crate::error::{Error, Kind, Result};
use crate::tenant::TenantId;

/// One of the three lists. The order is the order of trust: the first that names a customer gives its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    PartnerCenter,
    Contracts,
    DelegatedAdminCustomers,
}

impl Source {
    pub(crate) const ALL: [Source; 3] = [
        Source::PartnerCenter,
        Source::Contracts,
        Source::DelegatedAdminCustomers,
    ];

    /// The name in a record's `sources`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::PartnerCenter => "PartnerCenter",
            Source::Contracts => "Contracts",
            Source::DelegatedAdminCustomers => "DelegatedAdminCustomers",
        }
    }

    /// The list as a sentence names it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Source::PartnerCenter => "Partner Center's customers",
            Source::Contracts => "Microsoft Graph's contracts",
            Source::DelegatedAdminCustomers => "Microsoft Graph's delegatedAdminCustomers",
        }
    }

    /// What reading the list takes, as Microsoft's reference for each of them says.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Source::PartnerCenter => {
                "the permission user_impersonation of Microsoft Partner Center, and an account in the Admin agents group"
            }
            Source::Contracts => "the Microsoft Graph permission Directory.Read.All",
            Source::DelegatedAdminCustomers => {
                "the Microsoft Graph permission DelegatedAdminRelationship.Read.All"
            }
        }
    }

    /// Reads one page of the list.
    fn parse(self, body: &[u8]) -> Result<Page> {
        match self {
            Source::PartnerCenter => partner_center::parse(body),
            Source::Contracts => graph::parse_contracts(body),
            Source::DelegatedAdminCustomers => graph::parse_delegated_admin_customers(body),
        }
    }
}

/// The partner's own tenant, where its lists are asked for.
pub(crate) fn partner_tenant(credential: &Credential) -> Result<TenantId> {
    match credential.home_tenant() {
        Some(tenant) => Ok(tenant.clone()),
        // A user's token is then the home tenant's.
        None if credential.has_refresh_token() => TenantId::parse("organizations"),
        None => Err(Error::invalid("it is not known which tenant is the partner's own")
            .advise("Make the credential with -TenantId: an application without a user has to be told its tenant.")),
    }
}

/// One customer as one list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Lower-case GUID with hyphens.
    pub(crate) tenant_id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) domain: Option<String>,
    /// The list's own word for the relationship (`reseller`, `ResellerPartner`).
    pub(crate) relationship: Option<String>,
}

/// One page of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Row>,
    /// Rows without a usable tenant id.
    pub(crate) invalid: usize,
    pub(crate) next: Option<Next>,
}

/// Where a page says that the next one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) link: String,
    /// Partner Center's `MS-ContinuationToken`, to be sent as a header.
    pub(crate) continuation: Option<String>,
}

/// Reads a page's JSON; `list` names the array with the rows. Partner Center begins its replies with a byte order mark.
fn parse_page(
    source: Source,
    body: &[u8],
    list: &str,
    row: impl Fn(&serde_json::Value) -> Option<Row>,
    next: impl Fn(&serde_json::Value) -> Option<Next>,
) -> Result<Page> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let tree: serde_json::Value = serde_json::from_slice(body).map_err(|cause| {
        let reason = match body.trim_ascii_start().first() {
            Some(b'<') => "a web page instead of JSON",
            Some(_) if cause.is_eof() => "JSON that ends too early",
            Some(_) => "something that is not JSON",
            None => "nothing",
        };
        unreadable(source, reason)
    })?;
    let rows = tree
        .get(list)
        .and_then(serde_json::Value::as_array)
        .ok_or_else(|| unreadable(source, &format!("JSON without the list '{list}'")))?;
    let mut page = Page {
        next: next(&tree),
        ..Page::default()
    };
    for item in rows {
        match row(item) {
            Some(row) => page.rows.push(row),
            None => page.invalid += 1,
        }
    }
    Ok(page)
}

#[cold]
fn unreadable(source: Source, what: &str) -> Error {
    Error::new(Kind::Protocol, format!("{} answered with {what}", source.title())).advise(
        "Try again; if it happens again, check whether a proxy between here and the service changes its replies.",
    )
}

/// A text field that says something.
fn text(item: &serde_json::Value, key: &str) -> Option<String> {
    let text = item.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The lower-case form with hyphens of a GUID; `None` for anything else, and for the GUID of zeros.
pub(crate) fn guid(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(text);
    let right_shape = text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    let zeros = text.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    (right_shape && !zeros).then(|| text.to_ascii_lowercase())
}
