//! The part of OData's `$filter` that these collections take: comparisons, `and`, `or` and parentheses.

use serde_json::Value;

use crate::clock::parse_utc_ms;

/// What an item is measured by.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Compare(Comparison),
}

#[derive(Debug)]
pub(super) struct Comparison {
    field: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Reads a filter over `fields`; an error says what is wrong with it.
    pub(super) fn parse(text: &str, fields: &[&str]) -> Result<Filter, String> {
        let mut words = Words {
            words: split(text)?,
            at: 0,
            fields,
        };
        let filter = words.any()?;
        match words.next() {
            None => Ok(filter),
            Some(word) => Err(format!("'{word}' was not expected")),
        }
    }

    pub(super) fn takes(&self, item: &Value) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.takes(item)),
            Filter::Any(parts) => parts.iter().any(|part| part.takes(item)),
            Filter::Compare(comparison) => comparison.takes(item),
        }
    }
}

impl Comparison {
    fn takes(&self, item: &Value) -> bool {
        let text = item[&self.field].as_str().unwrap_or("null");
        let order = match (parse_utc_ms(text), parse_utc_ms(&self.value)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => text.cmp(&self.value),
        };
        match self.operator {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
        }
    }
}

struct Words<'a> {
    words: Vec<String>,
    at: usize,
    fields: &'a [&'a str],
}

impl Words<'_> {
    fn next(&mut self) -> Option<String> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }

    fn accept(&mut self, word: &str) -> bool {
        let is_next = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is_next);
        is_next
    }

    fn any(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.all()?];
        while self.accept("or") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.one()?];
        while self.accept("and") {
            parts.push(self.one()?);
        }
        Ok(Filter::All(parts))
    }

    fn one(&mut self) -> Result<Filter, String> {
        if self.accept("(") {
            let inside = self.any()?;
            return match self.accept(")") {
                true => Ok(inside),
                false => Err("a parenthesis is not closed".to_owned()),
            };
        }
        let missing = || "the filter ends too early".to_owned();
        let field = self.next().ok_or_else(missing)?;
        if !self.fields.contains(&field.as_str()) {
            return Err(format!("the property '{field}' cannot be filtered"));
        }
        let operator = match self.next().ok_or_else(missing)?.as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            other => return Err(format!("'{other}' is no operator")),
        };
        let value = self.next().ok_or_else(missing)?;
        let quoted = value.strip_prefix('\'');
        // Times are written bare, everything else as a text.
        if field.ends_with("DateTime") != quoted.is_none() || (quoted.is_none() && parse_utc_ms(&value).is_none()) {
            return Err(format!("'{field}' cannot be compared with {value}"));
        }
        Ok(Filter::Compare(Comparison {
            field,
            operator,
            value: quoted.unwrap_or(&value).to_owned(),
        }))
    }
}

/// Words and parentheses; a quoted text keeps the quote that it begins with.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '\'' => {
                let end = rest[1..].find('\'').ok_or("a quote is not closed")?;
                words.push(rest[..=end].to_owned());
                rest = rest[end + 2..].trim_start();
                continue;
            }
            _ => rest
                .find(|c: char| c.is_whitespace() || "()'".contains(c))
                .unwrap_or(rest.len()),
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: [&str; 3] = ["severity", "status", "createdDateTime"];

    fn takes(filter: &str) -> Result<bool, String> {
        let item = json!({"severity": "high", "status": "new", "createdDateTime": "2026-01-15T10:00:00.25Z"});
        Filter::parse(filter, &FIELDS).map(|filter| filter.takes(&item))
    }

    #[test]
    fn comparisons_are_joined_as_they_are_written() {
        for (filter, expected) in [
            ("severity eq 'high'", true),
            ("severity ne 'high'", false),
            ("severity eq 'low' or severity eq 'high' and status eq 'new'", true),
            (
                "(severity eq 'low' or severity eq 'high') and status eq 'resolved'",
                false,
            ),
            ("createdDateTime ge 2026-01-15T10:00:00Z", true),
            ("createdDateTime lt 2026-01-15T10:00:00.250Z", false),
            ("createdDateTime gt 2026-01-14 and (status eq 'new')", true),
        ] {
            assert_eq!(takes(filter), Ok(expected), "{filter}");
        }
    }

    #[test]
    fn what_the_service_does_not_take_is_refused() {
        for filter in [
            "",
            "title eq 'x'",
            "severity is 'high'",
            "severity eq high",
            "severity eq 'high",
            "severity eq 'high' and",
            "(severity eq 'high'",
            "severity eq 'high')",
            "createdDateTime ge '2026-01-15T10:00:00Z'",
            "createdDateTime ge yesterday",
        ] {
            assert!(takes(filter).is_err(), "{filter}");
        }
    }
}
