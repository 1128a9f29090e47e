//! The permissions that an application asks for, in the form of its registration ("requiredResourceAccess").

use super::permission::{Kind, Permission};
use serde::{Deserialize, Serialize};

/// One API and what is asked for on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Required {
    pub(crate) resource_app_id: String,
    #[serde(default)]
    pub(crate) resource_access: Vec<Access>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Access {
    pub(crate) id: String,
    /// `Role` or `Scope`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl Required {
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.resource_access
            .iter()
            .filter(|access| access.kind == kind.name())
            .count()
    }
}

/// Whether `list` asks for a permission.
pub(crate) fn asks(list: &[Required], permission: &Permission) -> bool {
    list.iter()
        .filter(|one| one.resource_app_id.eq_ignore_ascii_case(&permission.resource))
        .flat_map(|one| &one.resource_access)
        .any(|access| access.kind == permission.kind.name() && access.id.eq_ignore_ascii_case(&permission.id))
}

/// `list` with these permissions in it. What it asks for beside them stays.
pub(crate) fn with(list: &[Required], permissions: &[Permission]) -> Vec<Required> {
    let mut all = list.to_vec();
    for permission in permissions {
        if asks(&all, permission) {
            continue;
        }
        let access = Access {
            id: permission.id.clone(),
            kind: permission.kind.name().to_owned(),
        };
        match all
            .iter_mut()
            .find(|one| one.resource_app_id.eq_ignore_ascii_case(&permission.resource))
        {
            Some(one) => one.resource_access.push(access),
            None => all.push(Required {
                resource_app_id: permission.resource.clone(),
                resource_access: vec![access],
            }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn permission() -> impl Strategy<Value = Permission> {
        (0..3u8, 0..4u8, any::<bool>()).prop_map(|(resource, id, role)| Permission {
            resource: format!("resource-{resource}"),
            kind: if role { Kind::Role } else { Kind::Scope },
            id: format!("id-{id}"),
            name: format!("Name.{id}"),
        })
    }

    proptest! {
        #[test]
        fn all_are_asked_for_once_and_a_second_time_changes_nothing(old in prop::collection::vec(permission(), 0..8), new in prop::collection::vec(permission(), 0..8)) {
            let before = with(&[], &old);
            let after = with(&before, &new);
            prop_assert!(old.iter().chain(&new).all(|one| asks(&after, one)));
            prop_assert_eq!(with(&after, &new), after.clone());
            let mut seen: Vec<_> = after.iter().flat_map(|one| one.resource_access.iter().map(move |access| (&one.resource_app_id, &access.kind, &access.id))).collect();
            let count = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), count);
        }
    }
}
