use super::*;
use crate::security::history::Trend;

const NOW: i64 = 1_768_471_200_000;

fn row(name: &str, current: f64) -> Row {
    let score = format!(
        r#"{{"currentScore":{current},"maxScore":200,"averageComparativeScores":[{{"basis":"AllTenants","averageScore":45.31}}]}}"#
    );
    Row {
        tenant_id: "11111111-0000-4000-8000-000000000000".to_owned(),
        display_name: name.to_owned(),
        score: serde_json::from_str(&score).ok(),
        open: Some(OpenAlerts {
            high: 3,
            ..OpenAlerts::default()
        }),
        trend: Trend {
            week: Some(-1.26),
            month: Some(2.0),
            line: vec![50.0, 55.5],
        },
        reason: String::new(),
    }
}

#[test]
fn a_customer_is_a_row_with_what_is_known() {
    let nothing = Row {
        tenant_id: "22222222-0000-4000-8000-000000000000".to_owned(),
        reason: "no consent".to_owned(),
        ..Row::default()
    };
    let page = render(&[nothing, row("adatum", 20.0), row("Zava", 111.0)], NOW).unwrap();
    assert!(!page.contains("{{"), "a place was not filled");
    assert_eq!(page.matches("<tr>\n<th scope=\"row\"").count(), 3);
    for shown in [
        "55.5 %",
        "111 of 200",
        "45.3",
        "\u{2212}1.3",
        "+2.0",
        "<polyline points=\"1.0,22.0 99.0,2.0\"",
        "no consent",
        "2026-01-15 10:00 UTC",
        "<dd>32.8 %</dd>",
        "<dd>6</dd>",
        "50 to 59 %: 1",
        "High: 6",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    let at = |text: &str| page.find(text).unwrap();
    assert!(at(">22222222-") < at(">adatum<") && at(">adatum<") < at(">Zava<"));
}

#[test]
fn the_policy_names_what_is_in_the_page_and_nothing_else_can_run() {
    let page = render(&[row("</script><script>alert(1)</script>\"'&", 1.0)], NOW).unwrap();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        assert_eq!(page.matches(open).count(), 1);
        let inside = page.split_once(open).unwrap().1.split_once(close).unwrap().0;
        assert!(page.contains(&format!("'sha256-{}'", digest(inside))));
    }
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;</span>"));
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "it points elsewhere"
    );
    assert!(!page.contains("style=") && !page.contains("onclick"));
}

#[test]
fn no_customers_are_a_page_too() {
    let page = render(&[], NOW).unwrap();
    assert!(page.contains("<dd>0</dd>") && page.contains("<dd>\u{2013}</dd>"));
}

#[test]
fn thousands_are_grouped() {
    assert_eq!(
        [0, 999, 1000, 1_234_567].map(grouped),
        ["0", "999", "1,000", "1,234,567"]
    );
}
