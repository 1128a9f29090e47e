//! One list of customers out of several.

use super::{Row, Source};
use crate::value::Value;
use std::collections::HashMap;

/// One customer, with what the lists that name it know together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Customer {
    /// Lower-case GUID with hyphens.
    pub(crate) tenant_id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) domain: Option<String>,
    pub(crate) relationship: Option<String>,
    /// In the order of [`Source`], each once.
    pub(crate) sources: Vec<Source>,
}

impl Customer {
    /// The record, with what `access` found or nothing where it was not asked.
    pub(crate) fn into_value(self, access: Value) -> Value {
        let sources: Vec<&str> = self.sources.iter().map(|source| source.name()).collect();
        Value::map()
            .with("tenantId", self.tenant_id)
            .with("displayName", self.display_name.unwrap_or_default())
            .with("defaultDomainName", self.domain.unwrap_or_default())
            .with("sources", sources)
            .with("relationship", self.relationship)
            .with("access", access)
    }
}

/// Merges by tenant id. A name, domain or relationship comes from the first list, in the order of [`Source`], that has one.
/// The result is ordered by display name without regard to case, then by tenant id, so that it does not depend on which
/// service answered first.
pub(crate) fn merge(lists: impl IntoIterator<Item = (Source, Vec<Row>)>) -> Vec<Customer> {
    let mut lists: Vec<_> = lists.into_iter().collect();
    lists.sort_by_key(|(source, _)| *source);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut customers: Vec<Customer> = Vec::new();
    for (source, rows) in lists {
        for row in rows {
            let place = *places.entry(row.tenant_id.clone()).or_insert(customers.len());
            match customers.get_mut(place) {
                Some(customer) => customer.absorb(source, row),
                None => customers.push(Customer {
                    tenant_id: row.tenant_id,
                    display_name: row.display_name,
                    domain: row.domain,
                    relationship: row.relationship,
                    sources: vec![source],
                }),
            }
        }
    }
    customers.sort_by_cached_key(|customer| {
        (
            customer.display_name.as_deref().unwrap_or_default().to_lowercase(),
            customer.tenant_id.clone(),
        )
    });
    customers
}

impl Customer {
    fn absorb(&mut self, source: Source, row: Row) {
        if self.sources.last() != Some(&source) {
            self.sources.push(source);
        }
        self.display_name = self.display_name.take().or(row.display_name);
        self.domain = self.domain.take().or(row.domain);
        self.relationship = self.relationship.take().or(row.relationship);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn row() -> impl Strategy<Value = Row> {
        let word = || prop::option::of("[A-Za-z]{1,3}");
        (0u8..12, word(), word(), word()).prop_map(|(tenant, display_name, domain, relationship)| Row {
            tenant_id: format!("{tenant:08x}-0000-4000-8000-000000000000"),
            display_name,
            domain,
            relationship,
        })
    }

    fn lists() -> impl Strategy<Value = Vec<(Source, Vec<Row>)>> {
        let rows = || prop::collection::vec(row(), 0..20);
        (rows(), rows(), rows()).prop_map(|(a, b, c)| Source::ALL.into_iter().zip([a, b, c]).collect())
    }

    proptest! {
        #[test]
        fn every_tenant_appears_once_with_each_list_that_names_it(lists in lists()) {
            let customers = merge(lists.clone());
            let named: BTreeSet<_> = lists.iter().flat_map(|(_, rows)| rows).map(|row| &row.tenant_id).collect();
            prop_assert_eq!(customers.len(), named.len());
            for customer in &customers {
                let expected: Vec<_> = lists
                    .iter()
                    .filter(|(_, rows)| rows.iter().any(|row| row.tenant_id == customer.tenant_id))
                    .map(|(source, _)| *source)
                    .collect();
                prop_assert_eq!(&customer.sources, &expected);
            }
        }

        #[test]
        fn a_name_comes_from_the_first_list_that_has_one(lists in lists()) {
            for customer in merge(lists.clone()) {
                let rows = || {
                    lists.iter().flat_map(|(_, rows)| rows).filter(|row| row.tenant_id == customer.tenant_id)
                };
                prop_assert_eq!(&customer.display_name, &rows().find_map(|row| row.display_name.clone()));
                prop_assert_eq!(&customer.domain, &rows().find_map(|row| row.domain.clone()));
                prop_assert_eq!(&customer.relationship, &rows().find_map(|row| row.relationship.clone()));
            }
        }

        #[test]
        fn the_order_in_which_the_services_answered_changes_nothing(lists in lists(), turn in 0usize..3) {
            let mut turned = lists.clone();
            turned.rotate_left(turn);
            turned.reverse();
            prop_assert_eq!(merge(lists), merge(turned));
        }
    }
}
