//! Microsoft's own applications, which have one application id in all tenants; the table is `first_party.tsv`.

use crate::tenant::parse_guid;
use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) struct FirstParty {
    pub(crate) name: &'static str,
    /// What it is, and what it is taken for by mistake.
    pub(crate) description: &'static str,
}

static TABLE: LazyLock<HashMap<u128, FirstParty>> =
    LazyLock::new(|| include_str!("first_party.tsv").lines().filter_map(read).collect());

/// The application of this id, where the table has it.
pub(crate) fn find(id: &str) -> Option<&'static FirstParty> {
    TABLE.get(&parse_guid(id)?)
}

fn read(line: &'static str) -> Option<(u128, FirstParty)> {
    let mut fields = line.split('\t');
    let id = parse_guid(fields.next()?)?;
    let (name, description) = (fields.next()?, fields.next()?);
    Some((id, FirstParty { name, description }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_says_where_it_is_from() {
        let lines = || {
            include_str!("first_party.tsv")
                .lines()
                .filter(|line| !line.starts_with('#'))
        };
        assert_eq!(TABLE.len(), lines().count(), "an id is there twice, or is none");
        for line in lines() {
            assert_eq!(line.split('\t').filter(|field| !field.is_empty()).count(), 4, "{line}");
        }
        let names: Vec<String> = lines()
            .filter_map(|line| Some(line.split('\t').nth(1)?.to_lowercase()))
            .collect();
        assert!(names.is_sorted(), "the table is sorted by name");
    }

    #[test]
    fn look_alikes_are_told_apart() {
        let directory = find("00000002-0000-0000-c000-000000000000").unwrap();
        let exchange = find("00000002-0000-0FF1-CE00-000000000000").unwrap();
        assert_eq!(directory.name, "Windows Azure Active Directory");
        assert_eq!(exchange.name, "Office 365 Exchange Online");
        assert!(find("00000002-0000-0000-c000-000000000001").is_none());
        assert!(find("Unknown").is_none());
    }
}
