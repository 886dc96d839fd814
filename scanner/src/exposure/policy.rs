//! What does a policy say, statement by statement? IAM's JSON read strictly; what cannot be read is kept as a doubt.

use serde_json::{Map, Value};

use crate::exposure::pattern::{Class, Pattern, Token};

pub mod condition;
mod parse;

pub use condition::{Condition, Operator, Quantifier, Test};
pub use parse::is_account;

/// How many statements we reason about.
pub const STATEMENTS_MAX: usize = 512;

/// A policy as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// Whether a statement gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It gives.
    Allow,
    /// It takes, whatever others give.
    Deny,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// How to name it to a person: its `Sid`, else its place.
    pub label: String,
    /// Gives or takes.
    pub effect: Effect,
    /// Whom it is about.
    pub principals: Choice<PrincipalName>,
    /// What it is about, without regard to case.
    pub actions: Choice<Pattern>,
    /// Where.
    pub resources: Choice<Text>,
    /// All of these must hold.
    pub conditions: Vec<Condition>,
    /// Why it may say something else: then an Allow may allow anything, and a Deny may deny nothing.
    pub doubt: Option<String>,
}

/// `X` or `NotX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<T> {
    /// One of these.
    Of(Vec<T>),
    /// None of these.
    NoneOf(Vec<T>),
}

impl<T> Choice<T> {
    /// Everything.
    pub fn everything() -> Self {
        Self::NoneOf(Vec::new())
    }

    /// Whether something is chosen, given which of the names fit it.
    pub fn holds(&self, fits: impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::Of(names) => names.iter().any(fits),
            Self::NoneOf(names) => !names.iter().any(fits),
        }
    }

    /// The names, whether chosen or excluded.
    pub fn names(&self) -> &[T] {
        match self {
            Self::Of(names) | Self::NoneOf(names) => names,
        }
    }
}

/// A name in a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalName {
    /// `*`, also as `{"AWS": "*"}`: in a resource's policy both include callers without credentials.
    Everyone,
    /// Everyone with credentials of any account; ACLs know it, policies have no word for it.
    SignedIn,
    /// All of an account: its number or its `:root` ARN.
    Account(String),
    /// A user, role or session by ARN.
    Arn(String),
    /// The id of a user or role that no longer exists; nobody can be it.
    Gone(String),
    /// An S3 canonical user id.
    Canonical(String),
    /// An identity provider.
    Federated(String),
    /// An AWS service.
    Service(String),
}

/// Text that may hold policy variables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    /// Its parts, in order.
    pub parts: Vec<Part>,
    /// The text as a pattern, if it holds no variables.
    pattern: Option<Pattern>,
}

/// One part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A character or wildcard.
    Token(Token),
    /// `${key}` or `${key, 'default'}`; the key in lower case.
    Variable {
        /// The condition key.
        key: String,
        /// What stands when the request does not carry the key.
        default: Option<String>,
    },
}

impl Text {
    /// The text as a pattern, if it holds no variables.
    pub fn pattern(&self) -> Option<&Pattern> {
        self.pattern.as_ref()
    }

    /// The keys of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Token(_) => None,
            Part::Variable { key, .. } => Some(key.as_str()),
        })
    }

    /// The text for a person.
    pub fn display(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Token(Token::Char(c)) => text.push(*c),
                Part::Token(Token::One(_)) => text.push('?'),
                Part::Token(Token::Many(_)) => text.push('*'),
                Part::Variable { key, .. } => {
                    text.push_str("${");
                    text.push_str(key);
                    text.push('}');
                }
            }
        }
        text
    }

    /// Reads text; wildcards and variables count only where asked.
    pub fn read(text: &str, wildcards: bool, variables: bool) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if variables && let Some((part, after)) = variable(rest) {
                parts.push(part);
                rest = after;
                continue;
            }
            parts.push(Part::Token(match c {
                '*' if wildcards => Token::Many(Class::Any),
                '?' if wildcards => Token::One(Class::Any),
                c => Token::Char(c),
            }));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        let token = |part: &Part| match part {
            Part::Token(token) => Some(*token),
            Part::Variable { .. } => None,
        };
        let pattern = parts.iter().map(token).collect::<Option<Vec<_>>>().map(Pattern::new);
        Self { parts, pattern }
    }
}

/// Reads `${…}` at the start of `text`. `${*}`, `${?}` and `${$}` are the characters themselves.
fn variable(text: &str) -> Option<(Part, &str)> {
    let (inside, after) = text.strip_prefix("${")?.split_once('}')?;
    if let "*" | "?" | "$" = inside {
        return Some((Part::Token(Token::Char(inside.chars().next()?)), after));
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key, Some(default.to_owned()))
        }
    };
    let key = key.trim().to_ascii_lowercase();
    (!key.is_empty()).then_some((Part::Variable { key, default }, after))
}

impl Policy {
    /// Reads a policy from its JSON. What is no policy at all is an error; a statement that cannot be read is kept as a
    /// doubt.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let map: &Map<String, Value> = value.as_object().ok_or("a policy is a JSON object")?;
        parse::policy(map)
    }
}

#[cfg(test)]
mod tests;
