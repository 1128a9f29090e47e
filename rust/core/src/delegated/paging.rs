//! Reading a list page by page: where the next page may be, and when to stop believing that there is one.

use super::{Next, Page, Row, Source};
use crate::error::{Error, Kind, Result};
use bytes::Bytes;
use std::collections::HashSet;
use std::future::Future;
use url::Url;

/// More pages than any partner's list has; a list that goes on after them is taken for a fault.
const MOST_PAGES: usize = 10_000;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PageRequest {
    pub(crate) url: Url,
    /// Partner Center's `MS-ContinuationToken`.
    pub(crate) continuation: Option<String>,
}

/// A list read to its end.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) rows: Vec<Row>,
    /// Rows that were left out because they have no usable tenant id.
    pub(crate) invalid: usize,
}

/// Reads the list from `first` to its end; `fetch` gives a page's body. A next page is asked for only at the place that
/// `first` names (scheme, host and port): the token that goes with the request is not for anybody else.
pub(crate) async fn read_all<F, R>(source: Source, first: Url, fetch: F) -> Result<Listing>
where
    F: Fn(PageRequest) -> R,
    R: Future<Output = Result<Bytes>>,
{
    let home = first.clone();
    let mut request = PageRequest {
        url: first,
        continuation: None,
    };
    let mut asked = HashSet::new();
    let mut listing = Listing {
        rows: Vec::new(),
        invalid: 0,
    };
    loop {
        let Page { rows, invalid, next } = source.parse(&fetch(request.clone()).await?)?;
        listing.rows.extend(rows);
        listing.invalid += invalid;
        let Some(next) = next else { return Ok(listing) };
        let following = follow(source, &home, &request.url, next)?;
        asked.insert(request);
        if asked.contains(&following) {
            return Err(astray(source, "names a page as the next one that was already read"));
        }
        if asked.len() >= MOST_PAGES {
            return Err(astray(source, &format!("goes on after {MOST_PAGES} pages")));
        }
        request = following;
    }
}

/// The request for the page that `next` names.
fn follow(source: Source, home: &Url, current: &Url, next: Next) -> Result<PageRequest> {
    let url = current
        .join(&next.link)
        .map_err(|_| astray(source, "gives a link to its next page that is not an address"))?;
    let stays = url.scheme() == home.scheme()
        && url.host() == home.host()
        && url.port_or_known_default() == home.port_or_known_default()
        && url.username().is_empty()
        && url.password().is_none();
    if !stays {
        let host = url.host_str().unwrap_or("no host").to_owned();
        return Err(astray(
            source,
            &format!("gives a link to its next page on another host ({host})"),
        )
        .advise("Nothing was sent there. Check whether a proxy between here and the service changes its replies."));
    }
    Ok(PageRequest {
        url,
        continuation: next.continuation,
    })
}

#[cold]
fn astray(source: Source, what: &str) -> Error {
    Error::new(Kind::Protocol, format!("the list of {} {what}", source.title()))
        .advise("Try again; if it happens again, report it to the service with the time of the request.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Mutex;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(work)
    }

    fn first() -> Url {
        Url::parse("https://graph.microsoft.com/v1.0/contracts").unwrap()
    }

    fn page(rows: &str, next: &str) -> Bytes {
        let next = if next.is_empty() {
            String::new()
        } else {
            format!(r#","@odata.nextLink":"{next}""#)
        };
        Bytes::from(format!(r#"{{"value":[{rows}]{next}}}"#))
    }

    /// Reads Graph's contracts, where every page has the link that `link` makes of the page's number.
    fn read(link: impl Fn(usize) -> String) -> (Result<Listing>, Vec<PageRequest>) {
        let asked = Mutex::new(Vec::new());
        let result = run(read_all(Source::Contracts, first(), |request| {
            let mut asked = asked.lock().unwrap();
            asked.push(request);
            let body = page("", &link(asked.len()));
            async move { Ok(body) }
        }));
        (result, asked.into_inner().unwrap())
    }

    #[test]
    fn a_link_to_itself_and_a_loop_of_three_end_with_an_error() {
        for length in [1, 3] {
            let (result, asked) =
                read(|page| format!("https://graph.microsoft.com/v1.0/contracts?p={}", page % length));
            let error = result.unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol);
            assert!(error.message().contains("already read"), "{error}");
            assert_eq!(asked.len(), length + 1);
        }
    }

    #[test]
    fn a_list_without_end_ends_with_an_error() {
        let (result, asked) = read(|page| format!("?p={page}"));
        assert!(result.unwrap_err().message().contains("pages"));
        assert_eq!(asked.len(), MOST_PAGES);
    }

    #[test]
    fn no_request_leaves_the_first_pages_place() {
        for link in [
            "https://evil.example/v1.0/contracts",
            "//evil.example/v1.0/contracts",
            "http://graph.microsoft.com/v1.0/contracts?p=2",
            "https://graph.microsoft.com:8443/v1.0/contracts",
            "https://graph.microsoft.com@evil.example/",
            "https://graph.microsoft.com.evil.example/",
            "https://user:word@graph.microsoft.com/v1.0/contracts?p=2",
            "\\\\\\\\evil.example\\\\x",
            "file:///etc/passwd",
            "data:text/plain,x",
            "https://[",
        ] {
            let (result, asked) = read(|_| link.to_owned());
            let error = result.unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol, "{link}");
            assert!(!error.message().contains("word"), "{error}");
            assert_eq!(asked.len(), 1, "{link}");
        }
    }

    #[test]
    fn a_continuation_token_makes_another_page_of_the_same_address() {
        let asked = Mutex::new(Vec::new());
        let first = Url::parse("https://api.partnercenter.microsoft.com/v1/customers?size=2").unwrap();
        let listing = run(read_all(Source::PartnerCenter, first, |request: PageRequest| {
            let mut asked = asked.lock().unwrap();
            asked.push(request);
            let next = match asked.len() {
                3 => String::new(),
                page => format!(
                    r#","next":{{"uri":"/customers?size=2?seekOperation=Next","method":"GET","headers":[{{"key":"ms-continuationtoken","value":"t{page}"}}]}}"#
                ),
            };
            let body = format!(
                "\u{feff}{{\"items\":[{{\"id\":\"0000000{}-0000-4000-8000-000000000000\"}},{{\"id\":7}}],\"links\":{{\"self\":{{}}{next}}}}}",
                asked.len()
            );
            async move { Ok(Bytes::from(body)) }
        }))
        .unwrap();
        assert_eq!((listing.rows.len(), listing.invalid), (3, 3));
        let asked = asked.into_inner().unwrap();
        assert_eq!(
            asked[1].url.as_str(),
            "https://api.partnercenter.microsoft.com/v1/customers?size=2&seekOperation=Next"
        );
        assert_eq!(asked[1].continuation.as_deref(), Some("t1"));
        assert_eq!(asked[2].continuation.as_deref(), Some("t2"));
    }

    #[test]
    fn what_is_not_a_page_is_a_protocol_error_that_names_the_list() {
        for (source, title) in Source::ALL.map(|source| (source, source.title())) {
            for body in [
                "<html>",
                "{\"value\":[{\"customerId\":",
                "[]",
                "{\"value\":7,\"items\":null}",
                "",
            ] {
                let body = Bytes::from(body);
                let error = run(read_all(source, first(), |_| async { Ok(body.clone()) })).unwrap_err();
                assert_eq!(error.kind(), Kind::Protocol);
                assert!(error.message().contains(title), "{error}");
            }
        }
    }

    fn tenant(number: u32) -> String {
        format!("{number:08X}-0000-4000-8000-00000000ABCD")
    }

    proptest! {
        #[test]
        fn rows_survive_any_paging_and_bad_rows_are_counted(
            kinds in prop::collection::vec((any::<u32>(), 0usize..6), 0..60),
            size in 1usize..9,
        ) {
            let rows: Vec<String> = kinds.iter().map(|&(number, kind)| match kind {
                0 => "{}".to_owned(),
                1 => r#"{"customerId":null}"#.to_owned(),
                2 => "7".to_owned(),
                3 => format!(r#"{{"customerId":"{}x"}}"#, tenant(number)),
                _ => format!(r#"{{"customerId":"{}","displayName":"n{number}","defaultDomainName":5}}"#, tenant(number)),
            }).collect();
            let pages: Vec<&[String]> = if rows.is_empty() { vec![&[]] } else { rows.chunks(size).collect() };
            let listing = run(read_all(Source::Contracts, first(), |request: PageRequest| {
                let number: usize = request.url.query().map_or(0, |query| query[2..].parse().unwrap());
                let next = if number + 1 < pages.len() { format!("contracts?p={}", number + 1) } else { String::new() };
                let body = page(&pages[number].join(","), &next);
                async move { Ok(body) }
            })).unwrap();
            let good: Vec<String> = kinds.iter()
                .filter(|(_, kind)| *kind > 3)
                .map(|(number, _)| tenant(*number).to_ascii_lowercase())
                .collect();
            prop_assert_eq!(listing.invalid, kinds.len() - good.len());
            prop_assert_eq!(listing.rows.iter().map(|row| row.tenant_id.clone()).collect::<Vec<_>>(), good);
        }

        #[test]
        fn no_body_makes_a_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for source in Source::ALL {
                let _ = source.parse(&body);
            }
        }

        #[test]
        fn no_link_makes_the_pager_panic_or_leave(link in "\\PC{0,40}") {
            let next = Next { link, continuation: None };
            if let Ok(request) = follow(Source::Contracts, &first(), &first(), next) {
                prop_assert_eq!(request.url.origin(), first().origin());
            }
        }
    }
}
