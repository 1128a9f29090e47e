//! A managed identity's token: an application's own, of the machine's tenant.

use std::sync::atomic::Ordering;

use serde_json::{json, Value};

use crate::access::Access;
use crate::clock;
use crate::resource::Resource;
use crate::world::{lock, World};

use super::identity::Identity;
use super::settings::ExpiresOn;
use super::EXCHANGE_AUDIENCE;

/// A token that a platform has, and hands out until it ends.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) access_token: String,
    resource: String,
    client_id: String,
    not_before: i64,
    expires_on: i64,
}

/// A platform asks for a new token when the old one has less than this left.
const FRESH_ENOUGH: i64 = 300;

/// A token for `resource`, the one from before while it lasts; None where the tenant has no such API.
pub(super) fn issue(world: &World, identity: &Identity, resource: &str) -> Option<Issued> {
    let key = (identity.client_id.clone(), resource.to_owned());
    let now = world.clock.now();
    let known = lock(&world.platform.issued).get(&key).cloned();
    if let Some(known) = known.filter(|known| known.expires_on - now > FRESH_ENOUGH) {
        return Some(known);
    }
    let life = i64::from(world.application.state.token_lifetime_seconds.load(Ordering::Relaxed));
    let (not_before, expires_on) = (now - 300, now + life);
    let tenant = &world.estate.partner.id;
    let exchange = resource.trim_end_matches('/') == EXCHANGE_AUDIENCE;
    let issuer = if exchange {
        format!("{}/{tenant}/v2.0", world.endpoints.login)
    } else {
        format!("https://sts.windows.net/{tenant}/")
    };
    let found = Resource::find(resource, &world.application.id, &world.endpoints);
    let roles = match found {
        Some(found) => world.application.roles(found),
        None if exchange => Vec::new(),
        None => return None,
    };
    let claims = json!({
        "aud": resource, "iss": issuer, "iat": not_before, "nbf": not_before, "exp": expires_on,
        "appid": identity.client_id, "appidacr": "2", "idtyp": "app", "oid": identity.object_id, "sub": identity.object_id,
        "roles": roles, "tid": tenant, "uti": world.random().text(22), "ver": if exchange { "2.0" } else { "1.0" },
        "xms_mirid": identity.resource_id,
    });
    let signed = if exchange {
        // The token endpoint verifies this one.
        world.signer.sign_rsa(&claims.to_string(), true)
    } else {
        world.signer.sign(&claims.to_string(), true)
    };
    let access_token = signed.ok()?;
    if let Some(resource) = found {
        let access = Access {
            resource,
            tenant_id: tenant.clone(),
            application_id: identity.client_id.clone(),
            user: None,
            scopes: Vec::new(),
            roles,
            expires_on,
        };
        world.tokens.add_access(&access_token, access, now);
    }
    let issued = Issued {
        access_token,
        resource: resource.to_owned(),
        client_id: identity.client_id.clone(),
        not_before,
        expires_on,
    };
    lock(&world.platform.issued).insert(key, issued.clone());
    Some(issued)
}

impl Issued {
    /// What the virtual machines' endpoint answers: every value is a string.
    pub(super) fn body(&self, world: &World) -> Value {
        json!({
            "access_token": self.access_token,
            "client_id": self.client_id,
            "expires_in": (self.expires_on - world.clock.now()).max(0).to_string(),
            "expires_on": self.end(world),
            "ext_expires_in": (self.expires_on - world.clock.now()).max(0).to_string(),
            "not_before": self.not_before.to_string(),
            "resource": self.resource,
            "token_type": "Bearer",
            "refresh_token": "",
        })
    }

    /// What the others answer: when it ends, but not how long that is.
    pub(super) fn short_body(&self, world: &World) -> Value {
        json!({
            "access_token": self.access_token,
            "expires_on": self.end(world),
            "resource": self.resource,
            "token_type": "Bearer",
            "client_id": self.client_id,
        })
    }

    fn end(&self, world: &World) -> String {
        let iso = clock::iso_seconds(self.expires_on);
        match world.platform.settings.expires_on() {
            ExpiresOn::Epoch => self.expires_on.to_string(),
            ExpiresOn::Iso => format!("{iso}+00:00"),
            ExpiresOn::Date => american(&iso),
        }
    }
}

/// `2026-01-31T22:00:00` as `1/31/2026 10:00:00 PM +00:00`.
fn american(iso: &str) -> String {
    let number = |from: usize, to: usize| {
        iso.get(from..to)
            .and_then(|digits| digits.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let (hour, rest) = (number(11, 13), iso.get(13..).unwrap_or_default());
    format!(
        "{}/{}/{} {}{rest} {} +00:00",
        number(5, 7),
        number(8, 10),
        number(0, 4),
        if hour % 12 == 0 { 12 } else { hour % 12 },
        if hour < 12 { "AM" } else { "PM" },
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn writes_a_date_as_the_old_app_service_did() {
        assert_eq!(super::american("2026-01-31T22:05:00"), "1/31/2026 10:05:00 PM +00:00");
        assert_eq!(super::american("2026-11-02T00:00:09"), "11/2/2026 12:00:09 AM +00:00");
    }
}
