//! The pages that a person sees: plain forms without scripts, readable by a screen reader. Only the page that carries a
//! `form_post` answer sends itself, as the service's does; it has a button for browsers that run no scripts.

use crate::reply::{self, Reply};

use super::error::Refusal;

/// A form that a user signs in with.
pub(super) struct SignInForm<'a> {
    pub(super) title: &'a str,
    /// Above the fields: what the sign-in is for.
    pub(super) purpose: String,
    pub(super) action: String,
    /// Sent back unchanged.
    pub(super) hidden: Vec<(&'a str, String)>,
    /// A field before the others: its name, label and value.
    pub(super) first: Option<(&'a str, &'a str, String)>,
    pub(super) user: String,
    /// What is consented to by going on; nothing where consent is not asked for.
    pub(super) permissions: Vec<String>,
    pub(super) trouble: Option<String>,
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#f2f2f2;margin:0}\
main{background:#fff;max-width:27rem;margin:4rem auto;padding:2rem}\
label{display:block;margin-top:1rem}input:not([type=checkbox]){width:100%;box-sizing:border-box;font:inherit;padding:.4rem}\
fieldset{margin-top:1rem}fieldset label{display:inline}button{font:inherit;padding:.5rem 1rem;margin:1.5rem .5rem 0 0}\
[role=alert]{color:#a4262c}";

impl SignInForm<'_> {
    pub(super) fn reply(&self, status: u16) -> Reply {
        let mut body = format!("<h1>{}</h1><p>{}</p>", escape(self.title), escape(&self.purpose));
        if let Some(trouble) = &self.trouble {
            body.push_str(&format!("<p role=\"alert\">{}</p>", escape(trouble)));
        }
        body.push_str(&format!("<form method=\"post\" action=\"{}\">", escape(&self.action)));
        for (name, value) in &self.hidden {
            body.push_str(&hidden(name, value));
        }
        if let Some((name, label, value)) = &self.first {
            body.push_str(&format!(
                "<label for=\"{name}\">{}</label><input id=\"{name}\" name=\"{name}\" autocomplete=\"off\" value=\"{}\">",
                escape(label),
                escape(value)
            ));
        }
        body.push_str(&format!(
            "<label for=\"username\">User name</label><input id=\"username\" name=\"username\" type=\"email\" \
             autocomplete=\"username\" value=\"{}\"><label for=\"password\">Password</label><input id=\"password\" \
             name=\"password\" type=\"password\" autocomplete=\"current-password\"><fieldset><legend>Multifactor \
             authentication</legend><input id=\"mfa\" name=\"mfa\" type=\"checkbox\" value=\"approved\" checked><label \
             for=\"mfa\">Approve the request on my phone</label></fieldset>",
            escape(&self.user)
        ));
        if self.permissions.is_empty() {
            body.push_str("<button name=\"action\" value=\"accept\">Sign in</button>");
        } else {
            body.push_str("<h2>Permissions requested</h2><ul>");
            for permission in &self.permissions {
                body.push_str(&format!("<li>{}</li>", escape(permission)));
            }
            body.push_str(
                "</ul><button name=\"action\" value=\"accept\">Sign in and accept</button><button name=\"action\" \
                 value=\"deny\">Deny</button>",
            );
        }
        body.push_str("<button name=\"action\" value=\"cancel\" formnovalidate>Cancel</button></form>");
        page(status, "Sign in to your account", &body)
    }
}

/// The page that says why nobody can be signed in.
pub(super) fn refused(status: u16, refusal: &Refusal) -> Reply {
    page(
        status,
        "Sign in to your account",
        &format!(
            "<h1>Sorry, but we’re having trouble signing you in.</h1><p>{}</p>",
            escape(&refusal.text())
        ),
    )
}

/// A page that says one thing.
pub(super) fn message(title: &str, text: &str) -> Reply {
    page(
        200,
        "Sign in to your account",
        &format!("<h1>{}</h1><p>{}</p>", escape(title), escape(text)),
    )
}

/// The answer of a sign-in on its way to the application as a form.
pub(super) fn form_post(target: &str, parameters: &[(&str, String)]) -> Reply {
    let fields: String = parameters.iter().map(|(name, value)| hidden(name, value)).collect();
    page(
        200,
        "Working...",
        &format!(
            "<h1>Working...</h1><form method=\"post\" action=\"{}\">{fields}<p>Your browser runs no scripts. Press the \
             button to go on.</p><button>Continue</button></form><script>document.forms[0].submit()</script>",
            escape(target)
        ),
    )
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value))
}

fn page(status: u16, title: &str, body: &str) -> Reply {
    let mut reply = reply::reply(
        status,
        "text/html; charset=utf-8",
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body>\
             </html>",
            escape(title)
        ),
    );
    reply::set(&mut reply, http::header::CACHE_CONTROL, "no-store, no-cache");
    reply::set(
        &mut reply,
        http::header::REFERRER_POLICY,
        "strict-origin-when-cross-origin",
    );
    reply
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
