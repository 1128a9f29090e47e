//! What the browser shows at the end. The pages run no script, load nothing and hold nothing of the sign-in but its
//! result.

use crate::error::Error;
use crate::html::escape;

/// A page: its title and what it says.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) html: String,
}

/// What every page is sent with.
pub(super) const HEADERS: [(&str, &str); 5] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
];

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:0}\
main{max-width:36rem;margin:15vh auto 0;padding:0 1.5rem}h1{font-size:1.6rem}";

/// The sign-in ended well.
pub(super) fn signed_in(account: Option<&str>) -> Page {
    let who = match account {
        Some(account) => format!("<p>You are signed in as <strong>{}</strong>.</p>", escape(account)),
        None => String::new(),
    };
    page(
        200,
        "Signed in",
        &format!("<h1>The sign-in is complete</h1>{who}<p>You can close this window and go back to PowerShell.</p>"),
    )
}

/// The sign-in ended with an error, which the command reports too.
pub(super) fn failed(error: &Error) -> Page {
    let advice = match error.advice() {
        "" => String::new(),
        advice => format!("<h2>What to do</h2><p>{}</p>", escape(advice)),
    };
    page(
        200,
        "Not signed in",
        &format!(
            "<h1>The sign-in did not work</h1><p role=\"alert\">{}</p>{advice}<p>You can close this window and go back to \
             PowerShell.</p>",
            escape(error.message())
        ),
    )
}

/// An answer that belongs to another sign-in.
pub(super) fn foreign() -> Page {
    page(
        400,
        "Another sign-in",
        "<h1>This answer belongs to another sign-in</h1><p>It was ignored. Use the browser tab that was opened last, or start \
         the sign-in again in PowerShell.</p>",
    )
}

/// Anything else that a browser may ask for.
pub(super) fn nothing() -> Page {
    page(
        404,
        "Nothing here",
        "<h1>There is nothing here</h1><p>This address waits for the answer of a sign-in.</p>",
    )
}

fn page(status: u16, title: &str, body: &str) -> Page {
    Page {
        status,
        html: format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style>\
             </head><body><main>{body}</main></body></html>"
        ),
    }
}
