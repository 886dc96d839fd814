use proptest::prelude::*;

use super::*;

fn of_object(expression: &str) -> Vec<Term> {
    terms(expression, Subject { bucket: "b", object: true })
}

fn words(terms: &[Term]) -> Vec<String> {
    let word = |term: &Term| {
        let but: Vec<String> = term.but.iter().map(Shape::pattern).collect();
        let but = if but.is_empty() { String::new() } else { format!(" but {}", but.join(", ")) };
        format!("{}{but}{}", term.keys.pattern(), if term.doubts.is_empty() { "" } else { " perhaps" })
    };
    terms.iter().map(word).collect()
}

#[test]
fn names_are_read_exactly() {
    for (expression, expected) in [
        (r#"resource.name.startsWith("projects/_/buckets/b/objects/in/")"#, vec!["in/*"]),
        (r#"resource.name.startsWith("projects/_/buckets/b")"#, vec!["*"]),
        (r#"resource.name.startsWith("projects/_/buckets/c")"#, vec![]),
        (r#"resource.name == "projects/_/buckets/b/objects/k""#, vec!["k"]),
        (r#"resource.name != "projects/_/buckets/b/objects/k""#, vec!["* but k"]),
        (r#"resource.name.endsWith('.csv')"#, vec!["*.csv"]),
        (r#"resource.name.extract("/objects/{k}") == "x""#, vec!["* perhaps"]),
        (r#"!resource.name.startsWith("projects/_/buckets/b/objects/in/")"#, vec!["* but in/*"]),
        (
            r#"resource.name.startsWith("projects/_/buckets/b/objects/in/") && resource.name.startsWith("projects/_/buckets/b/objects/in/a")"#,
            vec!["in/a*"],
        ),
        (
            r#"resource.name.startsWith("projects/_/buckets/b/objects/x") && resource.name.startsWith("projects/_/buckets/b/objects/y")"#,
            vec![],
        ),
        (
            r#"(resource.name.startsWith("projects/_/buckets/b/objects/x") || resource.type == "storage.googleapis.com/Bucket") && resource.service == "storage.googleapis.com""#,
            vec!["x*"],
        ),
        ("true", vec!["*"]),
        ("false", vec![]),
        ("", vec!["* perhaps"]),
        ("resource.name.startsWith(", vec!["* perhaps"]),
        (r#"resource.matchTag("1/env", "prod")"#, vec!["* perhaps"]),
        (r#"true ? resource.name == "a" : true"#, vec!["* perhaps"]),
    ] {
        assert_eq!(words(&of_object(expression)), expected, "{expression}");
    }
}

#[test]
fn the_bucket_itself_has_no_keys() {
    let of_bucket = |expression: &str| words(&terms(expression, Subject { bucket: "b", object: false }));
    assert_eq!(of_bucket(r#"resource.name == "projects/_/buckets/b""#), ["*"]);
    assert!(of_bucket(r#"resource.name.startsWith("projects/_/buckets/b/objects/in/")"#).is_empty());
    assert_eq!(of_bucket(r#"resource.type == "storage.googleapis.com/Bucket""#), ["*"]);
}

#[test]
fn what_is_over_is_over_and_what_lies_ahead_is_doubtful() {
    let time = |expression: &str| words(&of_object(expression));
    assert!(time(r#"request.time < timestamp("2020-01-01T00:00:00Z")"#).is_empty());
    assert_eq!(time(r#"request.time > timestamp("2020-01-01T00:00:00Z")"#), ["*"]);
    assert_eq!(time(r#"timestamp("2020-01-01T00:00:00Z") < request.time"#), ["*"]);
    assert_eq!(time(r#"request.time < timestamp("2040-01-01T00:00:00Z")"#), ["* perhaps"]);
    assert_eq!(time(r#"!(request.time >= timestamp("2020-01-01T00:00:00Z"))"#), Vec::<String>::new());
    assert_eq!(time(r#"request.time.getHours("Europe/Berlin") < 9"#), ["* perhaps"]);
}

/// Expressions over names and booleans, with what they come to for a key.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ab]{0,2}"
            .prop_map(|key| format!("resource.name.startsWith(\"projects/_/buckets/b/objects/{key}\")")),
        "[ab]{1,2}".prop_map(|key| format!("resource.name == \"projects/_/buckets/b/objects/{key}\"")),
        "[ab]{1,2}".prop_map(|key| format!("resource.name.endsWith(\"{key}\")")),
        Just("true".to_owned()),
        Just("false".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one} || {two})")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one} && {two})")),
            inner.prop_map(|one| format!("!({one})")),
        ]
    })
}

/// The same language, evaluated for one key, the plain way.
fn holds(expression: &Expression, key: &str) -> bool {
    let name = format!("projects/_/buckets/b/objects/{key}");
    match expression {
        Expression::Or(parts) => parts.iter().any(|part| holds(part, key)),
        Expression::And(parts) => parts.iter().all(|part| holds(part, key)),
        Expression::Not(inner) => !holds(inner, key),
        Expression::Bool(value) => *value,
        Expression::Call { name: method, argument, .. } if method == "startsWith" => {
            name.starts_with(argument)
        }
        Expression::Call { argument, .. } => name.ends_with(argument),
        Expression::Compare { with, .. } => name == *with,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_key_that_fulfils_a_condition_is_never_left_out(expression in expressions(), key in "[abc]{1,3}") {
        let Some(parsed) = parse(&expression) else { panic!("{expression}") };
        let terms = of_object(&expression);
        let of_term = |term: &&Term| term.keys.contains(&key) && !term.but.iter().any(|hole| hole.contains(&key));
        let found = terms.iter().any(|term| of_term(&term));
        if holds(&parsed, &key) {
            prop_assert!(found, "{expression} for {key}: {terms:?}");
        } else {
            // What is too wide says so.
            let sure = terms.iter().filter(|term| term.doubts.is_empty()).any(|term| of_term(&term));
            prop_assert!(!sure, "{expression} for {key}: {terms:?}");
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,80}") {
        of_object(&text);
    }

    #[test]
    fn no_tokens_make_the_reader_panic(text in r#"([()!&|<>=\[\]{}?:,.]|&&|\|\||"a"|resource\.name|timestamp|1| ){0,40}"#) {
        of_object(&text);
    }
}
