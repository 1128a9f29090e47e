//! An application's registration in a directory, by Microsoft Graph: what there is, what is to become of it, and the changes
//! between the two.
//!
//! Sources: Microsoft Graph reference, "application resource type", "servicePrincipal resource type", "appRoleAssignment resource
//! type", "oAuth2PermissionGrant resource type", "unifiedRoleAssignment resource type", "Add members".

mod apply;
mod change;
mod csv;
mod grants;
mod object;
mod permission;
mod plan;
mod proof;
mod registrar;
mod required;
mod rotation;
mod shown;
mod state;
mod wanted;

pub(crate) use apply::{remove_new_secret, Applied, NewSecret};
pub(crate) use change::Change;
pub(crate) use csv::{write as write_csv, Row};
pub(crate) use grants::Grant;
pub(crate) use object::TAG;
pub(crate) use plan::Plan;
pub(crate) use proof::prove;
pub(crate) use registrar::{quoted, Ask, Caller, Registrar, FIELDS as CALLER_FIELDS};
pub(crate) use rotation::{
    Kept, Plan as RotationPlan, Rotation, Step, Wanted as RotationWanted, FIELDS as ROTATION_FIELDS,
};
pub(crate) use state::{by_id, find, principals, State};
pub(crate) use wanted::{client_id, Proof, Wanted, FIELDS as WANTED_FIELDS};
