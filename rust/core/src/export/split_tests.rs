//! The splitter against serde_json: what one accepts, the other does, and both cut at the same places.

use super::*;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::Value;

#[derive(Debug, PartialEq)]
struct Cut {
    bytes: Vec<u8>,
    id: Option<String>,
    created: Option<String>,
    flaw: Option<&'static str>,
}

fn split(input: &[u8], chunks: &[usize]) -> Result<Vec<Cut>> {
    let mut splitter = Splitter::new(1 << 20);
    let mut cuts = Vec::new();
    let mut sink = |record: RawRecord<'_>| {
        cuts.push(Cut {
            bytes: record.bytes.to_vec(),
            id: record.id.map(|id| text::unescape(id).into_owned()),
            created: record.created.map(|created| text::unescape(created).into_owned()),
            flaw: record.flaw,
        });
        Ok(())
    };
    let mut rest = input;
    let mut sizes = chunks.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |size| (*size).clamp(1, rest.len()));
        let (chunk, tail) = rest.split_at(size);
        splitter.push(chunk, &mut sink)?;
        rest = tail;
    }
    splitter.finish()?;
    Ok(cuts)
}

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\"\\\\\\r\\n\\t/é\u{1F600}{}\\[\\],:]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let field = prop_oneof![
        Just("Id".to_owned()),
        Just("CreationTime".to_owned()),
        Just("id".to_owned()),
        ".{0,6}"
    ];
    prop::collection::btree_map(field, json(3), 0..6).prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn records_are_cut_as_serde_cuts_them(
        records in prop::collection::vec(record(), 0..5),
        pretty: bool,
        chunks in prop::collection::vec(1usize..40, 1..8),
    ) {
        let input = if pretty { serde_json::to_vec_pretty(&records) } else { serde_json::to_vec(&records) }.unwrap();
        let expected: Vec<&RawValue> = serde_json::from_slice(&input).unwrap();
        let cuts = split(&input, &chunks).unwrap();
        prop_assert_eq!(cuts.len(), expected.len());
        for ((cut, raw), record) in cuts.iter().zip(expected).zip(&records) {
            prop_assert_eq!(&cut.bytes, raw.get().as_bytes());
            prop_assert_eq!(cut.id.as_deref(), record["Id"].as_str());
            prop_assert_eq!(cut.created.as_deref(), record["CreationTime"].as_str());
            prop_assert_eq!(cut.flaw, None);
        }
    }

    #[test]
    fn damage_is_refused_or_flagged_exactly_where_serde_refuses(
        records in prop::collection::vec(record(), 1..3),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            any::<u8>(), prop::sample::select(b"\"\\{}[]:,u0-.eE\n\x00\xFFtn ".to_vec())
        ]), 1..3),
        cut in any::<prop::sample::Index>(),
        shorten: bool,
        chunks in prop::collection::vec(1usize..40, 1..8),
    ) {
        let mut input = serde_json::to_vec(&records).unwrap();
        for (at, byte) in edits {
            let at = at.index(input.len());
            input[at] = byte;
        }
        if shorten {
            input.truncate(cut.index(input.len()));
        }
        let accepted = serde_json::from_slice::<Vec<&RawValue>>(&input)
            .is_ok_and(|values| values.iter().all(|value| value.get().starts_with('{')));
        let whole = split(&input, &chunks).is_ok_and(|cuts| cuts.iter().all(|cut| cut.flaw.is_none()));
        prop_assert_eq!(whole, accepted, "{}", String::from_utf8_lossy(&input));
    }

    #[test]
    fn chunks_make_no_difference(input: Vec<u8>, chunks in prop::collection::vec(1usize..5, 1..4)) {
        let mut text = b"[{\"Id\":\"".to_vec();
        text.extend(input.iter().map(|byte| if *byte == b'"' { b'x' } else { *byte }));
        text.extend(b"\"}]");
        prop_assert_eq!(split(&text, &[usize::MAX]).ok(), split(&text, &chunks).ok());
    }

    #[test]
    fn unescaping_says_what_serde_says(text: String, forms in prop::collection::vec(0u8..3, 1..20)) {
        let mut raw = String::new();
        for (character, form) in text.chars().zip(forms.into_iter().cycle()) {
            if form == 0 || matches!(character, '"' | '\\' | '\0'..='\u{1F}') {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    raw.push_str(&format!("\\u{unit:04x}"));
                }
            } else if form == 1 && character == '/' {
                raw.push_str("\\/");
            } else {
                raw.push(character);
            }
        }
        prop_assert_eq!(text::unescape(raw.as_bytes()), text);
    }
}

#[test]
fn the_first_top_level_field_counts() {
    let input = br#"[{"x":{"Id":"no"},"\u0049d":"yes","Id":"late","CreationTime":5,"CreationTime":"late"}]"#;
    let cuts = split(input, &[3]).unwrap();
    assert_eq!(cuts[0].id.as_deref(), Some("yes"));
    assert_eq!(cuts[0].created, None);
}

#[test]
fn what_is_no_list_of_records_is_an_error() {
    for input in [
        "", " ", "{}", "<html>", "[1]", "[{}", "[{},]", "[{}] x", "[{}{}]", "[\"a\"]", "[[]]", "\u{feff}",
    ] {
        assert_eq!(
            split(input.as_bytes(), &[1]).unwrap_err().kind(),
            Kind::Protocol,
            "{input:?}"
        );
    }
    assert_eq!(split("\u{feff} [ ] ".as_bytes(), &[1]).unwrap(), []);
}

#[test]
fn flaws_are_told_and_the_rest_goes_on() {
    let input = b"[{\"Id\":\"\xFF\"},{\"Id\":\"a\nb\"},{\"Id\":\"\\q\"},{\"Id\":\"good\"}]";
    let cuts = split(input, &[1]).unwrap();
    let flaws: Vec<_> = cuts.iter().map(|cut| cut.flaw).collect();
    assert_eq!(
        flaws,
        [
            Some("invalid UTF-8"),
            Some("a bare control character in a string"),
            Some("a bad escape in a string"),
            None
        ]
    );
}

#[test]
fn memory_is_bounded() {
    let mut splitter = Splitter::new(1000);
    let mut sink = |_: RawRecord<'_>| Ok(());
    splitter.push(b"[{\"a\":\"", &mut sink).unwrap();
    let result = (0..100).try_for_each(|_| splitter.push(&[b'x'; 100], &mut sink));
    assert!(result.unwrap_err().message().contains("larger than 1000 bytes"));

    let mut deep = b"[".to_vec();
    deep.extend(b"{\"a\":".repeat(DEEPEST + 1));
    assert!(split(&deep, &[4096]).unwrap_err().message().contains("nested"));
}

#[test]
fn the_buffer_does_not_grow_with_the_stream() {
    let mut splitter = Splitter::new(1 << 20);
    let mut seen = 0;
    splitter.push(b"[", &mut |_| Ok(())).unwrap();
    for number in 0..2000 {
        let record = format!(
            "{}{{\"Id\":\"{number}\",\"x\":\"{}\"}}",
            if number == 0 { "" } else { "," },
            "y".repeat(500)
        );
        splitter
            .push(record.as_bytes(), &mut |_| {
                seen += 1;
                Ok(())
            })
            .unwrap();
    }
    assert_eq!(seen, 2000);
    assert!(splitter.buffer.capacity() < 4096);
}
