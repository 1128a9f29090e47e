//! A client that knows a sandbox's facts.
#![allow(dead_code)] // Each test binary uses its own part of this.

use reqwest::{Certificate, Client, Method, Response};
use secureapp_sandbox::{Options, Sandbox};
use serde_json::Value;

pub(crate) struct Cloud {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
}

pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
pub(crate) const MANAGE: &str = "https://manage.office.com";
pub(crate) const PARTNER_CENTER: &str = "https://api.partnercenter.microsoft.com";

/// A whole reply.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The AADSTS or AF code.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        match &json["error"] {
            Value::String(_) => json["error_codes"][0].to_string(),
            error => error["code"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

pub(crate) async fn start(options: Options) -> Cloud {
    let sandbox = Sandbox::start(options).await.unwrap();
    let http = client(&sandbox).build().unwrap();
    Cloud { sandbox, http }
}

pub(crate) fn client(sandbox: &Sandbox) -> reqwest::ClientBuilder {
    Client::builder()
        .tls_built_in_root_certs(false)
        .no_proxy()
        .add_root_certificate(Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap())
}

pub(crate) async fn answer(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        text: response.text().await.unwrap(),
    }
}

impl Cloud {
    pub(crate) fn tenant(&self, at: usize) -> &str {
        &self.sandbox.facts().tenants[at].tenant_id
    }

    pub(crate) fn login(&self, path: &str) -> String {
        format!("{}/{path}", self.sandbox.facts().endpoints.login)
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .map(|(name, value)| {
                let value: String = value
                    .bytes()
                    .map(|b| {
                        if b.is_ascii_alphanumeric() {
                            char::from(b).to_string()
                        } else {
                            format!("%{b:02X}")
                        }
                    })
                    .collect();
                format!("{name}={value}")
            })
            .collect::<Vec<_>>()
            .join("&");
        let request = self
            .http
            .post(self.login(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        answer(request.send().await.unwrap()).await
    }

    /// Redeems the refresh token on the version 1 endpoint.
    pub(crate) async fn redeem(&self, tenant: &str, resource: &str) -> Answer {
        let facts = self.sandbox.facts();
        self.form(
            &format!("{tenant}/oauth2/token"),
            &[
                ("client_id", &facts.application_id),
                ("client_secret", &facts.secret),
                ("grant_type", "refresh_token"),
                ("refresh_token", &facts.refresh_token),
                ("resource", resource),
            ],
        )
        .await
    }

    /// A token of the application itself from the version 2 endpoint.
    pub(crate) async fn app_only(&self, tenant: &str, resource: &str) -> Answer {
        let facts = self.sandbox.facts();
        self.form(
            &format!("{tenant}/oauth2/v2.0/token"),
            &[
                ("client_id", &facts.application_id),
                ("client_secret", &facts.secret),
                ("grant_type", "client_credentials"),
                ("scope", &format!("{resource}/.default")),
            ],
        )
        .await
    }

    pub(crate) async fn token(&self, tenant: &str, resource: &str) -> String {
        let reply = self.redeem(tenant, resource).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn call(&self, method: Method, url: &str, token: &str) -> Answer {
        let request = self.http.request(method, url).bearer_auth(token);
        answer(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, url: &str, token: &str) -> Answer {
        self.call(Method::GET, url, token).await
    }
}
