//! Is IAM's JSON read as IAM reads it, and is everything else a doubt?

use serde_json::json;

use super::*;

#[test]
fn a_statement_may_stand_alone_or_in_a_list() {
    let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"});
    let alone = Policy::from_value(&json!({"Statement": statement})).expect("a policy");
    let listed = Policy::from_value(&json!({"Statement": [statement]})).expect("a policy");
    assert_eq!(alone, listed);
    assert!(alone.statements[0].doubt.is_none());
}

#[test]
fn what_is_no_policy_is_an_error() {
    for value in [
        json!([]),
        json!({}),
        json!({"Statement": 3}),
        json!({"Version": "2030-01-01", "Statement": []}),
        json!({"Statment": []}),
    ] {
        assert!(Policy::from_value(&value).is_err(), "{value}");
    }
}

#[test]
fn an_unreadable_statement_is_a_doubt_of_its_effect() {
    let policy = Policy::from_value(&json!({"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": 3, "Resource": "*"},
        {"Effect": "allow", "Principal": "*", "Action": "*", "Resource": "*"},
    ]}))
    .expect("a policy");
    let doubts: Vec<Effect> = policy.statements.iter().map(|statement| statement.effect).collect();
    assert_eq!(doubts, [Effect::Deny, Effect::Allow, Effect::Deny]);
    assert!(policy.statements.iter().all(|statement| statement.doubt.is_some()));
}

#[test]
fn variables_count_only_in_the_newer_language() {
    let variables = |version: &str| {
        let policy = Policy::from_value(&json!({"Version": version, "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "home/${aws:UserName}/${*}"}
        ]}))
        .expect("a policy");
        policy.statements[0].resources.names()[0].variables().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(variables("2012-10-17"), ["aws:username"]);
    assert_eq!(variables("2008-10-17"), Vec::<String>::new());
}

#[test]
fn a_default_stands_in_for_a_missing_variable() {
    let missing = |_: &str| condition::Resolved::Missing;
    let text = Text::read("home/${aws:username, 'guest'}/*", true, true);
    let (pattern, _) = condition::resolved(&text, &missing).expect("a default");
    assert!(pattern.matches("home/guest/x"));
    assert!(condition::resolved(&Text::read("home/${aws:username}/*", true, true), &missing).is_err());
}
