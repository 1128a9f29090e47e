//! Directory roles that partners ask for, by the ids of their templates, which are the same in every tenant ("Microsoft Entra built-in
//! roles").

use crate::error::{Error, Result};
use crate::tenant;

const ROLES: [(&str, &str); 16] = [
    (
        "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Cloud Application Administrator",
    ),
    ("17315797-102d-40b4-93e0-432062caca18", "Compliance Administrator"),
    ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    (
        "31392ffb-586c-42d1-9346-e59415a2cc4e",
        "Exchange Recipient Administrator",
    ),
    ("3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator"),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
];

/// The name of a role, where it is known.
pub(crate) fn name(id: &str) -> Option<&'static str> {
    let known = ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(id));
    known.map(|(_, name)| *name)
}

/// The template's id of a role that is given by it or by name.
pub(crate) fn id(text: &str) -> Result<String> {
    let text = text.trim();
    if tenant::parse_guid(text).is_some() {
        return Ok(text.to_ascii_lowercase());
    }
    let known = ROLES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
    known.map(|(id, _)| (*id).to_owned()).ok_or_else(|| {
        let names: Vec<&str> = ROLES.iter().map(|(_, name)| *name).collect();
        Error::invalid("there is no role of that name here").advise(format!(
            "Give the id of the role's template (a GUID), or one of these names: {}.",
            names.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_its_id_and_by_its_name() {
        for (known, title) in ROLES {
            assert_eq!((id(title).unwrap().as_str(), name(known)), (known, Some(title)));
            assert_eq!(id(&known.to_uppercase()).unwrap(), known);
        }
        assert!(id("Global Admin").is_err() && name("x").is_none());
    }
}
