//! Does somebody else's evaluator agree with our reference? `iam-rs` decides the same generated pairs.
//!
//! Where the two are known to differ, the policy is brought into the form in which they agree before it is shown to
//! `iam-rs`, and the reason stands beside it; the manual is on the reference's side each time.

use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::generated::policy;
use super::outsiders::{Dice, outsider};
use super::reference::{Request, Sender, allowed};

const REQUESTS_PER_POLICY: usize = 20;

/// A policy as `iam-rs` understands it; `None` if it says something that `iam-rs` has no words for.
fn in_their_words(policy: &Value) -> Option<Value> {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut()? {
        for name in ["Principal", "NotPrincipal"] {
            if let Some(principals) = statement.get_mut(name) {
                *principals = their_principals(principals);
            }
        }
        let conditions = statement.get("Condition").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut theirs = Map::new();
        for (operator, keys) in conditions {
            // There is no operator with both a set prefix and IfExists, though the manual allows it.
            if operator.contains(':') && operator.ends_with("IfExists") {
                return None;
            }
            // "ArnEquals and ArnLike behave identically"; here only the latter takes wildcards.
            let name = operator.replace("ArnEquals", "ArnLike").replace("ArnNotEquals", "ArnNotLike");
            let entry = theirs.entry(name).or_insert_with(|| json!({}));
            for (key, values) in keys.as_object()? {
                // One key twice, once under each name, would be lost.
                if entry.get(key).is_some() {
                    return None;
                }
                entry[key] = values.clone();
            }
        }
        if !theirs.is_empty() {
            statement["Condition"] = Value::Object(theirs);
        }
    }
    Some(policy)
}

fn their_principals(principals: &Value) -> Value {
    // In a bucket's policy {"AWS": "*"} is everyone, services and anonymous callers too; here only AWS principals.
    if *principals == json!({"AWS": "*"}) {
        return json!("*");
    }
    let account = |name: &str| {
        // An account stands for everybody in it, by number or by root ARN; here only for its root.
        let number =
            name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")).unwrap_or(name);
        let is_account = number.len() == 12 && number.chars().all(|c| c.is_ascii_digit());
        if is_account { format!("arn:aws:iam::{number}:*") } else { name.to_owned() }
    };
    match principals.get("AWS") {
        Some(Value::String(name)) => json!({"AWS": account(name)}),
        Some(Value::Array(names)) => {
            let names: Vec<String> = names.iter().filter_map(Value::as_str).map(account).collect();
            json!({"AWS": names})
        }
        _ => principals.clone(),
    }
}

fn their_decision(policy: &Value, request: &Request) -> Result<bool, String> {
    let policy: IAMPolicy = serde_json::from_value(policy.clone()).map_err(|error| error.to_string())?;
    let name = |name: &str| PrincipalId::String(name.to_owned());
    let principal = match &request.sender {
        Sender::Anonymous => Principal::Federated(name("nobody.invalid")),
        Sender::Aws { arn, .. } => Principal::Aws(name(arn)),
        Sender::Service(service) => Principal::Service(name(service)),
        Sender::Canonical(id) => Principal::CanonicalUser(name(id)),
        Sender::Federated(provider) => Principal::Federated(name(provider)),
    };
    let mut context = Context::new();
    for (key, values) in &request.context {
        let value = match (key.as_str(), values.as_slice()) {
            ("s3:max-keys" | "s3:tlsversion", [number]) => {
                ContextValue::Number(number.parse().map_err(|_| format!("`{number}` is no number"))?)
            }
            ("aws:securetransport", [flag]) => ContextValue::Boolean(flag == "true"),
            ("aws:principalorgpaths" | "s3:requestobjecttagkeys", many) => {
                ContextValue::StringList(many.to_vec())
            }
            (_, [text]) => ContextValue::String(text.clone()),
            (_, many) => ContextValue::StringList(many.to_vec()),
        };
        context.insert(key.clone(), value);
    }
    let resource = Arn::parse(&request.resource).map_err(|error| error.to_string())?;
    let request = IAMRequest::new_with_context(principal, request.action.clone(), resource, context);
    evaluate_policy(&policy, &request)
        .map(|decision| decision == Decision::Allow)
        .map_err(|error| error.to_string())
}

#[test]
fn the_reference_agrees_with_another_evaluator() {
    let config = Config { cases: 1_500, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let compared = std::cell::Cell::new(0);
    let outcome = runner.run(&(policy(), any::<u64>()), |(policy, seed)| {
        let Some(theirs) = in_their_words(&policy) else { return Ok(()) };
        let mut dice = Dice(seed);
        for _ in 0..REQUESTS_PER_POLICY {
            let (request, _) = outsider(&mut dice);
            let reference = allowed(&policy, &request);
            let other = their_decision(&theirs, &request);
            prop_assert!(other == Ok(reference), "reference {reference}, iam-rs {other:?}: {request:#?}");
            compared.set(compared.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(compared.get() > 20_000, "only {} pairs were in words that both know", compared.get());
}
