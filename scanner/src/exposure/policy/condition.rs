//! What does a condition ask, and does a value answer it?
//!
//! Semantics: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued
//! context keys".

mod read;

use super::{Part, Text};
use crate::exposure::pattern::{Class, Pattern, Token, matches_tokens};
use crate::exposure::ranges::{IpRange, instant, ip_range, number};

/// One key of one operator in a `Condition` element.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The condition key in lower case.
    pub key: String,
    /// The condition key as written, for a person.
    pub written: String,
    /// The operator as written, for a person.
    pub operator: String,
    /// What a value must satisfy.
    pub test: Test,
    /// How several values count.
    pub quantifier: Quantifier,
    /// Whether a request without the key passes.
    pub if_exists: bool,
}

impl Eq for Condition {}

/// How the values of a key that may hold several count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// There is one value.
    One,
    /// `ForAllValues:` every value passes; none is fine.
    All,
    /// `ForAnyValue:` some value passes.
    Any,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// The same.
    Equal,
    /// Before, or smaller.
    Less,
    /// Not after.
    LessOrEqual,
    /// After, or larger.
    Greater,
    /// Not before.
    GreaterOrEqual,
}

impl Operator {
    fn compares(self, value: f64, with: f64) -> bool {
        match self {
            Self::Equal => value == with,
            Self::Less => value < with,
            Self::LessOrEqual => value <= with,
            Self::Greater => value > with,
            Self::GreaterOrEqual => value >= with,
        }
    }
}

/// What one value must satisfy.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The key is missing (`true`) or there (`false`).
    Null(Vec<bool>),
    /// Some text matches; negated: none does.
    Text {
        /// The texts.
        texts: Vec<Text>,
        /// Whether case counts not.
        ignore_case: bool,
        /// Whether none may match.
        negated: bool,
    },
    /// Some ARN matches, part by part; negated: none does.
    Arn {
        /// The ARNs.
        texts: Vec<Text>,
        /// Whether none may match.
        negated: bool,
    },
    /// A number compares so with some of these.
    Number {
        /// How.
        operator: Operator,
        /// With what.
        with: Vec<f64>,
        /// Whether with none.
        negated: bool,
    },
    /// An instant, in seconds since 1970, compares so with some of these.
    Date {
        /// How.
        operator: Operator,
        /// With what.
        with: Vec<f64>,
        /// Whether with none.
        negated: bool,
    },
    /// One of these truth values.
    Bool(Vec<bool>),
    /// One of these, in base64.
    Binary(Vec<String>),
    /// An address in one of these ranges; negated: in none.
    Ip {
        /// The ranges.
        ranges: Vec<IpRange>,
        /// Whether in none.
        negated: bool,
    },
    /// We do not know what this asks.
    Unknown(String),
}

impl Test {
    /// Whether it passes where the operator fails: such operators hold for a missing key.
    pub fn negated(&self) -> bool {
        match self {
            Self::Text { negated, .. }
            | Self::Arn { negated, .. }
            | Self::Number { negated, .. }
            | Self::Date { negated, .. }
            | Self::Ip { negated, .. } => *negated,
            Self::Null(_) | Self::Bool(_) | Self::Binary(_) | Self::Unknown(_) => false,
        }
    }
}

/// Yes, no, or we cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// No.
    False,
    /// We cannot tell.
    Unknown,
    /// Yes.
    True,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// What a policy variable stands for in a request.
pub enum Resolved {
    /// This text.
    Text(String),
    /// The request has no such key.
    Missing,
    /// Any text of these characters.
    Anything {
        /// The characters.
        class: Class,
        /// Whether the requester chooses it and nothing else depends on it: then what matches for some choice matches.
        free: bool,
    },
    /// We cannot tell.
    Unknown,
}

impl Condition {
    /// Whether the values of the key pass; `None` is a request without the key.
    pub fn holds(&self, values: Option<&[String]>, resolve: &dyn Fn(&str) -> Resolved) -> Truth {
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&values.is_none_or(<[String]>::is_empty)).into();
        }
        if let Test::Unknown(_) = self.test {
            return Truth::Unknown;
        }
        let present = values.filter(|values| !values.is_empty());
        let Some(values) = present else {
            return match self.quantifier {
                Quantifier::All => true,
                Quantifier::Any => self.if_exists,
                Quantifier::One => self.if_exists || self.test.negated(),
            }
            .into();
        };
        let mut each = values.iter().map(|value| self.test.passes(value, resolve));
        match self.quantifier {
            Quantifier::All => each.min().unwrap_or(Truth::True),
            Quantifier::Any => each.max().unwrap_or(Truth::False),
            // Several values without a set operator: not documented.
            Quantifier::One if values.len() > 1 => Truth::Unknown,
            Quantifier::One => each.next().unwrap_or(Truth::False),
        }
    }
}

fn truth_value(text: &str) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

impl Test {
    fn passes(&self, value: &str, resolve: &dyn Fn(&str) -> Resolved) -> Truth {
        match self {
            Self::Null(_) => Truth::False,
            Self::Unknown(_) => Truth::Unknown,
            Self::Text { texts, ignore_case, negated } => negate(
                *negated,
                texts.iter().map(|text| text_matches(text, value, *ignore_case, resolve)).max(),
            ),
            Self::Arn { texts, negated } => {
                negate(*negated, texts.iter().map(|text| arn_matches(text, value, resolve)).max())
            }
            Self::Number { operator, with, negated } => compare(*operator, number(value), with, *negated),
            Self::Date { operator, with, negated } => compare(*operator, instant(value), with, *negated),
            Self::Bool(wanted) => truth_value(value).is_some_and(|value| wanted.contains(&value)).into(),
            Self::Binary(wanted) => wanted.iter().any(|wanted| wanted == value).into(),
            Self::Ip { ranges, negated } => match ip_range(value) {
                Some(address) => {
                    let inside = ranges.iter().any(|range| range.contains(&address));
                    (inside != *negated).into()
                }
                None => Truth::Unknown,
            },
        }
    }
}

fn compare(operator: Operator, value: Option<f64>, with: &[f64], negated: bool) -> Truth {
    match value {
        Some(value) => (with.iter().any(|with| operator.compares(value, *with)) != negated).into(),
        // A value that is no number: not documented for the negated operators.
        None if negated => Truth::Unknown,
        None => Truth::False,
    }
}

fn negate(negated: bool, matched: Option<Truth>) -> Truth {
    match (matched.unwrap_or(Truth::False), negated) {
        (Truth::Unknown, _) => Truth::Unknown,
        (truth, false) => truth,
        (Truth::True, true) => Truth::False,
        (Truth::False, true) => Truth::True,
    }
}

/// Replaces the variables of `text`; the flag says that the pattern allows more than the request may.
pub(crate) fn resolved(text: &Text, resolve: &dyn Fn(&str) -> Resolved) -> Result<(Pattern, bool), Truth> {
    if let Some(pattern) = text.pattern() {
        return Ok((pattern.clone(), false));
    }
    let mut wider = false;
    let mut tokens = Vec::with_capacity(text.parts.len());
    for part in &text.parts {
        match part {
            Part::Token(token) => tokens.push(*token),
            Part::Variable { key, default } => match (resolve(key), default) {
                (Resolved::Text(text), _) => tokens.extend(text.chars().map(Token::Char)),
                (Resolved::Missing, Some(text)) => tokens.extend(text.chars().map(Token::Char)),
                // IAM User Guide, "Policy variables": a variable without a value matches nothing.
                (Resolved::Missing, None) => return Err(Truth::False),
                (Resolved::Anything { class, free }, _) => {
                    wider |= !free;
                    tokens.extend([Token::One(class), Token::Many(class)]);
                }
                (Resolved::Unknown, _) => return Err(Truth::Unknown),
            },
        }
    }
    Ok((Pattern::new(tokens), wider))
}

fn text_matches(text: &Text, value: &str, ignore_case: bool, resolve: &dyn Fn(&str) -> Resolved) -> Truth {
    let matches = |pattern: &Pattern| {
        if ignore_case { pattern.matches_in_any_case(value) } else { pattern.matches(value) }
    };
    if let Some(pattern) = text.pattern() {
        return matches(pattern).into();
    }
    match resolved(text, resolve) {
        Err(truth) => truth,
        Ok((pattern, wider)) => match (matches(&pattern), wider) {
            (true, true) => Truth::Unknown,
            (matches, _) => matches.into(),
        },
    }
}

/// Each of an ARN's six parts is matched for itself, and only the last may hold a colon: IAM User Guide, "Amazon
/// Resource Name (ARN) condition operators".
fn arn_matches(text: &Text, value: &str, resolve: &dyn Fn(&str) -> Resolved) -> Truth {
    if let Some(pattern) = text.pattern() {
        return arn_pattern_matches(pattern, value).map_or(Truth::Unknown, Truth::from);
    }
    match resolved(text, resolve) {
        Err(truth) => truth,
        Ok((pattern, wider)) => match arn_pattern_matches(&pattern, value) {
            Some(matches) if !(matches && wider) => matches.into(),
            _ => Truth::Unknown,
        },
    }
}

/// `None` if the pattern has fewer than six parts.
fn arn_pattern_matches(pattern: &Pattern, value: &str) -> Option<bool> {
    let colon = |token: &Token| *token == Token::Char(':');
    if pattern.tokens().iter().filter(|token| colon(token)).count() < 5 {
        return None;
    }
    let mut patterns = pattern.tokens().splitn(6, colon);
    let mut parts = value.splitn(6, ':');
    let fits = |part: &str| patterns.next().is_some_and(|tokens| matches_tokens(tokens, part, false));
    let count = value.bytes().filter(|byte| *byte == b':').count();
    Some(count >= 5 && parts.all(fits))
}

/// Cuts an ARN pattern into its six parts; `None` if it has fewer, and what that matches is not documented.
pub(crate) fn arn_parts(pattern: &Pattern) -> Option<Vec<Pattern>> {
    let mut parts: Vec<Vec<Token>> = vec![Vec::new()];
    for token in pattern.tokens() {
        if *token == Token::Char(':') && parts.len() < 6 {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(*token);
        }
    }
    (parts.len() == 6).then(|| parts.into_iter().map(Pattern::new).collect())
}
