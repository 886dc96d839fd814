//! Which statements of a policy open something, and what is left without them?

use serde_json::{Value, json};

/// The statements of a policy, which may be one object instead of a list.
pub(super) fn all(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

/// The statements that take away; they are never touched.
pub(super) fn denials(document: &Value) -> Vec<Value> {
    all(document).into_iter().filter(|statement| !allows(statement)).collect()
}

fn allows(statement: &Value) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some("Allow")
}

/// The policy with other statements.
pub(super) fn with(document: &Value, statements: Vec<Value>) -> Value {
    let mut document = document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("Statement".to_owned(), statements.into());
    }
    document
}

/// The policy without the statements that `opens` says of, and their names; `None` if it says so of none. Where `*` stands
/// in a list beside named principals, only the `*` goes.
pub(super) fn without(document: &Value, opens: impl Fn(&Value) -> bool) -> Option<(Option<Value>, String)> {
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    for (place, statement) in all(document).into_iter().enumerate() {
        if !allows(&statement) || !opens(&statement) {
            kept.push(statement);
            continue;
        }
        let name = name(&statement, place);
        match without_everybody(&statement).filter(|narrower| !opens(narrower)) {
            Some(narrower) => {
                removed.push(format!("`*` of statement {name}"));
                kept.push(narrower);
            }
            None => removed.push(format!("statement {name}")),
        }
    }
    if removed.is_empty() {
        return None;
    }
    let left = (!kept.is_empty()).then(|| with(document, kept));
    Some((left, removed.join(", ")))
}

fn name(statement: &Value, place: usize) -> String {
    match statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()) {
        Some(sid) => {
            let safe: String = sid.chars().filter(|c| !c.is_control()).take(80).collect();
            format!("`{safe}`")
        }
        None => format!("{}", place + 1),
    }
}

/// The statement for its named principals only, where `*` stands in a list beside them.
fn without_everybody(statement: &Value) -> Option<Value> {
    let principals = statement.pointer("/Principal/AWS")?.as_array()?;
    let named: Vec<Value> = principals.iter().filter(|name| *name != "*").cloned().collect();
    if named.is_empty() || named.len() == principals.len() {
        return None;
    }
    let mut narrower = statement.clone();
    *narrower.pointer_mut("/Principal/AWS")? = json!(named);
    Some(narrower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(statement: &Value) -> bool {
        statement["Principal"] == "*"
            || statement["Principal"]["AWS"].as_array().is_some_and(|list| list.contains(&"*".into()))
    }

    #[test]
    fn only_what_opens_is_taken_out() {
        let policy = json!({"Version": "2012-10-17", "Id": "kept", "Statement": [
            {"Sid": "Open", "Effect": "Allow", "Principal": "*"},
            {"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": ["*", "arn:aws:iam::1:root"]}},
            {"Effect": "Deny", "Principal": "*"},
        ]});
        let (left, removed) = without(&policy, open).expect("two open");
        assert_eq!(removed, "statement `Open`, `*` of statement `Partner`");
        let left = left.expect("two are left");
        assert_eq!(left["Id"], "kept");
        assert_eq!(left["Statement"][0]["Principal"]["AWS"], json!(["arn:aws:iam::1:root"]));
        assert_eq!(left["Statement"][1]["Effect"], "Deny");
    }

    #[test]
    fn a_policy_of_which_nothing_is_left_is_none() {
        let policy = json!({"Statement": {"Effect": "Allow", "Principal": "*"}});
        assert_eq!(without(&policy, open), Some((None, "statement 1".to_owned())));
        assert_eq!(without(&json!({"Statement": []}), open), None);
    }
}
