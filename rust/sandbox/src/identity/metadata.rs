//! What the identity platform says about itself: OpenID configuration, keys, instance discovery.

use serde_json::json;

use crate::random::is_guid;
use crate::reply::{self, Call, Reply};
use crate::world::World;

use super::error::Refusal;
use super::{authority, Authority, Version};

/// `/.well-known/openid-configuration`. A domain is answered with its GUID; that is how a tenant's id is looked up without
/// signing in.
pub(super) fn configuration(world: &World, call: &Call, tenant: &str, version: Version) -> Reply {
    let login = &world.endpoints.login;
    let (id, issuer_id) = match authority(world, tenant) {
        Ok(Authority::Tenant(found)) => (found.id.clone(), found.id.clone()),
        Ok(Authority::AnyOrganization) => (tenant.to_ascii_lowercase(), "{tenantid}".to_owned()),
        Ok(Authority::Consumers) => (
            "consumers".to_owned(),
            "9188040d-6c67-4c5b-b112-36a304b66dad".to_owned(),
        ),
        Err(refusal) => return refusal.reply(world, call),
    };
    let (issuer, oauth) = match version {
        Version::V1 => (
            format!("https://sts.windows.net/{issuer_id}/"),
            format!("{login}/{id}/oauth2"),
        ),
        Version::V2 => (format!("{login}/{issuer_id}/v2.0"), format!("{login}/{id}/oauth2/v2.0")),
    };
    let keys = match version {
        Version::V1 => format!("{login}/{id}/discovery/keys"),
        Version::V2 => format!("{login}/{id}/discovery/v2.0/keys"),
    };
    let body = json!({
        "token_endpoint": format!("{oauth}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": keys,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{}/oidc/userinfo", world.endpoints.graph),
        "authorization_endpoint": format!("{oauth}/authorize"),
        "device_authorization_endpoint": format!("{oauth}/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{oauth}/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver",
            "at_hash", "c_hash", "email"],
        "tenant_region_scope": if is_guid(&id) { json!("EU") } else { json!(null) },
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    });
    cross_origin(reply::json(200, &body))
}

/// `/discovery/v2.0/keys`.
pub(super) fn keys(world: &World, call: &Call, tenant: &str) -> Reply {
    match authority(world, tenant) {
        Ok(_) => cross_origin(reply::json(
            200,
            &world
                .signer
                .key_set(&format!("{}/{{tenantid}}/v2.0", world.endpoints.login)),
        )),
        Err(refusal) => refusal.reply(world, call),
    }
}

/// `/common/discovery/instance`: which hosts are one cloud. The sandbox knows itself and the public cloud.
pub(super) fn instance(world: &World, call: &Call) -> Reply {
    let asked = call.parameter("authorization_endpoint").unwrap_or_default();
    let host = url::Url::parse(&asked).ok().and_then(|url| {
        let host = url.host_str()?.to_owned();
        Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    });
    let own = world.endpoints.login.trim_start_matches("https://");
    let public = [
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
    ];
    match host {
        Some(host) if host == own || public.contains(&host.as_str()) => {
            let tenant = url::Url::parse(&asked)
                .ok()
                .and_then(|url| url.path_segments()?.next().map(str::to_owned))
                .unwrap_or_else(|| "common".to_owned());
            cross_origin(reply::json(
                200,
                &json!({
                    "tenant_discovery_endpoint":
                        format!("{}/{tenant}/v2.0/.well-known/openid-configuration", world.endpoints.login),
                    "api-version": "1.1",
                    "metadata": [
                        {"preferred_network": own, "preferred_cache": own, "aliases": [own]},
                        {"preferred_network": public[0], "preferred_cache": public[1], "aliases": public},
                    ],
                }),
            ))
        }
        _ => Refusal::new(50049, "invalid_instance", "Unknown or invalid instance.").reply(world, call),
    }
}

fn cross_origin(mut reply: Reply) -> Reply {
    reply::set(&mut reply, http::header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    reply::set(&mut reply, http::header::CACHE_CONTROL, "max-age=86400, private");
    reply
}
