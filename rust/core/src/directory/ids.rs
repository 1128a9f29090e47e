//! The ids in a text. What audit records hold where an id is expected, in real rows: a bare GUID, a GUID after its kind
//! (`Application_<guid>`, `ServicePrincipal_<guid>`), a service principal's names in one text
//! (`https://graph.windows.net;<guid>/graph.microsoft.com;<guid>`), words such as `Unknown`, addresses and user names. So a
//! text is never compared with an id, but taken apart.

use crate::tenant::parse_guid;

/// The GUIDs that a text names, each once, in lower case and in the text's order.
pub(crate) fn ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for part in text.split(|c: char| matches!(c, ';' | '/' | ',') || c.is_whitespace()) {
        let name = part.rsplit('_').next().unwrap_or(part);
        let bare = name.trim_matches(|c| matches!(c, '{' | '}' | '"' | '\'' | '[' | ']'));
        if parse_guid(bare).is_some() {
            let id = bare.to_ascii_lowercase();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

/// The same for a field of a record, where an address of a site or a file is none of an application's names: the GUIDs in it
/// are lists and folders.
pub(crate) fn ids_of_field(text: &str) -> Vec<String> {
    let is_address = text.contains("://") && !text.contains(';') && !text.starts_with("api://");
    if is_address {
        return Vec::new();
    }
    ids(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = "00000002-0000-0000-c000-000000000000";
    const TWO: &str = "00000002-0000-0ff1-ce00-000000000000";

    #[test]
    fn names_in_one_text_are_taken_apart() {
        let list = format!("https://graph.windows.net;{ONE}/graph.microsoftazure.us;{ONE}/graph.windows.net;{TWO};https://graph.windows.net/");
        assert_eq!(ids(&list), [ONE, TWO]);
        assert_eq!(ids_of_field(&list), [ONE, TWO]);
        assert_eq!(ids(&format!("Application_{ONE}")), [ONE]);
        assert_eq!(ids(&format!("{{{}}}", TWO.to_uppercase())), [TWO]);
        assert_eq!(
            ids(&format!("[{{\"ResourceAppId\": \"{ONE}\", \"x\": \"{TWO}\"}}]")),
            [ONE, TWO]
        );
        assert_eq!(ids_of_field(&format!("api://{ONE}")), [ONE]);
    }

    #[test]
    fn what_is_no_id_gives_none() {
        for text in ["", "Unknown", "Not Available", "sam@contoso.com", &format!("x{ONE}")] {
            assert!(ids(text).is_empty(), "{text}");
        }
        assert!(ids_of_field(&format!("https://contoso.sharepoint.com/sites/a/{ONE}")).is_empty());
    }

    proptest! {
        #[test]
        fn ids_are_found_wherever_they_stand(before in "[a-z]{0,9}", number in any::<u128>(), after in "[a-z .]{0,9}") {
            let hex = format!("{number:032x}");
            let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
            prop_assert_eq!(ids(&format!("{before};{id}/{after}")), [id]);
        }

        #[test]
        fn any_text_is_read(text in ".{0,80}") {
            for id in ids(&text) {
                prop_assert!(parse_guid(&id).is_some());
            }
        }
    }
}
