//! Why does a rule that gives let nobody outside in?

use std::collections::BTreeSet;

use crate::exposure::ZoneOfTrust;
use crate::exposure::bits::Bits;
use crate::exposure::policy::PrincipalName;

use super::judge::{Channel, Gate, Hit, judge};
use super::keys::Place;
use super::resources::Names;
use super::rules::{Origin, Rule};
use super::verdict::Notes;

/// How many rules of a channel are explained.
const EXPLAINED_MAX: usize = 16;

/// How many Denies are tried one by one as the reason.
const DENIES_MAX: usize = 8;

/// Says, for every rule of the channel that gives to no one outside, what stands in the way.
pub(super) fn explain(channel: &Channel, hits: &[Hit], zone: &ZoneOfTrust, notes: &mut Notes) {
    if let Gate::Shut(why) = &channel.gate {
        let open = Channel { gate: Gate::Open, ..channel.with_rules(channel.rules.clone()) };
        let kept: BTreeSet<_> = hits.iter().map(|hit| (hit.audience, hit.access)).collect();
        for hit in judge(&open, zone) {
            if !kept.contains(&(hit.audience, hit.access)) {
                notes.closed(why.clone());
                let names = hit.evidence.rules.iter().filter_map(|at| channel.rules.get(*at));
                names.for_each(|(rule, _)| {
                    notes.latent(format!(
                        "the {} counts again if RestrictPublicBuckets is lifted",
                        rule.name()
                    ));
                });
            }
        }
    }
    let used: BTreeSet<usize> = hits.iter().flat_map(|hit| hit.evidence.rules.iter().copied()).collect();
    let idle = channel.rules.iter().enumerate().filter(|(at, (rule, _))| {
        rule.allows() && rule.doubt.is_none() && !used.contains(at) && !rule.is_acl()
    });
    for (_, rule) in idle.take(EXPLAINED_MAX) {
        if matches!(rule.0.origin, Origin::BucketPolicy) && channel.place.access_point.is_none() {
            explain_rule(channel, rule, hits, zone, notes);
        }
    }
}

fn explain_rule(
    channel: &Channel,
    rule: &(Rule, Names),
    hits: &[Hit],
    zone: &ZoneOfTrust,
    notes: &mut Notes,
) {
    let name = rule.0.name();
    if names_only_ourselves(&rule.0, &channel.place) {
        notes.closed(format!("{name} grants inside the bucket's own account only"));
        return;
    }
    let alone = judge(&channel.with_rules(vec![rule.clone()]), zone);
    if alone.is_empty() {
        let keys: BTreeSet<&str> =
            rule.0.statement.conditions.iter().map(|condition| condition.key.as_str()).collect();
        if !keys.is_empty() {
            let keys: Vec<&str> = keys.into_iter().collect();
            notes.closed(format!("{name} is limited by `{}` to requests from inside", keys.join("`, `")));
        }
        return;
    }
    let found =
        |hit: &Hit| hits.iter().any(|known| known.access == hit.access && known.audience <= hit.audience);
    if alone.iter().all(found) {
        // Others give the same.
        return;
    }
    let denies = channel.rules.iter().filter(|(deny, _)| !deny.allows());
    if denies.clone().count() > DENIES_MAX {
        notes.closed(format!("Deny statements close what {name} opens"));
        return;
    }
    for deny in denies {
        if judge(&channel.with_rules(vec![rule.clone(), deny.clone()]), zone).is_empty() {
            notes.closed(format!("{} closes what {name} opens", deny.0.name()));
            return;
        }
    }
    if !matches!(channel.gate, Gate::Shut(_)) {
        notes.closed(format!("the Deny statements together close what {name} opens"));
    }
}

/// Whether the rule names principals of the bucket's account, and nobody else.
fn names_only_ourselves(rule: &Rule, place: &Place) -> bool {
    let ours = |name: &PrincipalName| match name {
        PrincipalName::Account(account) => *account == place.account,
        PrincipalName::Arn(arn) => arn.split(':').nth(4) == Some(place.account.as_str()),
        PrincipalName::Gone(_) => true,
        _ => false,
    };
    match &rule.statement.principals {
        crate::exposure::policy::Choice::Of(names) => names.iter().all(ours),
        crate::exposure::policy::Choice::NoneOf(_) => false,
    }
}

impl Channel {
    /// The same way with other rules, of which one must allow.
    fn with_rules(&self, rules: Vec<(Rule, Names)>) -> Self {
        let whole = rules.len() == self.rules.len();
        let all: Bits = (0..rules.len()).collect();
        Self {
            place: self.place.clone(),
            must_allow: if whole { self.must_allow.clone() } else { vec![all] },
            rules,
            gate: self.gate.clone(),
            template: self.template.clone(),
            acls_off: self.acls_off,
            keeps_versions: self.keeps_versions,
            version: self.version.clone(),
        }
    }
}
