//! Text inside HTML.

/// Text as HTML shows it, also inside an attribute in double quotes. Control characters that no page may hold become spaces.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\r' | '\t' => html.push(c),
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
    html
}

/// The same with its line breaks.
pub(crate) fn paragraph(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escaped).collect();
    format!("<p>{}</p>", lines.join("<br>\n"))
}

/// Puts `more` at the end of a page, or after what is only a piece of one.
pub(crate) fn appended(page: &str, more: &str) -> String {
    // Tags have no case; what is compared here is as long as it was.
    let at = page.to_ascii_lowercase().rfind("</body").unwrap_or(page.len());
    format!("{}{more}{}", &page[..at], &page[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn more_goes_inside_the_page() {
        assert_eq!(
            appended("<html><BODY>a</BODY></html>", "b"),
            "<html><BODY>ab</BODY></html>"
        );
        assert_eq!(appended("a", "b"), "ab");
        assert_eq!(paragraph("a<b\r\nc"), "<p>a&lt;b<br>\nc</p>");
    }

    proptest! {
        #[test]
        fn nothing_of_a_text_is_markup(text in "(?s).{0,60}") {
            let html = escaped(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
            let back = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
            let shown: String = text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
            prop_assert_eq!(back, shown);
        }
    }
}
