use super::*;
use proptest::prelude::*;
use serde_json::json;

fn spec(value: &Value) -> Spec {
    Spec::from_text(value.to_string(), None)
}

fn upload(value: &Value) -> Result<String, DocumentError> {
    upload_documents(&spec(value)).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// What `kfp-api.md` says, once more and without a look at the code: which characters may stand
/// raw in the file, and which escapes may.
fn is_safe_text(text: &str) -> bool {
    let raw = text.chars().all(|character| {
        matches!(character, '\n' | ' '..='\u{7E}' | '\u{A0}'..='\u{2027}' | '\u{202A}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}' | '\u{10000}'..)
    });
    let mut escapes = text.split("\\\\").flat_map(|piece| piece.split('\\').skip(1));
    raw && escapes.all(|after| match after.as_bytes()[0] {
        b'"' | b'n' | b'r' | b't' => true,
        b'u' => {
            let code = u32::from_str_radix(&after[1..5], 16).unwrap();
            matches!(code, 0..0x20 | 0xFEFF | 0xFFFE | 0xFFFF)
        }
        _ => false,
    })
}

fn is_refused(character: char) -> bool {
    matches!(u32::from(character), 0x7F..=0x9F | 0x2028 | 0x2029)
}

#[test]
fn every_scalar_value_is_safe_or_refused_by_name() {
    // In blocks, because reading 1.1 million files one by one takes minutes.
    let all: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
    for character in all.iter().copied().filter(|character| is_refused(*character)) {
        for text in [
            format!("{character}"),
            format!(" {character} "),
            format!("a{character}b"),
        ] {
            let error = upload(&json!({"root": {"note": text}})).unwrap_err();
            assert!(
                matches!(&error, DocumentError::Character { path, in_key: false, character: found } if path == "root.note" && *found == character),
                "{error}"
            );
            let error = upload(&json!({"root": {text: 1}})).unwrap_err();
            assert!(
                matches!(error, DocumentError::Character { in_key: true, .. }),
                "{error}"
            );
        }
    }
    let kept: Vec<char> = all
        .into_iter()
        .filter(|character| !is_refused(*character))
        .collect();
    for character in &kept {
        for text in [
            format!("{character}"),
            format!(" {character} "),
            format!("a{character}b"),
        ] {
            let mut written = String::new();
            write_string(&mut written, &text).unwrap();
            assert!(is_safe_text(&written), "U+{:04X}", u32::from(*character));
        }
    }
    // Read again one by one in the basic plane, where all the exceptions are, in sixteens beyond.
    let (basic, astral): (Vec<char>, Vec<char>) =
        kept.into_iter().partition(|character| character.len_utf8() < 4);
    for block in basic
        .chunks(1)
        .chain(astral.chunks(16))
        .collect::<Vec<_>>()
        .chunks(4096)
    {
        let members: serde_json::Map<String, Value> = block
            .iter()
            .map(|characters| {
                let alone: String = characters.iter().collect();
                let spaced: String = characters
                    .iter()
                    .flat_map(|character| [' ', *character, ' '])
                    .collect();
                (format!("k{spaced}"), json!([alone, spaced, format!("a{alone}b")]))
            })
            .collect();
        let value = Value::Object(members);
        let file = upload(&value).unwrap();
        assert!(
            is_safe_text(&file),
            "U+{:04X} and following",
            u32::from(block[0][0])
        );
        assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), value);
    }
}

#[test]
fn two_documents_are_joined_as_the_recordings_show() {
    let spec = Spec::from_text(
        r#"{"root":{}}"#,
        Some(r#"{"platforms":{"kubernetes":{}}}"#.into()),
    );
    let file = String::from_utf8(upload_documents(&spec).unwrap()).unwrap();
    assert_eq!(
        file,
        "{\"root\": {}}\n---\n{\"platforms\": {\"kubernetes\": {}}}\n"
    );
}

#[test]
fn strings_that_look_like_other_things_stay_strings() {
    let value = json!({"root": {"list": ["1e3", "0o10", "yes", "1_000", "12:30:45", "NaN", ".inf", "~", "null",
        "true", "", " ", "<<", "- a", "---", "%TAG", "!x", "&a", "*a", "a: b", "#", "1e400", "2026-01-01"],
        "numbers": [0, -0.0, 3, 3.5, 1e21, 1e300, 5e-324, 9_007_199_254_740_993_i64, u64::MAX, i64::MIN]}});
    let file = upload(&value).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), value);
}

#[test]
fn the_offending_string_is_named_with_a_way_out() {
    let command = json!({"deploymentSpec": {"executors": {"exec-a": {"container": {"command": ["sh", "print('\u{7f}')"]}}}}});
    let failure = upload(&command).unwrap_err().failure();
    assert!(
        failure
            .message
            .contains("deploymentSpec.executors.exec-a.container.command[1]"),
        "{failure}"
    );
    assert!(failure.message.contains("U+007F"), "{failure}");
    assert!(failure.hint.unwrap().contains("\\u007f"));
}

#[test]
fn keys_are_limited_as_written() {
    let key = "k".repeat(1022);
    upload(&json!({ key: 1 })).unwrap();
    let error = upload(&json!({ "k".repeat(1023): 1 })).unwrap_err();
    assert!(
        matches!(error, DocumentError::KeyTooLong { bytes: 1025, .. }),
        "{error}"
    );
    // An escape takes six bytes, an astral character four.
    upload(&json!({ "🚀".repeat(255): 1 })).unwrap();
    upload(&json!({ "🚀".repeat(256): 1 })).unwrap_err();
    upload(&json!({ "\u{1}".repeat(171): 1 })).unwrap_err();
    upload(&json!({ "\u{1}".repeat(170): 1 })).unwrap();
}

#[test]
fn what_is_too_large_is_refused() {
    let error = upload(&json!({"root": "x".repeat(MAX_BYTES)})).unwrap_err();
    assert!(matches!(error, DocumentError::TooLarge { .. }), "{error}");
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["", "[]", "3", "{", "null"] {
        let error = upload_documents(&Spec::from_text(text, None)).unwrap_err();
        assert!(
            matches!(error, DocumentError::Unparsable { .. }),
            "{text}: {error}"
        );
    }
}

#[test]
fn the_check_finds_what_it_is_there_for() {
    let meant = json!({"a": "1e3"});
    let changed = reread("pipeline spec", r#"{"a": 1e3}"#, &meant).unwrap_err();
    assert!(changed.to_string().contains("`a` changed"), "{changed}");
    reread("pipeline spec", r#"{"a": "\ud83d\ude00"}"#, &json!({"a": "😀"})).unwrap_err();
    reread(
        "pipeline spec",
        &format!(r#"{{"{}": 1}}"#, "k".repeat(1023)),
        &json!({"k".repeat(1023): 1}),
    )
    .unwrap_err();
    reread("pipeline spec", "{\"a\": \"\u{80}\"}", &json!({"a": "\u{80}"})).unwrap_err();
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            any::<char>(),
            prop::sample::select(vec![
                ' ', '\t', '\n', '\r', '"', '\\', '/', '\u{FEFF}', '#', ':', '-', '{', ']', ','
            ]),
        ],
        0..12,
    )
    .prop_map(|characters| {
        characters
            .into_iter()
            .filter(|character| !is_refused(*character))
            .collect()
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(text(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_written_is_safe_and_reads_back(value in any_value()) {
        let value = json!({"root": value});
        let file = upload(&value).unwrap();
        prop_assert!(is_safe_text(&file));
        prop_assert!(same(&serde_json::from_str(&file).unwrap(), &value, &mut Path::default()));
    }
}
