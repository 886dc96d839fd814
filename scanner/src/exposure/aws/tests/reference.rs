//! Is this one request allowed? IAM's rules, read from the JSON and applied one by one: slow, plain, and sharing nothing
//! with the reasoner that it checks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sender {
    Anonymous,
    /// The account, the ARN of user or role, and that of the session.
    Aws {
        account: String,
        arn: String,
        session: Option<String>,
    },
    Service(String),
    Canonical(String),
    Federated(String),
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) sender: Sender,
    pub(super) action: String,
    pub(super) resource: String,
    /// By key in lower case.
    pub(super) context: BTreeMap<String, Vec<String>>,
}

/// Whether the policy allows the request: some statement allows it and none denies it.
pub(super) fn allowed(policy: &Value, request: &Request) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let matching = |effect: &str| {
        statements
            .iter()
            .any(|statement| statement["Effect"] == effect && statement_matches(statement, request))
    };
    matching("Allow") && !matching("Deny")
}

fn list(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn statement_matches(statement: &Value, request: &Request) -> bool {
    let principal = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(value), _) => names(value, &request.sender),
        (_, Some(value)) => !names(value, &request.sender),
        _ => false,
    };
    let lower = request.action.to_lowercase();
    let is_action = |value: &Value| list(value).iter().any(|name| glob(&name.to_lowercase(), &lower));
    let action = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(value), _) => is_action(value),
        (_, Some(value)) => !is_action(value),
        _ => false,
    };
    let is_resource = |value: &Value| {
        list(value)
            .iter()
            .any(|name| expanded(name, request).is_some_and(|name| glob(&name, &request.resource)))
    };
    let resource = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(value), _) => is_resource(value),
        (_, Some(value)) => !is_resource(value),
        _ => false,
    };
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let conditions = conditions.is_none_or(|operators| {
        operators.iter().all(|(operator, keys)| {
            keys.as_object().is_some_and(|keys| {
                keys.iter()
                    .all(|(key, values)| condition(operator, &key.to_lowercase(), &list(values), request))
            })
        })
    });
    principal && action && resource && conditions
}

fn names(value: &Value, sender: &Sender) -> bool {
    if value == "*" {
        return true;
    }
    let Some(kinds) = value.as_object() else { return false };
    kinds.iter().any(|(kind, value)| {
        list(value).iter().any(|name| match (kind.as_str(), sender) {
            ("AWS", _) if name == "*" => true,
            ("AWS", Sender::Aws { account, arn, session }) => {
                name == account
                    || *name == format!("arn:aws:iam::{account}:root")
                    || name == arn
                    || session.as_ref() == Some(name)
            }
            ("Service", Sender::Service(service)) => name == service,
            ("CanonicalUser", Sender::Canonical(id)) => name == id,
            ("Federated", Sender::Federated(provider)) => name == provider,
            _ => false,
        })
    })
}

/// Replaces `${key}`; a key that the request does not carry makes the text match nothing.
fn expanded(text: &str, request: &Request) -> Option<String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = start + rest[start..].find('}')?;
        done.push_str(&rest[..start]);
        let key = rest[start + 2..end].to_lowercase();
        let value = request.context.get(&key)?.first()?;
        // What a variable holds is no pattern.
        done.push_str(&value.replace('*', "\u{1}").replace('?', "\u{2}"));
        rest = &rest[end + 1..];
    }
    done.push_str(rest);
    Some(done)
}

fn glob(pattern: &str, text: &str) -> bool {
    fn step(pattern: &[char], text: &[char]) -> bool {
        match pattern.first() {
            None => text.is_empty(),
            Some('*') => (0..=text.len()).any(|skipped| step(&pattern[1..], &text[skipped..])),
            Some('?') => !text.is_empty() && step(&pattern[1..], &text[1..]),
            Some('\u{1}') => text.first() == Some(&'*') && step(&pattern[1..], &text[1..]),
            Some('\u{2}') => text.first() == Some(&'?') && step(&pattern[1..], &text[1..]),
            Some(own) => text.first() == Some(own) && step(&pattern[1..], &text[1..]),
        }
    }
    step(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn condition(operator: &str, key: &str, wanted: &[String], request: &Request) -> bool {
    let values = request.context.get(key).filter(|values| !values.is_empty());
    if operator == "Null" {
        return wanted.iter().any(|wanted| (wanted == "true") == values.is_none());
    }
    let (quantifier, name) = match operator.split_once(':') {
        Some((quantifier, name)) => (quantifier, name),
        None => ("", operator),
    };
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let negated = name.contains("Not");
    let Some(values) = values else {
        return match quantifier {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => if_exists || negated,
        };
    };
    let passes = |value: &String| {
        let some = wanted.iter().any(|wanted| matches(&name.replace("Not", ""), value, wanted, request));
        some != negated
    };
    match quantifier {
        "ForAllValues" => values.iter().all(passes),
        _ => values.iter().any(passes),
    }
}

fn matches(name: &str, value: &str, wanted: &str, request: &Request) -> bool {
    let text = || expanded(wanted, request);
    match name {
        "StringEquals" => {
            text().is_some_and(|text| text.replace('\u{1}', "*").replace('\u{2}', "?") == value)
        }
        "StringEqualsIgnoreCase" => text().is_some_and(|text| text.to_lowercase() == value.to_lowercase()),
        "StringLike" => text().is_some_and(|text| glob(&text, value)),
        "ArnLike" | "ArnEquals" => text().is_some_and(|text| {
            let (patterns, parts): (Vec<&str>, Vec<&str>) =
                (text.splitn(6, ':').collect(), value.splitn(6, ':').collect());
            patterns.len() == 6
                && parts.len() == 6
                && patterns.iter().zip(parts).all(|(p, part)| glob(p, part))
        }),
        "Bool" => wanted.eq_ignore_ascii_case(value),
        "IpAddress" => in_block(value, wanted),
        name => {
            let (kind, comparison) = if let Some(rest) = name.strip_prefix("Numeric") {
                ("Numeric", rest)
            } else {
                ("Date", &name[4..])
            };
            let read = |text: &str| {
                if kind == "Numeric" { text.parse::<f64>().ok() } else { seconds(text) }
            };
            let (Some(value), Some(wanted)) = (read(value), read(wanted)) else { return false };
            match comparison {
                "Equals" => value == wanted,
                "LessThan" => value < wanted,
                "LessThanEquals" => value <= wanted,
                "GreaterThan" => value > wanted,
                "GreaterThanEquals" => value >= wanted,
                other => panic!("no such operator: {other}"),
            }
        }
    }
}

fn seconds(text: &str) -> Option<f64> {
    let text =
        if text.len() == 10 && text.contains('-') { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let date = OffsetDateTime::parse(&text, &Rfc3339).ok();
    date.map(|date| date.unix_timestamp() as f64).or_else(|| text.parse().ok())
}

fn in_block(address: &str, block: &str) -> bool {
    let (network, bits) = block.split_once('/').unwrap_or((block, "128"));
    let bits: usize = bits.parse().unwrap_or(0);
    let digits = |text: &str| match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => format!("{:032b}", u32::from(address)),
        Ok(IpAddr::V6(address)) => format!("{:0128b}", u128::from(address)),
        Err(_) => String::new(),
    };
    let (address, network) = (digits(address), digits(network));
    let bits = bits.min(network.len());
    !address.is_empty() && address.len() == network.len() && address[..bits] == network[..bits]
}

#[test]
fn the_reference_itself_follows_the_manual() {
    let statement = |condition: Value| serde_json::json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*", "Condition": condition}});
    let request = |key: &str, values: &[&str]| Request {
        sender: Sender::Anonymous,
        action: "s3:getobject".to_owned(),
        resource: "arn:aws:s3:::b/k".to_owned(),
        context: [(key.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())].into(),
    };
    let tag = serde_json::json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}});
    assert!(allowed(&statement(tag.clone()), &request("aws:tagkeys", &["a"])));
    assert!(!allowed(&statement(tag.clone()), &request("aws:tagkeys", &["a", "c"])));
    assert!(allowed(&statement(tag), &request("other", &["c"])));
    let ip = serde_json::json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    assert!(allowed(&statement(ip.clone()), &request("aws:sourceip", &["11.0.0.1"])));
    assert!(!allowed(&statement(ip.clone()), &request("aws:sourceip", &["10.9.0.1"])));
    assert!(allowed(&statement(ip), &request("other", &["c"])));
}
