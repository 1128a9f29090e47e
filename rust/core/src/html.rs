//! Pages made of templates. A template names its places `{{name}}`; a text is escaped where it is put in.

/// What is put into a template.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    /// Shows as it is, whatever it holds.
    Text(&'a str),
    /// Made of templates itself.
    Markup(&'a str),
}

/// The template with its places filled. What is put in is not looked at again, so it may hold braces of its own. A place that
/// nothing is for stays empty.
pub(crate) fn fill(template: &str, parts: &[(&str, Part<'_>)]) -> String {
    let mut page = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            rest = after;
            break;
        };
        match parts.iter().find(|(known, _)| *known == name) {
            Some((_, Part::Text(text))) => push_escaped(&mut page, text),
            Some((_, Part::Markup(markup))) => page.push_str(markup),
            None => {}
        }
        rest = after;
    }
    page.push_str(rest);
    page
}

/// The text as HTML shows it, also inside an attribute's quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push_escaped(&mut escaped, text);
    escaped
}

fn push_escaped(page: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_filled_once() {
        let parts = [("a", Part::Text("<{{b}}>")), ("b", Part::Markup("<i>"))];
        assert_eq!(fill("{{a}}{{b}}{{c}}{", &parts), "&lt;{{b}}&gt;<i>{");
        assert_eq!(fill("x{{a", &parts), "xa");
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text: String) {
            let page = fill("<p title=\"{{t}}\">{{t}}</p>", &[("t", Part::Text(&text))]);
            let inside = &page["<p title=\"".len()..page.len() - "</p>".len()];
            let (one, other) = inside.split_once("\">").unwrap();
            prop_assert_eq!(one, other);
            prop_assert!(!one.contains(['<', '>', '"', '\'']));
        }
    }
}
