//! What has been found to be reachable so far, and by whom?

use std::collections::{BTreeMap, BTreeSet};

use crate::exposure::{Access, Audience, Certainty, Keys};

use super::judge::{Evidence, Hit, Signature, WHOLE};
use super::key_sets;
use super::resources::Keyspace;

/// The best way into each region of keys.
type Cells = BTreeMap<usize, Evidence>;

/// What has been found, by audience.
#[derive(Default)]
pub(super) struct Reached {
    regions: BTreeMap<(Audience, Access), Cells>,
    /// The requesters that were asked for.
    asked: Vec<Signature>,
    /// Patterns of keys that can be listed.
    listings: BTreeMap<Audience, BTreeMap<String, Evidence>>,
}

impl Reached {
    /// Whether nobody like this was asked for before; from now on somebody was.
    pub(super) fn is_new(&mut self, signature: Signature) -> bool {
        let is_new = !self.asked.contains(&signature);
        if is_new {
            self.asked.push(signature);
        }
        is_new
    }

    /// Whether asking for an audience cannot tell anything new about a region.
    pub(super) fn is_settled(&self, audience: Audience, access: Access, region: usize) -> bool {
        self.regions.iter().any(|((wide, own), cells)| {
            *own == access
                && wide.includes(audience)
                && cells.get(&region).is_some_and(|evidence| evidence.certainty == Certainty::Proven)
        })
    }

    /// Keeps a way into a region, if it is the best so far.
    pub(super) fn region(&mut self, access: Access, region: usize, evidence: Evidence) {
        let cells = self.regions.entry((evidence.audience, access)).or_default();
        let better = cells.get(&region).is_none_or(|known| evidence.certainty < known.certainty);
        if better {
            cells.insert(region, evidence);
        }
    }

    /// Whether all of these keys are known to be listed for an audience.
    pub(super) fn is_listed(&self, audience: Audience, keys: &str) -> bool {
        let head = keys.trim_end_matches('*');
        let covers = |(pattern, evidence): (&String, &Evidence)| {
            let own = pattern.strip_suffix('*').unwrap_or(pattern);
            evidence.certainty == Certainty::Proven && !own.contains(['*', '?']) && head.starts_with(own)
        };
        self.listings.iter().any(|(wide, listings)| wide.includes(audience) && listings.iter().any(covers))
    }

    /// Keeps a way to list keys.
    pub(super) fn listing(&mut self, keys: String, evidence: Evidence) {
        let listings = self.listings.entry(evidence.audience).or_default();
        let better = listings.get(&keys).is_none_or(|known| evidence.certainty < known.certainty);
        if better {
            listings.insert(keys, evidence);
        }
    }

    /// Everything found, in words of key patterns.
    pub(super) fn hits(self, space: &Keyspace) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (audience, listings) in self.listings {
            for certainty in [Certainty::Proven, Certainty::Possible] {
                let own = listings.iter().filter(|(_, evidence)| evidence.certainty == certainty);
                let include: BTreeSet<String> = own.clone().map(|(keys, _)| keys.clone()).collect();
                let include = if include.contains("*") { ["*".to_owned()].into() } else { include };
                let evidence =
                    own.clone().find(|(keys, _)| include.contains(*keys)).map(|(_, evidence)| evidence);
                hits.extend(evidence.map(|evidence| Hit {
                    audience,
                    access: Access::List,
                    certainty,
                    keys: Keys { include, exclude: BTreeSet::new() },
                    evidence: evidence.clone(),
                }));
            }
        }
        for ((audience, access), mut cells) in self.regions {
            if let Some(evidence) = cells.remove(&WHOLE) {
                hits.push(Hit {
                    audience,
                    access,
                    certainty: evidence.certainty,
                    keys: Keys::all(),
                    evidence,
                });
            }
            for certainty in [Certainty::Proven, Certainty::Possible] {
                let own = || cells.iter().filter(|(_, evidence)| evidence.certainty == certainty);
                let regions: BTreeSet<usize> = own().map(|(at, _)| *at).collect();
                let settled = own().map(|(_, evidence)| evidence).max_by_key(|evidence| {
                    // A request with every variable settled can be sent as it stands; and a plain key reads best.
                    (
                        !evidence.requester.pins.is_empty(),
                        std::cmp::Reverse(evidence.key.as_ref().map(String::len)),
                    )
                });
                let Some(evidence) = settled else { continue };
                let (keys, exact) = key_sets::keys(space, &regions);
                let mut evidence = evidence.clone();
                let certainty = if exact { certainty } else { Certainty::Possible };
                if !exact {
                    evidence
                        .doubts
                        .push("the keys that can be reached are fewer than can be written here".to_owned());
                }
                hits.push(Hit { audience, access, certainty, keys, evidence });
            }
        }
        hits
    }
}
