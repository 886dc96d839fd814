//! How do the ways in read as exposures, with their reasons and what would close them?

use std::collections::BTreeSet;

use crate::estate::aws::encrypts_with_kms;
use crate::estate::{Fact, Gap, GapReason};
use crate::exposure::{Access, Audience, BucketExposure, Certainty, Exposure};

use super::block::Setting;
use super::judge::{Channel, Evidence, Hit, judge};
use super::requesters::{Caller, Source};
use super::rules::{Origin, Rule};
use super::{Dossier, cdn, closed, witness};

/// What is worth saying besides the exposures.
#[derive(Debug, Default)]
pub(super) struct Notes {
    closed: Vec<String>,
    latent: Vec<String>,
    gaps: Vec<Gap>,
}

impl Notes {
    /// Why somebody cannot get in.
    pub(super) fn closed(&mut self, why: String) {
        if !self.closed.contains(&why) {
            self.closed.push(why);
        }
    }

    /// What would count again after one change.
    pub(super) fn latent(&mut self, what: String) {
        if !self.latent.contains(&what) {
            self.latent.push(what);
        }
    }

    /// A fact that could not be read and may hide a way in.
    pub(super) fn may_miss(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}

/// A verdict in the making.
pub(super) struct Verdict<'a> {
    dossier: &'a Dossier<'a>,
    pub(super) notes: Notes,
    exposures: Vec<Exposure>,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(dossier: &'a Dossier<'a>) -> Self {
        Self { dossier, notes: Notes::default(), exposures: Vec::new() }
    }

    /// Judges one channel.
    pub(super) fn add(&mut self, channel: &Channel) {
        let hits = judge(channel, self.dossier.zone);
        closed::explain(channel, &hits, self.dossier.zone, &mut self.notes);
        for mut hit in hits {
            let mut host = None;
            if hit.audience == Audience::Cdn {
                let Some(found) = cdn::settle(self.dossier, channel, &mut hit, &mut self.notes) else {
                    continue;
                };
                host = Some(found);
            }
            let exposure = self.exposure(channel, hit, host.as_deref());
            self.keep(exposure);
        }
    }

    /// Keeps an exposure unless another says as much or more.
    fn keep(&mut self, exposure: Exposure) {
        if self.exposures.iter().any(|known| known.says_as_much_as(&exposure)) {
            return;
        }
        self.exposures.retain(|known| !exposure.says_as_much_as(known));
        self.exposures.push(exposure);
    }

    fn exposure(&self, channel: &Channel, hit: Hit, host: Option<&str>) -> Exposure {
        let evidence = &hit.evidence;
        let rules: Vec<&Rule> =
            evidence.rules.iter().filter_map(|at| channel.rules.get(*at)).map(|(rule, _)| rule).collect();
        let proven = hit.certainty == Certainty::Proven;
        Exposure {
            audience: hit.audience,
            access: BTreeSet::from([hit.access]),
            keys: hit.keys.clone(),
            certainty: hit.certainty,
            witness: proven.then(|| witness::witness(evidence, channel, host)),
            because: self.because(&rules, &hit, host),
            closing: self.closing(&rules, evidence),
        }
    }

    fn because(&self, rules: &[&Rule], hit: &Hit, host: Option<&str>) -> Vec<String> {
        let evidence = &hit.evidence;
        let who = who(hit, evidence);
        let mut because: Vec<String> = rules
            .iter()
            .filter(|rule| rule.doubt.is_none())
            .map(|rule| format!("{} allows `{}` to {who}", rule.name(), evidence.action))
            .collect();
        because.extend(host.map(|host| format!("the distribution `{host}` passes it on to everyone")));
        if rules.iter().any(|rule| rule.is_public_grant()) {
            because.extend(self.flag("IgnorePublicAcls", self.dossier.blocks.ignore_public_acls()));
            if let Setting::On(level) = self.dossier.blocks.setting(|block| block.block_public_acls) {
                because
                    .push(format!("BlockPublicAcls at {level} refuses new public ACLs but leaves this one"));
            }
        }
        let by_policy = rules.iter().any(|rule| rule.origin == Origin::BucketPolicy);
        if by_policy && self.dossier.policy_status_public() == Some(true) && host.is_none() {
            because.extend(self.flag("RestrictPublicBuckets", self.dossier.blocks.restrict_public_buckets()));
            if let Setting::On(level) = self.dossier.blocks.setting(|block| block.block_public_policy) {
                because.push(format!(
                    "BlockPublicPolicy at {level} refuses new public policies but leaves this one"
                ));
            }
        }
        if hit.access == Access::Read && encrypts_with_kms(&self.dossier.facts, &self.dossier.bucket.name) {
            because.push(
                "new objects are encrypted with a key of KMS: reading those needs the key as well".to_owned(),
            );
        }
        because.extend(evidence.doubts.iter().cloned());
        let mut seen = BTreeSet::new();
        because.retain(|reason| !reason.is_empty() && seen.insert(reason.clone()));
        because
    }

    fn flag(&self, name: &str, setting: Setting) -> Option<String> {
        match setting {
            Setting::Off => Some(format!("{name} is off at every level")),
            Setting::On(_) | Setting::Unseen(_) => None,
        }
    }

    fn closing(&self, rules: &[&Rule], evidence: &Evidence) -> Vec<String> {
        let mut steps = Vec::new();
        for rule in rules {
            let name = rule.name();
            steps.push(match &rule.origin {
                _ if rule.doubt.is_some() => continue,
                Origin::BucketAcl => format!("remove the {name}, or set IgnorePublicAcls on the bucket"),
                Origin::ObjectAcl => {
                    format!("remove the {name} (PutObjectAcl private), or set IgnorePublicAcls")
                }
                Origin::BucketPolicy if evidence.requester.audience == Audience::Cdn => {
                    format!("ask viewers for signed URLs at the distribution, or remove the {name}")
                }
                Origin::BucketPolicy | Origin::AccessPoint(_) => format!("remove or narrow the {name}"),
                Origin::Organization(_) => continue,
            });
        }
        if steps.is_empty() && !evidence.doubts.is_empty() {
            steps.push("read what could not be read, then judge again".to_owned());
        }
        steps
    }

    /// The whole verdict, widest audience first.
    pub(super) fn finish(mut self) -> BucketExposure {
        self.exposures.sort_by(|a, b| {
            (a.audience, a.certainty, &a.access, &a.keys).cmp(&(b.audience, b.certainty, &b.access, &b.keys))
        });
        let gaps = self.gaps();
        BucketExposure {
            bucket: self.dossier.bucket.name.clone(),
            policy_status_public: self.dossier.policy_status_public(),
            exposures: self.exposures,
            closed_because: self.notes.closed,
            latent: self.notes.latent,
            website: self.dossier.is_website(),
            gaps,
        }
    }

    /// The gaps that leave something open, and every question that was asked and not answered.
    fn gaps(&self) -> Vec<Gap> {
        let dossier = self.dossier;
        let mut candidates: Vec<&Gap> = dossier.blocks.gaps().chain(&dossier.organization_gaps).collect();
        candidates.extend(unread(&dossier.policy));
        candidates.extend(unread(&dossier.acl));
        candidates.extend(unread(&dossier.ownership));
        candidates.extend(&self.notes.gaps);
        let status = unread(&dossier.status).filter(|gap| gap.reason != GapReason::NotRead);
        candidates.extend(status);
        let counts = |gap: &&Gap| {
            let asked = gap.reason != GapReason::NotRead;
            asked || self.exposures.iter().any(|exposure| exposure.certainty == Certainty::Possible)
        };
        let gaps: BTreeSet<Gap> = candidates.into_iter().filter(counts).cloned().collect();
        gaps.into_iter().collect()
    }
}

fn unread<T>(fact: &Fact<T>) -> Option<&Gap> {
    match fact {
        Fact::Unread(gap) => Some(gap),
        Fact::Present(_) | Fact::Absent => None,
    }
}

/// The audience, for a sentence.
fn who(hit: &Hit, evidence: &Evidence) -> String {
    let named = || evidence.requester.caller.describe();
    match hit.audience {
        Audience::Anyone => "anyone".to_owned(),
        Audience::AnyAuthenticated => "anyone with an AWS account".to_owned(),
        Audience::Cdn => "CloudFront".to_owned(),
        Audience::Organization => format!("others inside the zone of trust, such as `{}`", named()),
        Audience::External => match (&evidence.requester.caller, evidence.values.get("aws:sourceip")) {
            (Caller::Anonymous, Some(addresses)) => {
                format!("anyone who comes from addresses such as {}", addresses.join(", "))
            }
            (Caller::Service { source: Source::Stranger, name }, _) => {
                format!("`{name}` on behalf of any account (no aws:SourceArn or aws:SourceAccount)")
            }
            _ => format!("`{}`", named()),
        },
    }
}
