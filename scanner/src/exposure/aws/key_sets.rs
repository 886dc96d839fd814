//! How are the keys that can be reached written as patterns?

use std::collections::BTreeSet;

use crate::exposure::Keys;
use crate::exposure::pattern::Pattern;

use super::resources::Keyspace;

/// The regions `reached` as a set of keys, and whether it holds exactly them; if not, it holds more.
pub(super) fn keys(space: &Keyspace, reached: &BTreeSet<usize>) -> (Keys, bool) {
    if space.capped {
        return (Keys::all(), false);
    }
    let covers: Vec<BTreeSet<usize>> = (0..space.patterns.len())
        .map(|pattern| {
            let regions = space.regions.iter().enumerate();
            regions.filter(|(_, region)| region.matched.contains(&pattern)).map(|(at, _)| at).collect()
        })
        .collect();
    let clean = largest_first(&covers, |covered| covered.is_subset(reached));
    let mut include = BTreeSet::new();
    let mut left = reached.clone();
    take(&clean, &covers, &mut include, &mut left);
    if left.is_empty() {
        drop_covered(&covers, &mut include);
        return (write(space, &include, &BTreeSet::new()), true);
    }
    // Nothing fits exactly: take what covers the rest, and take out again what lies wholly outside.
    let mut wide = largest_first(&covers, |covered| !covered.is_disjoint(reached));
    wide.reverse();
    take(&wide, &covers, &mut include, &mut left);
    let mut surplus: BTreeSet<usize> = include
        .iter()
        .filter_map(|at| covers.get(*at))
        .flatten()
        .filter(|at| !reached.contains(at))
        .copied()
        .collect();
    drop_covered(&covers, &mut include);
    let outside = largest_first(&covers, |covered| covered.is_disjoint(reached) && !covered.is_empty());
    let mut exclude = BTreeSet::new();
    take(&outside, &covers, &mut exclude, &mut surplus);
    (write(space, &include, &exclude), surplus.is_empty())
}

/// The patterns whose regions pass, those with most regions first and the shorter of equals.
fn largest_first(covers: &[BTreeSet<usize>], passes: impl Fn(&BTreeSet<usize>) -> bool) -> Vec<usize> {
    let mut found: Vec<usize> =
        covers.iter().enumerate().filter(|(_, covered)| passes(covered)).map(|(at, _)| at).collect();
    found.sort_by_key(|at| std::cmp::Reverse(covers.get(*at).map_or(0, BTreeSet::len)));
    found
}

/// Picks patterns, in their order, as long as they cover something that is left.
fn take(
    order: &[usize],
    covers: &[BTreeSet<usize>],
    picked: &mut BTreeSet<usize>,
    left: &mut BTreeSet<usize>,
) {
    for at in order {
        let Some(covered) = covers.get(*at) else { continue };
        if !covered.is_disjoint(left) {
            picked.insert(*at);
            left.retain(|region| !covered.contains(region));
        }
    }
}

/// Takes out patterns whose regions the others cover as well.
fn drop_covered(covers: &[BTreeSet<usize>], picked: &mut BTreeSet<usize>) {
    for at in picked.clone() {
        let others: BTreeSet<usize> = picked
            .iter()
            .filter(|other| **other != at)
            .filter_map(|other| covers.get(*other))
            .flatten()
            .copied()
            .collect();
        if covers.get(at).is_some_and(|covered| covered.is_subset(&others)) {
            picked.remove(&at);
        }
    }
}

fn write(space: &Keyspace, include: &BTreeSet<usize>, exclude: &BTreeSet<usize>) -> Keys {
    let texts = |picked: &BTreeSet<usize>| {
        picked.iter().filter_map(|at| space.patterns.get(*at)).map(Pattern::text).collect()
    };
    Keys { include: texts(include), exclude: texts(exclude) }
}
