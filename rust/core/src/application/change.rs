//! One change of a directory, told in a line.

use super::permission::{title, Kind, Permission};
use serde_json::Value as Json;

#[derive(Clone, Debug)]
pub(crate) enum Change {
    CreateApplication {
        body: Json,
        line: String,
    },
    UpdateApplication {
        body: Json,
        line: String,
    },
    CreatePrincipal,
    /// The service principal of an API that the tenant does not have yet.
    CreateApi {
        resource: String,
    },
    AssignRole {
        permission: Permission,
    },
    /// With what is there already: its id, and the names in it.
    Consent {
        resource: String,
        names: Vec<String>,
        there: Option<(String, Vec<String>)>,
    },
    /// The service principal becomes an owner of its own application.
    OwnItself,
    AssignDirectoryRole {
        id: String,
        name: String,
    },
    JoinAgents {
        group: String,
    },
    AddCertificate {
        line: String,
    },
    AddSecret {
        days: i64,
    },
}

impl Change {
    /// What is done, as a person is asked about it.
    pub(crate) fn line(&self) -> String {
        match self {
            Change::CreateApplication { line, .. }
            | Change::UpdateApplication { line, .. }
            | Change::AddCertificate { line } => line.clone(),
            Change::CreatePrincipal => "Create the service principal".to_owned(),
            Change::CreateApi { resource } => format!("Create the service principal of {}", title(resource)),
            Change::AssignRole { permission } => {
                format!(
                    "Grant the application permission {} of {}",
                    permission.name,
                    title(&permission.resource)
                )
            }
            Change::Consent { resource, names, there } => format!(
                "{} the delegated permission{} {} of {} for all users",
                if there.is_some() {
                    "Add to the consent:"
                } else {
                    "Consent to"
                },
                if names.len() == 1 { "" } else { "s" },
                names.join(", "),
                title(resource)
            ),
            Change::OwnItself => {
                "Make the service principal an owner of the application, so that it can update its own secrets"
                    .to_owned()
            }
            Change::AssignDirectoryRole { name, .. } => format!("Assign the directory role {name}"),
            Change::JoinAgents { .. } => "Add the service principal to the group AdminAgents".to_owned(),
            Change::AddSecret { days } => format!("Add a client secret for {days} days"),
        }
    }

    /// Whether something that was there is changed, and nothing new is made.
    pub(crate) fn is_update(&self) -> bool {
        matches!(
            self,
            Change::UpdateApplication { .. } | Change::Consent { there: Some(_), .. }
        )
    }
}

/// How many permissions of each kind, for a line.
pub(crate) fn counted(permissions: &[&Permission]) -> String {
    let of = |kind: Kind| permissions.iter().filter(|one| one.kind == kind).count();
    format!(
        "{} delegated and {} application permissions",
        of(Kind::Scope),
        of(Kind::Role)
    )
}
