//! How is a `Condition` element read? What cannot be read is a doubt of that condition alone.

use serde_json::Value;

use super::{Condition, Operator, Quantifier, Test, truth_value};
use crate::exposure::policy::Text;
use crate::exposure::policy::parse::short;
use crate::exposure::ranges::{instant, ip_range, number};

impl Condition {
    /// Reads a whole `Condition` element.
    pub fn read_all(value: &Value, variables: bool) -> Result<Vec<Self>, String> {
        let map = value.as_object().ok_or("`Condition` is not an object")?;
        let mut conditions = Vec::new();
        for (operator, keys) in map {
            let keys = keys.as_object().ok_or_else(|| format!("`{}` is not an object", short(operator)))?;
            for (key, values) in keys {
                conditions.push(Self::read(operator, key, values, variables)?);
            }
        }
        Ok(conditions)
    }

    fn read(operator: &str, key: &str, values: &Value, variables: bool) -> Result<Self, String> {
        let (quantifier, name) = if let Some(rest) = operator.strip_prefix("ForAllValues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = operator.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::One, operator)
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let values = scalars(values).map_err(|why| format!("`{}`: {why}", short(key)))?;
        // What we cannot read is this condition's doubt alone: the rest of the statement still limits it.
        let test = Test::read(name, &values, variables)
            .unwrap_or_else(|why| Test::Unknown(format!("`{}` of `{}`: {why}", short(operator), short(key))));
        if matches!(test, Test::Null(_)) && (if_exists || quantifier != Quantifier::One) {
            return Err("`Null` takes neither a set operator nor IfExists".to_owned());
        }
        Ok(Self {
            key: key.to_ascii_lowercase(),
            written: short(key),
            operator: short(operator),
            test,
            quantifier,
            if_exists,
        })
    }
}

/// The scalars of a condition's value, as text.
fn scalars(value: &Value) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("a value is neither text, number nor truth value".to_owned()),
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

fn each<T>(values: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    values
        .iter()
        .map(|text| read(text).ok_or_else(|| format!("`{}` is no such value", short(text))))
        .collect()
}

impl Test {
    fn read(name: &str, values: &[String], variables: bool) -> Result<Self, String> {
        let texts = |wildcards| values.iter().map(|text| Text::read(text, wildcards, variables)).collect();
        let text =
            |wildcards, ignore_case, negated| Self::Text { texts: texts(wildcards), ignore_case, negated };
        let arn = |negated| Self::Arn { texts: texts(true), negated };
        let ip = |negated| each(values, ip_range).map(|ranges| Self::Ip { ranges, negated });
        Ok(match name {
            "StringEquals" => text(false, false, false),
            "StringNotEquals" => text(false, false, true),
            "StringEqualsIgnoreCase" => text(false, true, false),
            "StringNotEqualsIgnoreCase" => text(false, true, true),
            "StringLike" => text(true, false, false),
            "StringNotLike" => text(true, false, true),
            "ArnEquals" | "ArnLike" => arn(false),
            "ArnNotEquals" | "ArnNotLike" => arn(true),
            "Bool" => Self::Bool(each(values, truth_value)?),
            "Null" => Self::Null(each(values, truth_value)?),
            "BinaryEquals" => Self::Binary(values.to_vec()),
            "IpAddress" => ip(false)?,
            "NotIpAddress" => ip(true)?,
            name => match name.strip_prefix("Numeric") {
                Some(rest) => {
                    let (operator, negated) = comparison(rest)?;
                    Self::Number { operator, with: each(values, number)?, negated }
                }
                None => {
                    let rest = name.strip_prefix("Date").ok_or("unknown operator")?;
                    let (operator, negated) = comparison(rest)?;
                    Self::Date { operator, with: each(values, instant)?, negated }
                }
            },
        })
    }
}

fn comparison(rest: &str) -> Result<(Operator, bool), String> {
    Ok(match rest {
        "Equals" => (Operator::Equal, false),
        "NotEquals" => (Operator::Equal, true),
        "LessThan" => (Operator::Less, false),
        "LessThanEquals" => (Operator::LessOrEqual, false),
        "GreaterThan" => (Operator::Greater, false),
        "GreaterThanEquals" => (Operator::GreaterOrEqual, false),
        _ => return Err("unknown operator".to_owned()),
    })
}
