//! Which requests fulfil a condition of a binding?
//!
//! Source: IAM, "Attribute reference for IAM Conditions" and "Resource-based access". Exact for `resource.name`,
//! `resource.type`, `resource.service` and bounds of `request.time`; whatever else a condition asks for might be fulfilled,
//! and might be missing, so that it only raises a doubt.

use std::collections::BTreeSet;

use crate::exposure::ranges::{EARLIEST, instant, instant_text};

mod parse;

use parse::{Compared, Expression, parse};

use super::requesters::shown;

/// More alternatives than a condition of IAM's twelve operators can have.
const TERMS_MAX: usize = 64;

/// A set of keys by one shape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Those that start so; all of them if it is empty.
    Prefix(String),
    /// Those that end so.
    Suffix(String),
    /// This one.
    Exactly(String),
}

/// One alternative: the keys that it is about, and why it might not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) keys: Shape,
    pub(super) but: BTreeSet<Shape>,
    pub(super) doubts: BTreeSet<String>,
}

impl Term {
    pub(super) fn below(prefix: &str) -> Self {
        Self { keys: Shape::Prefix(prefix.to_owned()), but: BTreeSet::new(), doubts: BTreeSet::new() }
    }

    fn doubted(doubt: String) -> Self {
        Self { doubts: BTreeSet::from([doubt]), ..Self::below("") }
    }

    /// Both; `None` if no key is left.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let mut doubts: BTreeSet<String> = self.doubts.union(&other.doubts).cloned().collect();
        let keys = match self.keys.and(&other.keys)? {
            (keys, true) => keys,
            (keys, false) => {
                doubts.insert(
                    "a condition on the start and the end of a name is taken by its start".to_owned(),
                );
                keys
            }
        };
        let but: BTreeSet<Shape> =
            self.but.union(&other.but).filter(|hole| hole.and(&keys).is_some()).cloned().collect();
        (!but.iter().any(|hole| hole.holds_all_of(&keys))).then_some(Self { keys, but, doubts })
    }
}

impl Shape {
    /// The keys of both, and whether that is exact.
    fn and(&self, other: &Self) -> Option<(Self, bool)> {
        let both = match (self, other) {
            (Self::Prefix(one), Self::Prefix(two)) if one.starts_with(two.as_str()) => self.clone(),
            (Self::Prefix(one), Self::Prefix(two)) if two.starts_with(one.as_str()) => other.clone(),
            (Self::Suffix(one), Self::Suffix(two)) if one.ends_with(two.as_str()) => self.clone(),
            (Self::Suffix(one), Self::Suffix(two)) if two.ends_with(one.as_str()) => other.clone(),
            (Self::Exactly(key), _) if other.contains(key) => self.clone(),
            (_, Self::Exactly(key)) if self.contains(key) => other.clone(),
            (Self::Prefix(start), Self::Suffix(_)) if start.is_empty() => other.clone(),
            (Self::Suffix(_), Self::Prefix(start)) if start.is_empty() => self.clone(),
            (Self::Prefix(_), Self::Suffix(_)) => return Some((self.clone(), false)),
            (Self::Suffix(_), Self::Prefix(_)) => return Some((other.clone(), false)),
            _ => return None,
        };
        Some((both, true))
    }

    fn contains(&self, key: &str) -> bool {
        match self {
            Self::Prefix(start) => key.starts_with(start.as_str()),
            Self::Suffix(end) => key.ends_with(end.as_str()),
            Self::Exactly(own) => key == own,
        }
    }

    fn holds_all_of(&self, other: &Self) -> bool {
        self == other
            || match (self, other) {
                (Self::Prefix(start), Self::Prefix(longer) | Self::Exactly(longer)) => {
                    longer.starts_with(start.as_str())
                }
                (Self::Suffix(end), Self::Suffix(longer) | Self::Exactly(longer)) => {
                    longer.ends_with(end.as_str())
                }
                _ => false,
            }
    }

    /// As a pattern of keys.
    pub(super) fn pattern(&self) -> String {
        match self {
            Self::Prefix(start) => format!("{start}*"),
            Self::Suffix(end) => format!("*{end}"),
            Self::Exactly(key) => key.clone(),
        }
    }
}

/// What a condition is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject<'a> {
    pub(super) bucket: &'a str,
    /// Any object of the bucket, else the bucket itself.
    pub(super) object: bool,
}

/// The alternatives under which a condition holds; none if it never does.
pub(super) fn terms(expression: &str, subject: Subject<'_>) -> Vec<Term> {
    let undecided =
        || vec![Term::doubted(format!("the condition `{}` cannot be decided here", shown(expression)))];
    match parse(expression) {
        Some(parsed) => subject.terms(&parsed, false).unwrap_or_else(undecided),
        None => undecided(),
    }
}

/// What one test comes to.
enum Test {
    Yes,
    No,
    Keys(Shape),
    Doubt(String),
}

impl Subject<'_> {
    /// `None` if there are too many.
    fn terms(&self, expression: &Expression, negated: bool) -> Option<Vec<Term>> {
        match (expression, negated) {
            (Expression::Not(inner), _) => self.terms(inner, !negated),
            (Expression::Or(parts), false) | (Expression::And(parts), true) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.terms(part, negated)?);
                }
                (all.len() <= TERMS_MAX).then_some(all)
            }
            (Expression::And(parts), false) | (Expression::Or(parts), true) => {
                let mut all = vec![Term::below("")];
                for part in parts {
                    let own = self.terms(part, negated)?;
                    let pairs = all.iter().flat_map(|one| own.iter().filter_map(|two| one.and(two)));
                    all = pairs.collect();
                    if all.len() > TERMS_MAX {
                        return None;
                    }
                }
                Some(all)
            }
            (test, _) => Some(match (self.test(test), negated) {
                (Test::Yes, false) | (Test::No, true) => vec![Term::below("")],
                (Test::No, false) | (Test::Yes, true) => Vec::new(),
                (Test::Keys(keys), false) => vec![Term { keys, ..Term::below("") }],
                (Test::Keys(keys), true) => vec![Term { but: BTreeSet::from([keys]), ..Term::below("") }],
                (Test::Doubt(doubt), _) => vec![Term::doubted(doubt)],
            }),
        }
    }

    fn test(&self, expression: &Expression) -> Test {
        match expression {
            Expression::Bool(true) => Test::Yes,
            Expression::Bool(false) => Test::No,
            Expression::Call { on, name, argument } if on == "resource.name" => {
                self.name_test(name, argument)
            }
            Expression::Call { on, name, argument } if on == "resource.type" || on == "resource.service" => {
                let own = self.attribute(on);
                match name.as_str() {
                    "startsWith" => yes_or_no(own.starts_with(argument.as_str())),
                    "endsWith" => yes_or_no(own.ends_with(argument.as_str())),
                    _ => undecided(expression),
                }
            }
            Expression::Compare { name, with, compared } => match (name.as_str(), compared) {
                ("resource.name", Compared::Equal) => self.name_test("==", with),
                ("resource.type" | "resource.service", Compared::Equal) => {
                    yes_or_no(self.attribute(name) == with.as_str())
                }
                _ => undecided(expression),
            },
            Expression::Time { bound, compared } => time_test(bound, *compared),
            _ => undecided(expression),
        }
    }

    fn attribute(&self, name: &str) -> &'static str {
        match (name, self.object) {
            ("resource.service", _) => "storage.googleapis.com",
            (_, true) => "storage.googleapis.com/Object",
            (_, false) => "storage.googleapis.com/Bucket",
        }
    }

    /// A test of the full name, which is `projects/_/buckets/BUCKET` or that and `/objects/KEY`.
    fn name_test(&self, test: &str, literal: &str) -> Test {
        let bucket = format!("projects/_/buckets/{}", self.bucket);
        if !self.object {
            return match test {
                "startsWith" => yes_or_no(bucket.starts_with(literal)),
                "endsWith" => yes_or_no(bucket.ends_with(literal)),
                "contains" => yes_or_no(bucket.contains(literal)),
                "==" => yes_or_no(bucket == literal),
                _ => Test::Doubt(format!("`resource.name.{}` cannot be decided here", shown(test))),
            };
        }
        let above = format!("{bucket}/objects/");
        let key = literal.strip_prefix(&above);
        match (test, key) {
            ("startsWith", Some("")) => Test::Yes,
            ("startsWith", Some(key)) => exact(Shape::Prefix(key.to_owned())),
            ("startsWith", None) => yes_or_no(above.starts_with(literal)),
            ("==", Some(key)) if !key.is_empty() => exact(Shape::Exactly(key.to_owned())),
            ("==", _) => Test::No,
            ("contains", _) if above.contains(literal) => Test::Yes,
            // An end with a slash could reach into the bucket's part of the name.
            ("endsWith", _) if !literal.contains('/') && !literal.is_empty() => {
                exact(Shape::Suffix(literal.to_owned()))
            }
            _ => Test::Doubt(format!(
                "`resource.name.{}({})` cannot be decided here",
                shown(test),
                shown(literal)
            )),
        }
    }
}

/// Patterns of keys have wildcards, so a key with one in it cannot be told exactly.
fn exact(shape: Shape) -> Test {
    let (Shape::Prefix(text) | Shape::Suffix(text) | Shape::Exactly(text)) = &shape;
    if text.contains(['*', '?']) {
        return Test::Doubt(format!("the name `{}` of a condition holds a wildcard", shown(text)));
    }
    Test::Keys(shape)
}

fn yes_or_no(holds: bool) -> Test {
    if holds { Test::Yes } else { Test::No }
}

fn undecided(expression: &Expression) -> Test {
    Test::Doubt(format!("the condition on `{}` cannot be decided here", shown(&expression.subject())))
}

/// A bound of `request.time`: what is over before this program was written is over; what lies ahead, nobody can tell who
/// reads no clock.
fn time_test(bound: &str, compared: Compared) -> Test {
    let Some(at) = instant(bound).filter(|_| bound.contains('T')) else {
        return Test::Doubt(format!("`{}` of a condition is no time", shown(bound)));
    };
    let until = |bound: f64| {
        format!(
            "the condition holds until {} only, and the caller does not choose the time",
            instant_text(bound)
        )
    };
    let from = |bound: f64| {
        format!(
            "the condition holds from {} on only, and the caller does not choose the time",
            instant_text(bound)
        )
    };
    match compared {
        Compared::Less | Compared::LessOrEqual if at <= EARLIEST => Test::No,
        Compared::Less | Compared::LessOrEqual => Test::Doubt(until(at)),
        Compared::More | Compared::MoreOrEqual if at <= EARLIEST => Test::Yes,
        Compared::More | Compared::MoreOrEqual => Test::Doubt(from(at)),
        Compared::Equal if at < EARLIEST => Test::No,
        Compared::Equal => Test::Doubt(until(at)),
    }
}

#[cfg(test)]
mod tests;
