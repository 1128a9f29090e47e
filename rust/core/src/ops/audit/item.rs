//! One item of an operation's input: a tenant.

use crate::error::Result;
use crate::request::Request;
use crate::tenant::TenantId;
use crate::value::Value;

/// An item, read as far as it could be.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) number: i64,
    pub(crate) tenant: String,
    pub(crate) display_name: String,
}

impl Item {
    pub(crate) fn read(request: &Request) -> Self {
        let text = |key| request.opt_text(key).ok().flatten().unwrap_or_default().to_owned();
        Item {
            number: request.opt_int("item").ok().flatten().unwrap_or_default(),
            tenant: text("tenant"),
            display_name: text("displayName"),
        }
    }

    /// The tenant that an item's request names.
    pub(crate) fn tenant_of(request: &Request) -> Result<TenantId> {
        request.only(&["item", "tenant", "displayName"])?;
        TenantId::parse(request.text("tenant")?)
    }

    /// How a person knows the tenant.
    pub(crate) fn title(&self) -> &str {
        if self.display_name.is_empty() {
            &self.tenant
        } else {
            &self.display_name
        }
    }

    /// The map that names the item in a failure.
    pub(crate) fn target(&self) -> Value {
        Value::map()
            .with("item", self.number)
            .with("tenant", self.tenant.as_str())
    }
}
