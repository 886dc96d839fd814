//! Which requesters are one to the rules, and which policy variables can be chosen freely?

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::exposure::Audience;
use crate::exposure::bits::Bits;
use crate::exposure::policy::{Choice, Test, Text};

use crate::exposure::aws::dimension::Dimension;
use crate::exposure::aws::rules::Rule;

/// What tells requesters apart. To the rules, those with the same signature are one.
#[derive(Debug)]
pub(in crate::exposure::aws) struct Signature {
    pub(super) audience: Audience,
    pub(super) certain: bool,
    pub(super) named: Bits,
    pub(super) pinned: usize,
    pub(super) dimensions: Vec<Rc<Dimension>>,
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        let same = |(own, other): (&Rc<Dimension>, &Rc<Dimension>)| Rc::ptr_eq(own, other);
        (self.audience, self.certain, self.named, self.pinned)
            == (other.audience, other.certain, other.named, other.pinned)
            && self.dimensions.len() == other.dimensions.len()
            && self.dimensions.iter().zip(&other.dimensions).all(same)
    }
}

/// The keys that serve as a variable once and are asked for nowhere else: for them, what matches for some value can be
/// matched by choosing that value.
pub(super) fn used_once(rules: &[Rule]) -> BTreeSet<String> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    let mut used = |key: &str, times: usize| *uses.entry(entangled(key).to_owned()).or_default() += times;
    let mut keys = BTreeSet::new();
    for rule in rules {
        let times = if rule.allows() && matches!(rule.statement.resources, Choice::Of(_)) { 1 } else { 2 };
        for key in rule.statement.resources.names().iter().flat_map(Text::variables) {
            keys.insert(key.to_owned());
            used(key, times);
        }
        for condition in &rule.statement.conditions {
            used(&condition.key, 2);
            if let Test::Text { texts, negated, .. } | Test::Arn { texts, negated } = &condition.test {
                let times = if *negated || !rule.allows() { 2 } else { 1 };
                for key in texts.iter().flat_map(Text::variables) {
                    keys.insert(key.to_owned());
                    used(key, times);
                }
            }
        }
    }
    keys.retain(|key| uses.get(entangled(key)) == Some(&1));
    keys
}

/// Keys that are parts of one another count as one.
fn entangled(key: &str) -> &str {
    match key {
        "aws:principalarn" | "aws:userid" => "aws:username",
        key => key,
    }
}
