//! Which keys do the rules tell apart, and which rules are about which of them?

use std::collections::HashMap;

use crate::exposure::bits::Bits;
use crate::exposure::pattern::{Pattern, Region, WORK_MAX, regions};
use crate::exposure::policy::condition::{Resolved, Truth, resolved};
use crate::exposure::policy::{Choice, Text};

use super::rules::Rule;

/// The names by which a layer of rules calls the bucket and its objects.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The ARN of the bucket or access point itself.
    pub(super) own: String,
    /// What stands before an object's key.
    pub(super) before_key: String,
}

/// Keys and rules, seen with one requester's eyes.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// For each region of keys: the rules that are certainly about it.
    pub(super) certain: Vec<Bits>,
    /// For each region of keys: the rules that may be about it.
    pub(super) possible: Vec<Bits>,
    /// For each rule: the regions that it may be about.
    pub(super) about: Vec<Vec<usize>>,
    /// The same for the bucket itself.
    pub(super) own_certain: Bits,
    pub(super) own_possible: Bits,
}

/// All keys, cut into regions that the rules treat alike.
#[derive(Debug)]
pub(super) struct Keyspace {
    pub(super) patterns: Vec<Pattern>,
    pub(super) regions: Vec<Region>,
    /// Whether there were too many combinations; then there is one region, and nothing is certain about it.
    pub(super) capped: bool,
    places: HashMap<Pattern, usize>,
}

/// How a rule's resource reads for a requester.
enum Reading {
    /// These patterns on keys (by number); whether the bucket itself is meant; whether it may read narrower.
    Patterns {
        keys: Vec<usize>,
        own: bool,
        wider: bool,
    },
    Nothing,
    Unknown,
}

/// How policy variables read, one function a requester.
pub(super) type Resolve<'a> = &'a dyn Fn(&str) -> Resolved;

impl Keyspace {
    /// Cuts the keys of `template` by the resources of all rules, as each requester reads them.
    pub(super) fn new(template: &Pattern, rules: &[(Rule, Names)], resolves: &[Resolve<'_>]) -> Self {
        let mut keyspace =
            Self { patterns: Vec::new(), regions: Vec::new(), capped: false, places: HashMap::new() };
        // One key is best called by its name.
        keyspace.place(if template.is_literal() { template.clone() } else { Pattern::wildcard("*") });
        for (rule, names) in rules {
            for text in rule.statement.resources.names() {
                for resolve in resolves {
                    if let Ok((pattern, _)) = resolved(text, resolve) {
                        for rest in pattern.after(&names.before_key) {
                            keyspace.place(rest);
                        }
                    }
                    if text.variables().next().is_none() {
                        break;
                    }
                }
            }
        }
        match regions(template, &keyspace.patterns, WORK_MAX) {
            Ok(regions) => keyspace.regions = regions,
            Err(_) => {
                keyspace.capped = true;
                keyspace.regions = vec![Region { witness: "any-key".to_owned(), matched: [0].into() }];
            }
        }
        keyspace
    }

    fn place(&mut self, pattern: Pattern) -> usize {
        let next = self.patterns.len();
        let at = *self.places.entry(pattern.clone()).or_insert(next);
        if at == next {
            self.patterns.push(pattern);
        }
        at
    }

    fn read(&self, text: &Text, names: &Names, resolve: Resolve<'_>) -> Reading {
        match resolved(text, resolve) {
            Err(Truth::Unknown) => Reading::Unknown,
            Err(_) => Reading::Nothing,
            Ok((pattern, wider)) => {
                let rest = pattern.after(&names.before_key);
                let keys = rest.iter().filter_map(|rest| self.places.get(rest).copied()).collect();
                Reading::Patterns { keys, own: pattern.matches(&names.own), wider }
            }
        }
    }

    /// The rules and keys as a requester sees them.
    pub(super) fn view(&self, rules: &[(Rule, Names)], resolve: Resolve<'_>) -> View {
        let mut view = View {
            certain: vec![Bits::default(); self.regions.len()],
            possible: vec![Bits::default(); self.regions.len()],
            about: vec![Vec::new(); rules.len()],
            own_certain: Bits::default(),
            own_possible: Bits::default(),
        };
        for (number, (rule, names)) in rules.iter().enumerate() {
            let choice = &rule.statement.resources;
            let readings: Vec<Reading> =
                choice.names().iter().map(|text| self.read(text, names, resolve)).collect();
            for (at, region) in self.regions.iter().enumerate() {
                let truth =
                    negated(choice, readings.iter().map(|reading| self.about_key(reading, region)).max());
                view.mark(at, number, truth);
            }
            match negated(choice, readings.iter().map(about_own).max()) {
                Truth::True => {
                    view.own_certain.insert(number);
                    view.own_possible.insert(number);
                }
                Truth::Unknown => view.own_possible.insert(number),
                Truth::False => {}
            }
        }
        view
    }

    fn about_key(&self, reading: &Reading, region: &Region) -> Truth {
        match reading {
            Reading::Nothing => Truth::False,
            Reading::Unknown => Truth::Unknown,
            Reading::Patterns { keys, wider, .. } => {
                let matches = keys.iter().any(|key| region.matched.contains(key));
                if self.capped && !matches && !keys.is_empty() {
                    return Truth::Unknown;
                }
                if matches && *wider { Truth::Unknown } else { matches.into() }
            }
        }
    }
}

fn about_own(reading: &Reading) -> Truth {
    match reading {
        Reading::Nothing => Truth::False,
        Reading::Unknown => Truth::Unknown,
        Reading::Patterns { own: true, wider: true, .. } => Truth::Unknown,
        Reading::Patterns { own, .. } => (*own).into(),
    }
}

fn negated(choice: &Choice<Text>, truth: Option<Truth>) -> Truth {
    let truth = truth.unwrap_or(Truth::False);
    match (choice, truth) {
        (Choice::Of(_), truth) => truth,
        (Choice::NoneOf(_), Truth::True) => Truth::False,
        (Choice::NoneOf(_), Truth::False) => Truth::True,
        (Choice::NoneOf(_), Truth::Unknown) => Truth::Unknown,
    }
}

impl View {
    fn mark(&mut self, region: usize, rule: usize, truth: Truth) {
        if truth == Truth::True
            && let Some(bits) = self.certain.get_mut(region)
        {
            bits.insert(rule);
        }
        if truth != Truth::False {
            if let Some(bits) = self.possible.get_mut(region) {
                bits.insert(rule);
            }
            if let Some(about) = self.about.get_mut(rule) {
                about.push(region);
            }
        }
    }
}
