//! What the user is told to do.

use super::address::Attempt;
use super::Plan;
use crate::event::{Prompt, PromptKind};

/// "Microsoft Graph Command Line Tools": a public client of Microsoft's, to whose registration nobody can add anything.
const GRAPH_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

impl Prompt {
    /// The browser comes back to this machine by itself.
    pub(super) fn browser(plan: &Plan, attempt: &Attempt, address: String) -> Self {
        let hint = match plan.credential.application_id() {
            GRAPH_TOOLS => String::new(),
            _ => format!(
                "\nIf the page says AADSTS50011, add exactly {} to the app registration (Authentication, platform Web).",
                attempt.to_register()
            ),
        };
        Prompt {
            kind: PromptKind::Browser,
            message: format!("Sign in with a browser of this machine at\n{address}{hint}"),
            url: address,
            user_code: String::new(),
        }
    }

    /// Nothing listens at the reply URL.
    pub(super) fn paste(attempt: &Attempt, address: String) -> Self {
        let where_from = if attempt.redirect_uri().starts_with("urn:") {
            "No browser can open the address that it is sent to at the end: it starts with urn: and stands in the browser's \
             developer tools (F12, Network, the last request's Location)."
        } else {
            "The page that comes last may say that it cannot be reached: only its address is needed."
        };
        Prompt {
            kind: PromptKind::Paste,
            message: format!(
                "Sign in with any browser at\n{address}\nand copy the address that it ends at. {where_from}"
            ),
            url: address,
            user_code: String::new(),
        }
    }

    /// The service's own words, which are in the user's language; ours where it has none.
    pub(super) fn device(message: &str, address: &str, user_code: &str) -> Self {
        let message = match message.trim() {
            "" => format!("To sign in, open {address} in a browser of any machine and enter the code {user_code}."),
            message => message.to_owned(),
        };
        Prompt {
            kind: PromptKind::Device,
            message,
            url: address.to_owned(),
            user_code: user_code.to_owned(),
        }
    }
}
