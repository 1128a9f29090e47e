//! The file that the articles' scripts write: one row with the application and its secret.

use crate::error::{Error, Result};
use crate::owned_file;
use crate::secret::Secret;
use std::path::Path;
use zeroize::Zeroizing;

/// What the row says.
pub(crate) struct Row<'a> {
    pub(crate) application: &'a str,
    pub(crate) tenant_name: &'a str,
    pub(crate) tenant_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) secret: &'a Secret,
}

/// Writes the file, its owner's alone (on Windows the host sees to that), in place of one that is there.
pub(crate) fn write(path: &Path, row: &Row<'_>) -> Result<()> {
    let text = text(row);
    owned_file::replace(path, &owned_file::temporary(path)?, text.as_bytes()).map_err(|cause| {
        Error::storage("write the CSV file", path, &cause)
            .advise("The secret is in the returned credential: save that with Save-SecureAppCredential.")
    })
}

fn text(row: &Row<'_>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    text.push_str("\"ApplicationName\",\"TenantName\",\"TenantId\",\"clientId\",\"clientSecret\"\r\n");
    let fields = [
        row.application,
        row.tenant_name,
        row.tenant_id,
        row.client_id,
        row.secret.expose(),
    ];
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push('"');
        for character in field.chars() {
            if character == '"' {
                text.push('"');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_quotation_marks_and_commas_stays_one_field() {
        let row = Row {
            application: "Contoso, \"SAM\"",
            tenant_name: "Contoso",
            tenant_id: "t",
            client_id: "c",
            secret: &Secret::from("a~b,c"),
        };
        assert!(text(&row).ends_with("\"Contoso, \"\"SAM\"\"\",\"Contoso\",\"t\",\"c\",\"a~b,c\"\r\n"));
    }
}
