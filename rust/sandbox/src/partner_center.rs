//! Partner Center's REST API: the list of customers, and consent on their behalf.
//!
//! Sources: Partner Center developer documentation ("Get a list of customers", "Partner Center REST headers", "Partner
//! Center REST error codes", "Enable the Secure Application Model framework").

mod consents;

use http::{HeaderName, Method};
use serde_json::{json, Value};

use crate::access::Access;
use crate::estate::Tenant;
use crate::reply::{self, Call, Reply};
use crate::resource::Resource;
use crate::world::World;

const LARGEST_PAGE: usize = 500;

pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    let request_id = call
        .header("ms-requestid")
        .map_or_else(|| world.random().guid(), str::to_owned);
    let correlation_id = call
        .header("ms-correlationid")
        .map_or_else(|| world.random().guid(), str::to_owned);
    let mut reply = answer(world, call).unwrap_or_else(|refused| *refused);
    reply::set(&mut reply, HeaderName::from_static("ms-requestid"), &request_id);
    reply::set(&mut reply, HeaderName::from_static("ms-correlationid"), &correlation_id);
    reply
}

fn answer(world: &World, call: &Call) -> Result<Reply, Box<Reply>> {
    let access = call
        .bearer()
        .and_then(|token| world.tokens.access(token))
        .filter(|access| access.resource == Resource::PartnerCenter && access.expires_on > world.clock.now())
        .ok_or_else(|| {
            let mut reply = refusal(401, "900408", "Invalid or expired token.");
            reply::set(
                &mut reply,
                http::header::WWW_AUTHENTICATE,
                "OAuth realm=urn:cpsvc:cpid:sandbox",
            );
            reply
        })?;
    if !world.estate.is_partners_own(&access.tenant_id) {
        return Err(Box::new(refusal(
            403,
            "600030",
            "The account is not a partner: the token is not of a partner's tenant.",
        )));
    }
    let validates = call
        .header("validatemfa")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let compliant = access.user.as_ref().is_none_or(|user| user.mfa);
    if !compliant {
        return Err(Box::new(stamped(
            refusal(401, "900421", "MFA required."),
            validates,
            compliant,
        )));
    }
    let path = call.path.trim_end_matches('/');
    let reply = match path.strip_prefix("/v1/customers") {
        Some("") if call.method == Method::GET => customers(world, call, &access)?,
        Some(rest) if rest.to_ascii_lowercase().contains("/applicationconsents") => {
            let mut parts = rest.split('/').skip(1);
            let (customer, _, application) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            consents::serve(world, call, &access, customer, application)?
        }
        Some(rest) if call.method == Method::GET => {
            let id = rest.trim_start_matches('/');
            let mut customers = world.estate.customers_of(&access.tenant_id);
            match customers.find(|tenant| tenant.reseller && tenant.id.eq_ignore_ascii_case(id)) {
                Some(tenant) => reply::json(200, &customer(tenant)),
                None => refusal(404, "600009", "The customer was not found."),
            }
        }
        _ => refusal(404, "404", "The resource was not found."),
    };
    Ok(stamped(reply, validates, compliant))
}

fn customers(world: &World, call: &Call, access: &Access) -> Result<Reply, Box<Reply>> {
    if access.user.is_some() && !access.has_scope("user_impersonation") {
        return Err(Box::new(refusal(403, "600030", "The token lacks user_impersonation.")));
    }
    let customers = world.estate.customers_of(&access.tenant_id);
    let all: Vec<&Tenant> = customers.filter(|tenant| tenant.reseller).collect();
    let bad = |text: &str| Box::new(refusal(400, "2000", text));
    let size = match call.parameter("size").filter(|text| !text.is_empty()) {
        None => LARGEST_PAGE,
        Some(text) => match text.parse() {
            Ok(size @ 1..=LARGEST_PAGE) => size,
            _ => return Err(bad("The size is not a number from 1 to 500.")),
        },
    };
    let size = world.options.list_page_size.map_or(size, |most| size.min(most.max(1)));
    let from = match call.parameter("seekOperation") {
        None => 0,
        Some(seek) if seek.eq_ignore_ascii_case("next") => call
            .header("ms-continuationtoken")
            .and_then(read_token)
            .filter(|from| *from < all.len())
            .ok_or_else(|| bad("The MS-ContinuationToken header is missing or invalid."))?,
        Some(_) => return Err(bad("The seekOperation is not supported.")),
    };
    let until = all.len().min(from + size);
    let link = |uri: String, headers: Value| json!({"uri": uri, "method": "GET", "headers": headers});
    let mut links = json!({"self": link(format!("/customers?size={size}"), json!([]))});
    if until < all.len() {
        links["next"] = link(
            format!("/customers?size={size}&seekOperation=Next"),
            json!([{"key": "MS-ContinuationToken", "value": write_token(until)}]),
        );
    }
    let items: Vec<Value> = all[from..until].iter().map(|tenant| customer(tenant)).collect();
    let body = json!({
        "totalCount": items.len(),
        "items": items,
        "links": links,
        "attributes": {"objectType": "Collection"},
    });
    Ok(reply::json(200, &body))
}

fn customer(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "companyProfile": {
            "tenantId": tenant.id,
            "domain": tenant.default_domain,
            "companyName": tenant.display_name,
            "attributes": {"objectType": "CustomerCompanyProfile"},
        },
        "relationshipToPartner": "reseller",
        "attributes": {"objectType": "Customer"},
    })
}

fn write_token(from: usize) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("sandbox:{from}"))
}

fn read_token(text: &str) -> Option<usize> {
    use base64::Engine;
    let plain = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()?;
    plain.strip_prefix("sandbox:")?.parse().ok()
}

fn stamped(mut reply: Reply, validates: bool, compliant: bool) -> Reply {
    if validates {
        let value = if compliant { "true" } else { "false" };
        reply::set(&mut reply, HeaderName::from_static("ismfacompliant"), value);
    }
    reply
}

fn refusal(status: u16, code: &str, description: &str) -> Reply {
    reply::json(
        status,
        &json!({"code": code, "description": description, "data": [], "source": "PartnerFD"}),
    )
}
