//! What differs between two looks at one problem, in words that a ticket can carry?

use std::collections::BTreeSet;

use super::Finding;
use crate::exposure::{Access, Audience, Certainty};

/// Counts up to here are exact; beyond, each run estimates anew, within this share.
const EXACT_MAX: u64 = 1_000;
const ESTIMATE_SHARE: u64 = 20;

/// The differences; none where a ticket needs no word.
pub(super) fn between(before: &Finding, now: &Finding) -> Vec<String> {
    let mut changes = Vec::new();
    if before.severity != now.severity {
        changes.push(format!("severity: {} → {}", before.severity.as_str(), now.severity.as_str()));
    }
    let (old, new) = (ways(before), ways(now));
    if old != new {
        let (old, new) = (widest(&old), widest(&new));
        changes.push(if old == new {
            "other ways in".to_owned()
        } else {
            format!("reached by: {} → {}", said(old), said(new))
        });
    }
    let mut counted = |what: &str, before: u64, now: u64, slack: u64| {
        if before.abs_diff(now) > slack {
            changes.push(format!("{what}: {before} → {now}"));
        }
    };
    counted("objects", before.objects.count, now.objects.count, 0);
    let distinct =
        |finding: &Finding| finding.detections.iter().map(|found| found.distinct).max().unwrap_or(0);
    let (old, new) = (distinct(before), distinct(now));
    let most = old.max(new);
    counted("distinct", old, new, if most <= EXACT_MAX { 0 } else { most / ESTIMATE_SHARE });
    changes
}

type Way<'a> = (Audience, Certainty, &'a BTreeSet<Access>, &'a str);

fn ways(finding: &Finding) -> BTreeSet<Way<'_>> {
    let ways = finding.exposures.iter();
    ways.map(|way| (way.audience, way.certainty, &way.access, way.keys.as_str())).collect()
}

fn widest(ways: &BTreeSet<Way<'_>>) -> Option<(Audience, Certainty)> {
    ways.iter().map(|(audience, certainty, ..)| (*audience, *certainty)).min()
}

fn said(way: Option<(Audience, Certainty)>) -> String {
    let Some((audience, certainty)) = way else { return "nobody".to_owned() };
    let audience = match audience {
        Audience::Anyone => "anyone",
        Audience::AnyAuthenticated => "any account",
        Audience::External => "named outsiders",
        Audience::Cdn => "anyone through a CDN",
        Audience::Organization => "the organization",
    };
    let perhaps = if certainty == Certainty::Possible { "perhaps " } else { "" };
    format!("{perhaps}{audience}")
}
