//! Whether a name is the right one for Connect-ExchangeOnline's `-Organization`: the tenant's, and its primary domain of
//! Microsoft's own, which is what the module's documentation asks for.

use super::Row;
use crate::error::Error;

pub(crate) const CHECK: &str = "Organization";

/// Domains that every tenant of a cloud gets.
const OWN: [&str; 3] = [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];

const NAME_IT: &str =
    "Give the tenant's own .onmicrosoft.com domain, as the Microsoft 365 admin center lists it under Domains.";

/// Judges `name`, which belongs to `found` or to nobody. `tenant` is the one that the token is for; `answer` is what Exchange
/// said to the token under a name that is another tenant's.
pub(crate) fn judge(name: &str, tenant: &str, found: Result<&str, &Error>, answer: Option<&Error>) -> Row {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return Row::of_answer(CHECK, name, Err(error))
                .remedy(format!("Check the name for a typing error. {NAME_IT}"))
        }
    };
    if found != tenant {
        let row = Row::fail(
            CHECK,
            name,
            format!("the organization is the tenant {found}, and the token is for the tenant {tenant}"),
        )
        .remedy(format!("{NAME_IT} Or use a credential of that tenant."));
        return match answer {
            Some(error) => row.because(error),
            None => row,
        };
    }
    if OWN.iter().any(|domain| name.ends_with(domain)) {
        return Row::pass(CHECK, name, "the organization is the token's tenant");
    }
    Row::warn(
        CHECK,
        name,
        "the organization is the token's tenant, but Connect-ExchangeOnline asks for its .onmicrosoft.com domain",
    )
    .remedy(NAME_IT)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::Kind;

    #[test]
    fn the_name_is_right_anothers_or_nobodys() {
        let nobody = Error::new(Kind::NotFound, "no such tenant");
        for (name, found, verdict) in [
            ("contoso.onmicrosoft.com", Ok("a"), Verdict::Pass),
            ("contoso.onmicrosoft.us", Ok("a"), Verdict::Pass),
            ("contoso.com", Ok("a"), Verdict::Warn),
            ("fabrikam.onmicrosoft.com", Ok("b"), Verdict::Fail),
            ("conotso.onmicrosoft.com", Err(&nobody), Verdict::Fail),
        ] {
            let row = judge(name, "a", found, None);
            assert_eq!(row.verdict, verdict, "{name}");
            assert_eq!(row.remedy.is_empty(), verdict == Verdict::Pass);
        }
    }
}
