//! Which values of a condition key need to be tried? One for every way the rules can take it, and no more.

use std::collections::BTreeMap;

use crate::exposure::bits::Bits;
use crate::exposure::pattern::{Class, Pattern, Token, WORK_MAX, regions};
use crate::exposure::policy::condition::{Resolved, Truth, arn_parts, resolved};
use crate::exposure::policy::{Condition, Test};
use crate::exposure::ranges::{IpRange, address, instant_text, pieces, points};

use super::keys::{Domain, TextDomain};
use super::rules::Rule;

/// How many values of one key we try.
const ASSIGNMENTS_MAX: usize = 2_000;

/// A value that a key can hold, and what becomes of the rules that ask for it.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    /// The key's values; empty is a request without the key, `None` a value that we cannot name.
    pub(super) values: Option<Vec<String>>,
    /// How many IPv4 addresses stand for this value.
    pub(super) v4: u128,
    /// How many IPv6 addresses stand for this value.
    pub(super) v6: u128,
    /// Rules that do not apply, giving every doubt to exposure.
    pub(super) out_if_possible: Bits,
    /// Rules that do not apply, giving no doubt to exposure.
    pub(super) out_if_proven: Bits,
}

/// All values of one key that need to be tried.
#[derive(Debug, Clone)]
pub(super) struct Dimension {
    pub(super) key: String,
    /// The rules that ask for the key.
    pub(super) asked_by: Bits,
    pub(super) assignments: Vec<Assignment>,
    /// Whether the value is somebody else's doing.
    pub(super) circumstance: bool,
}

/// A rule's number and one of its conditions.
pub(super) type Asked<'a> = (usize, &'a Condition);

/// What is needed to find a key's values.
pub(super) struct Inquiry<'a> {
    pub(super) key: &'a str,
    pub(super) asked: &'a [Asked<'a>],
    pub(super) rules: &'a [Rule],
    pub(super) resolve: &'a dyn Fn(&str) -> Resolved,
    pub(super) circumstance: bool,
}

/// A value to try: the key's values, and how many addresses it stands for.
type Candidate = (Vec<String>, u128, u128);

impl Inquiry<'_> {
    /// The values to try.
    pub(super) fn dimension(&self, domain: &Domain) -> Dimension {
        let (candidates, exact) = self.candidates(domain);
        let mut rows: Vec<(Option<Candidate>, BTreeMap<usize, Truth>)> = candidates
            .into_iter()
            .map(|candidate| {
                let truths = self.truths(Some(&candidate.0));
                (Some(candidate), truths)
            })
            .collect();
        if !exact || rows.is_empty() {
            rows.push((None, self.asked.iter().map(|(rule, _)| (*rule, Truth::Unknown)).collect()));
        }
        let settled = self.circumstance.then(|| settled(&rows));
        let mut dimension = Dimension {
            key: self.key.to_owned(),
            asked_by: self.asked.iter().map(|(rule, _)| *rule).collect(),
            assignments: Vec::new(),
            circumstance: self.circumstance,
        };
        for (candidate, truths) in rows {
            let proven = settled.as_ref().unwrap_or(&truths);
            let (values, v4, v6) = candidate.map_or((None, 0, 0), |(values, v4, v6)| (Some(values), v4, v6));
            let assignment = Assignment {
                values,
                v4,
                v6,
                out_if_possible: self.out(&truths, true),
                out_if_proven: self.out(proven, false),
            };
            let same = |other: &&mut Assignment| {
                other.out_if_possible == assignment.out_if_possible
                    && other.out_if_proven == assignment.out_if_proven
            };
            match dimension.assignments.iter_mut().find(same) {
                Some(known) => {
                    known.v4 = known.v4.saturating_add(assignment.v4);
                    known.v6 = known.v6.saturating_add(assignment.v6);
                }
                None => dimension.assignments.push(assignment),
            }
        }
        dimension
    }

    /// What each rule's conditions on this key say to a value.
    fn truths(&self, values: Option<&Vec<String>>) -> BTreeMap<usize, Truth> {
        let mut truths = BTreeMap::new();
        for (rule, condition) in self.asked {
            let truth = condition.holds(values.map(Vec::as_slice), self.resolve);
            let known = truths.entry(*rule).or_insert(Truth::True);
            *known = truth.min(*known);
        }
        truths
    }

    fn out(&self, truths: &BTreeMap<usize, Truth>, possible: bool) -> Bits {
        let is_out = |rule: usize, truth: Truth| {
            let allows = self.rules.get(rule).is_none_or(Rule::allows);
            // A doubt keeps an Allow and drops a Deny where we ask what is possible; where we ask for proof, the reverse.
            if allows == possible { truth == Truth::False } else { truth != Truth::True }
        };
        truths.iter().filter(|(rule, truth)| is_out(**rule, **truth)).map(|(rule, _)| *rule).collect()
    }

    fn candidates(&self, domain: &Domain) -> (Vec<Candidate>, bool) {
        let plain = |values: Vec<Vec<String>>| values.into_iter().map(|values| (values, 0, 0)).collect();
        match domain {
            Domain::Missing => (plain(vec![Vec::new()]), true),
            Domain::Fixed(values) => (plain(vec![values.clone()]), true),
            Domain::OneOf(values) => (plain(values.clone()), true),
            Domain::Text(domain) => {
                let (texts, exact) = self.texts(domain);
                let missing = domain.optional.then(Vec::new);
                (plain(missing.into_iter().chain(texts.into_iter().map(|text| vec![text])).collect()), exact)
            }
            Domain::Elsewhere => {
                let (texts, exact) = self.texts(&TextDomain {
                    shapes: vec![Pattern::wildcard("*")],
                    optional: true,
                    vouched_from: None,
                });
                let texts = texts.into_iter().map(|text| vec![text]);
                (plain(std::iter::once(Vec::new()).chain(texts).collect()), exact)
            }
            Domain::Several(domain) => {
                let (sets, exact) = self.sets(domain);
                (plain(sets), exact)
            }
            Domain::Number { least, optional } => {
                let whole = |number: &f64| *number >= *least && number.fract() == 0.0;
                let numbers =
                    points(&self.marks()).into_iter().filter(whole).map(|number| vec![number.to_string()]);
                let missing = optional.then(Vec::new);
                (plain(missing.into_iter().chain(numbers).collect()), self.only(Kind::Number))
            }
            Domain::Instant(earliest) => {
                let mut marks = self.marks();
                marks.push(*earliest);
                let later = points(&marks).into_iter().filter(|instant| instant >= earliest);
                let seconds = self.key == "aws:epochtime";
                let write =
                    |instant: f64| vec![if seconds { instant.to_string() } else { instant_text(instant) }];
                let exact = self.only(Kind::Date) || (seconds && self.only(Kind::Number));
                (plain(later.map(write).collect()), exact)
            }
            Domain::Address(ranges) => (self.addresses(ranges), self.only(Kind::Ip)),
            Domain::Unknown => (Vec::new(), false),
        }
    }

    /// The numbers and instants that conditions compare with.
    fn marks(&self) -> Vec<f64> {
        let marks = |(_, condition): &Asked<'_>| match &condition.test {
            Test::Number { with, .. } | Test::Date { with, .. } => with.clone(),
            _ => Vec::new(),
        };
        self.asked.iter().flat_map(marks).collect()
    }

    /// Whether all conditions compare in one and this way.
    fn only(&self, kind: Kind) -> bool {
        self.asked.iter().all(|(_, condition)| Kind::of(&condition.test).is_none_or(|own| own == kind))
    }

    fn addresses(&self, ranges: &[IpRange]) -> Vec<Candidate> {
        let marks: Vec<IpRange> = self
            .asked
            .iter()
            .flat_map(|(_, condition)| match &condition.test {
                Test::Ip { ranges, .. } => ranges.clone(),
                _ => Vec::new(),
            })
            .collect();
        let candidate = |piece: IpRange| {
            let size = (piece.last - piece.first).saturating_add(1);
            // An address in the middle looks less like a network's own.
            let sample = vec![address(piece.v6, piece.first + (piece.last - piece.first).min(7))];
            if piece.v6 { (sample, 0, size) } else { (sample, size, 0) }
        };
        pieces(ranges, &marks).into_iter().map(candidate).collect()
    }

    /// A text for every way the conditions' patterns can match one; and whether these are all.
    fn texts(&self, domain: &TextDomain) -> (Vec<String>, bool) {
        let mut patterns = Vec::new();
        let mut texts = Vec::new();
        let mut exact = self.only(Kind::Text);
        for (_, condition) in self.asked {
            match &condition.test {
                Test::Text { texts, ignore_case, .. } => {
                    for text in texts {
                        match resolved(text, self.resolve) {
                            Ok((pattern, _)) if *ignore_case => patterns.push(pattern.ignoring_case()),
                            Ok((pattern, _)) => patterns.push(pattern),
                            Err(Truth::Unknown) => exact = false,
                            Err(_) => {}
                        }
                    }
                }
                Test::Arn { texts, .. } => {
                    let pattern =
                        |text| resolved(text, self.resolve).ok().and_then(|(text, _)| arn_parts(&text));
                    patterns.extend(texts.iter().filter_map(pattern).map(|parts| arn_pattern(&parts)));
                }
                Test::Bool(_) => texts.extend(["true".to_owned(), "false".to_owned()]),
                Test::Binary(values) => texts.extend(values.iter().cloned()),
                Test::Unknown(_) => exact = false,
                Test::Null(_) | Test::Number { .. } | Test::Date { .. } | Test::Ip { .. } => {}
            }
        }
        texts.extend(
            points(&self.marks())
                .into_iter()
                .filter(|_| !self.only(Kind::Text))
                .map(|point| point.to_string()),
        );
        patterns.sort();
        patterns.dedup();
        let spelled_out = |at: &usize| {
            let pattern = patterns.get(*at);
            pattern.is_some_and(|pattern| {
                domain.vouched_from.is_some_and(|from| pattern.is_literal() || pattern.head().len() >= from)
            })
        };
        for shape in &domain.shapes {
            match regions(shape, &patterns, WORK_MAX) {
                Ok(found) => {
                    let free = found.into_iter().filter(|region| !region.matched.iter().any(spelled_out));
                    texts.extend(free.map(|region| region.witness));
                }
                Err(_) => exact = false,
            }
        }
        exact &= texts.len() <= ASSIGNMENTS_MAX;
        texts.truncate(ASSIGNMENTS_MAX);
        (texts, exact)
    }

    /// Sets of texts, one for every way the conditions can take a set.
    ///
    /// What a set operator says of a set follows from what it says of the members one by one, so sets are grown member
    /// by member, and only as long as they say something new.
    fn sets(&self, domain: &TextDomain) -> (Vec<Vec<String>>, bool) {
        let (texts, mut exact) = self.texts(domain);
        let mut sets: Vec<Vec<String>> = Vec::new();
        let mut said = Vec::new();
        let mut next = if domain.optional { vec![Vec::new()] } else { Vec::new() };
        next.extend(texts.iter().map(|text| vec![text.clone()]));
        while let Some(set) = next.pop() {
            let says: Vec<Truth> =
                self.asked.iter().map(|(_, condition)| condition.holds(Some(&set), self.resolve)).collect();
            let says = (set.len().min(2), says);
            if said.contains(&says) {
                continue;
            }
            if sets.len() >= ASSIGNMENTS_MAX / 4 {
                exact = false;
                break;
            }
            said.push(says);
            for text in &texts {
                if !set.contains(text) && !set.is_empty() {
                    next.push(set.iter().cloned().chain([text.clone()]).collect());
                }
            }
            sets.push(set);
        }
        sets.sort_by_key(Vec::len);
        (sets, exact)
    }
}

/// Rules on which all values agree; the others cannot be told.
fn settled(rows: &[(Option<Candidate>, BTreeMap<usize, Truth>)]) -> BTreeMap<usize, Truth> {
    let mut settled: BTreeMap<usize, Truth> = BTreeMap::new();
    for (_, truths) in rows {
        for (rule, truth) in truths {
            let known = settled.entry(*rule).or_insert(*truth);
            if known != truth {
                *known = Truth::Unknown;
            }
        }
    }
    settled
}

/// An ARN's pattern as one: a wildcard in one of the first five parts does not reach over a colon.
fn arn_pattern(parts: &[Pattern]) -> Pattern {
    let mut tokens = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            tokens.push(Token::Char(':'));
        }
        let within = |token: &Token| match token {
            Token::Many(Class::Any) if at < 5 => Token::Many(Class::NoColon),
            Token::One(Class::Any) if at < 5 => Token::One(Class::NoColon),
            token => *token,
        };
        tokens.extend(part.tokens().iter().map(within));
    }
    Pattern::new(tokens)
}

/// Ways to compare that need different values to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Date,
    Ip,
}

impl Kind {
    fn of(test: &Test) -> Option<Self> {
        match test {
            Test::Null(_) | Test::Unknown(_) => None,
            Test::Text { .. } | Test::Arn { .. } | Test::Bool(_) | Test::Binary(_) => Some(Self::Text),
            Test::Number { .. } => Some(Self::Number),
            Test::Date { .. } => Some(Self::Date),
            Test::Ip { .. } => Some(Self::Ip),
        }
    }
}
