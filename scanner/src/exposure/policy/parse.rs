//! How is IAM's JSON read? Strictly: an element that is not in the grammar puts its statement in doubt.
//!
//! Grammar: IAM User Guide, "Grammar of the IAM JSON policy language".

use serde_json::{Map, Value};

use super::{Choice, Condition, Effect, Policy, PrincipalName, STATEMENTS_MAX, Statement, Text};
use crate::exposure::pattern::Pattern;

/// Reads the outermost object.
pub(super) fn policy(map: &Map<String, Value>) -> Result<Policy, String> {
    for name in map.keys() {
        if !["Version", "Id", "Statement"].contains(&name.as_str()) {
            return Err(format!("unknown policy element `{}`", short(name)));
        }
    }
    let variables = match map.get("Version").map(Value::as_str) {
        // Variables are plain text in the older language, which is also the default.
        None | Some(Some("2008-10-17")) => false,
        Some(Some("2012-10-17")) => true,
        Some(_) => return Err("unknown policy version".to_owned()),
    };
    let written: Vec<&Value> = match map.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err("a policy needs a `Statement`".to_owned()),
    };
    if written.len() > STATEMENTS_MAX {
        return Err(format!("{} statements are more than we reason about", written.len()));
    }
    let statements =
        written.iter().enumerate().flat_map(|(at, value)| statement(at, value, variables)).collect();
    Ok(Policy { statements })
}

/// One statement; in doubt it becomes what it may be at worst.
fn statement(at: usize, value: &Value, variables: bool) -> Vec<Statement> {
    let label = value.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
    let label = label.map_or_else(|| format!("#{}", at + 1), short);
    match well_formed(&label, value, variables) {
        Ok(statement) => vec![statement],
        Err(doubt) => {
            let effects = match value.get("Effect").and_then(Value::as_str) {
                Some("Allow") => &[Effect::Allow][..],
                Some("Deny") => &[Effect::Deny],
                _ => &[Effect::Allow, Effect::Deny],
            };
            effects.iter().map(|effect| doubtful(&label, *effect, doubt.clone())).collect()
        }
    }
}

fn doubtful(label: &str, effect: Effect, doubt: String) -> Statement {
    Statement {
        label: label.to_owned(),
        effect,
        principals: Choice::everything(),
        actions: Choice::everything(),
        resources: Choice::everything(),
        conditions: Vec::new(),
        doubt: Some(doubt),
    }
}

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

fn well_formed(label: &str, value: &Value, variables: bool) -> Result<Statement, String> {
    let map = value.as_object().ok_or("a statement is a JSON object")?;
    if let Some(name) = map.keys().find(|name| !ELEMENTS.contains(&name.as_str())) {
        return Err(format!("unknown element `{}`", short(name)));
    }
    let effect = match map.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err("`Effect` is neither Allow nor Deny".to_owned()),
    };
    let principals = choice(map, "Principal", "NotPrincipal", principals)?;
    let actions = choice(map, "Action", "NotAction", |value| {
        strings(value).map(|list| list.iter().map(|text| Pattern::wildcard(text).ignoring_case()).collect())
    })?;
    let resources = choice(map, "Resource", "NotResource", |value| {
        strings(value).map(|list| list.iter().map(|text| Text::read(text, true, variables)).collect())
    })?;
    let conditions = match map.get("Condition") {
        None => Vec::new(),
        Some(value) => Condition::read_all(value, variables)?,
    };
    Ok(Statement { label: label.to_owned(), effect, principals, actions, resources, conditions, doubt: None })
}

fn choice<T>(
    map: &Map<String, Value>,
    name: &str,
    not_name: &str,
    read: impl Fn(&Value) -> Result<Vec<T>, String>,
) -> Result<Choice<T>, String> {
    let part = |value: &Value, name: &str| {
        let names = read(value).map_err(|why| format!("`{name}`: {why}"))?;
        if names.is_empty() { Err(format!("`{name}` is empty")) } else { Ok(names) }
    };
    match (map.get(name), map.get(not_name)) {
        (Some(value), None) => part(value, name).map(Choice::Of),
        (None, Some(value)) => part(value, not_name).map(Choice::NoneOf),
        (Some(_), Some(_)) => Err(format!("both `{name}` and `{not_name}`")),
        (None, None) => Err(format!("neither `{name}` nor `{not_name}`")),
    }
}

/// A string or a list of strings.
pub(super) fn strings(value: &Value) -> Result<Vec<String>, String> {
    let one = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| "not a string".to_owned());
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

fn principals(value: &Value) -> Result<Vec<PrincipalName>, String> {
    let map = match value {
        Value::String(text) if text == "*" => return Ok(vec![PrincipalName::Everyone]),
        Value::Object(map) => map,
        _ => return Err("neither `*` nor an object".to_owned()),
    };
    let mut names = Vec::new();
    for (kind, value) in map {
        for text in strings(value)? {
            names.push(match kind.as_str() {
                "AWS" => aws_principal(&text)?,
                "CanonicalUser" => PrincipalName::Canonical(text),
                "Federated" => PrincipalName::Federated(text),
                "Service" => PrincipalName::Service(text.to_ascii_lowercase()),
                other => return Err(format!("unknown kind `{}`", short(other))),
            });
        }
    }
    Ok(names)
}

fn aws_principal(text: &str) -> Result<PrincipalName, String> {
    if text == "*" {
        return Ok(PrincipalName::Everyone);
    }
    if is_account(text) {
        return Ok(PrincipalName::Account(text.to_owned()));
    }
    let unique_id = text.len() >= 16 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if unique_id && (text.starts_with("AIDA") || text.starts_with("AROA")) {
        return Ok(PrincipalName::Gone(text.to_owned()));
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] if is_account(account) => {
            Ok(PrincipalName::Account((*account).to_owned()))
        }
        // A principal's ARN takes no wildcards: IAM User Guide, "AWS JSON policy elements: Principal".
        ["arn", _, "iam" | "sts", "", _, _] if !text.contains(['*', '?']) => {
            Ok(PrincipalName::Arn(text.to_owned()))
        }
        _ => Err(format!("`{}` names no principal", short(text))),
    }
}

/// Whether `text` is an AWS account's number.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// A name that stood in a policy, cut to what a person needs and freed of control characters.
pub(super) fn short(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
