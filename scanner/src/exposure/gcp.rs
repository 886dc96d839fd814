//! Who can reach a Google Cloud Storage bucket?

use std::sync::Arc;

use serde_json::Value;

use crate::estate::gcp::{
    BucketConfig, Policy, Project, ancestors, bucket_config, bucket_policy, object_access_controls, project,
    project_policy,
};
use crate::estate::{Bucket, Fact, Facts, Object};
use crate::exposure::{Audience, BucketExposure, ZoneOfTrust};

mod access_lists;
mod actions;
mod block;
mod condition;
mod networks;
mod requesters;
mod roles;
mod rules;
mod verdict;
mod witness;

pub use roles::permissions as permissions_of_role;

use block::Setting;
use condition::{Shape, Term};
use requesters::{Us, Who};
use rules::{Give, Origin, Rule};
use verdict::Verdict;

/// Judges who outside `zone` can reach `bucket`, from the facts of the bucket and of its project.
///
/// Object ACLs are not looked at, since they are not facts of the bucket: see [`ObjectAcls`].
pub fn bucket_exposure(
    bucket: &Bucket,
    facts: &Facts,
    account_facts: &Facts,
    zone: &ZoneOfTrust,
) -> BucketExposure {
    let dossier = Dossier::read(bucket, facts, account_facts, zone);
    let mut verdict = Verdict::new(&dossier);
    for rule in rules::of_bucket(&dossier, &mut verdict.notes) {
        verdict.add(&rule);
    }
    verdict.finish()
}

/// What decides about the ACLs of a bucket's objects.
#[derive(Debug, Clone)]
pub struct ObjectAcls {
    bucket: Bucket,
    facts: Facts,
    zone: Arc<ZoneOfTrust>,
    /// The number of the project, by which access lists name it.
    number: Option<String>,
}

impl ObjectAcls {
    /// `None` where uniform bucket-level access puts ACLs out of effect.
    pub fn of(
        bucket: &Bucket,
        facts: &Facts,
        account_facts: &Facts,
        zone: &Arc<ZoneOfTrust>,
    ) -> Option<Self> {
        let dossier = Dossier::read(bucket, facts, account_facts, zone);
        let off = matches!(&dossier.config, Fact::Present(config) if config.uniform);
        (!off).then(|| Self {
            bucket: bucket.clone(),
            number: dossier.us().number.map(str::to_owned),
            facts: dossier.facts,
            zone: Arc::clone(zone),
        })
    }

    /// Who outside can reach one object through its own ACL; keys are the object's key. An ACL that could not be read is
    /// a gap, and so possible for everyone.
    pub fn exposure(&self, object: &Object, object_facts: &Facts) -> BucketExposure {
        // Gaps tell it, and strangers wrote the key.
        let resource = format!("{}/{}", self.bucket.name, spillwatch_classifiers::screen(&object.key));
        let list = object_access_controls(object_facts, &resource);
        let us = Us { zone: &self.zone, project: &self.bucket.account.id, number: self.number.as_deref() };
        if let Fact::Present(list) = &list
            && list.iter().all(|entry| us.entity(&entry.entity) == Who::Ours)
        {
            return BucketExposure::unknown(&self.bucket);
        }
        let mut dossier = Dossier::read(&self.bucket, &self.facts, &Facts::default(), &self.zone);
        dossier.generation = object.version.clone();
        let mut verdict = Verdict::new(&dossier);
        match list {
            Fact::Present(list) => {
                for entry in &list {
                    if let Some(rule) =
                        access_lists::of_entry(&dossier, entry, &Origin::ObjectAcl, &object.key)
                    {
                        verdict.add(&rule);
                    }
                }
            }
            Fact::Absent => {}
            Fact::Unread(gap) => {
                verdict.notes.may_miss(gap.clone());
                let granted = permissions_of_role("roles/storage.legacyObjectOwner").unwrap_or_default();
                let actions = actions::ACTIONS.iter().filter(|action| actions::is_granted(action, granted));
                let term = Term { keys: Shape::Exactly(object.key.clone()), ..Term::below("") };
                let gives = actions.map(|action| Give { action, term: term.clone() }).collect();
                verdict.add(&Rule::unread(Origin::ObjectAcl, Audience::Anyone, &gap, gives));
            }
        }
        verdict.finish()
    }
}

/// Everything that was read about a bucket, typed.
struct Dossier<'a> {
    bucket: &'a Bucket,
    zone: &'a ZoneOfTrust,
    facts: Facts,
    config: Fact<BucketConfig>,
    policy: Fact<Policy>,
    project: Fact<Project>,
    project_policy: Fact<Policy>,
    /// Folders and the organization above the project, as far as they are known.
    ancestors: Vec<String>,
    /// Whether that is all of them.
    hierarchy: Fact<()>,
    /// The generation that is judged, where it is one.
    generation: Option<String>,
}

impl<'a> Dossier<'a> {
    fn read(bucket: &'a Bucket, facts: &Facts, account_facts: &Facts, zone: &'a ZoneOfTrust) -> Self {
        let all = together(facts, account_facts);
        let project = project(&all, &bucket.account.id);
        let (ancestors, hierarchy) = ancestors(&all, &project);
        Self {
            bucket,
            zone,
            config: bucket_config(&all, &bucket.name),
            policy: bucket_policy(&all, &bucket.name),
            project_policy: project_policy(&all, &bucket.account.id),
            project,
            ancestors,
            hierarchy,
            generation: None,
            facts: all,
        }
    }

    fn us(&self) -> Us<'_> {
        let of_project = match &self.project {
            Fact::Present(project) => project.number.as_deref(),
            Fact::Absent | Fact::Unread(_) => None,
        };
        let of_bucket = match &self.config {
            Fact::Present(config) => config.project_number.as_deref(),
            Fact::Absent | Fact::Unread(_) => None,
        };
        Us { zone: self.zone, project: &self.bucket.account.id, number: of_project.or(of_bucket) }
    }

    fn has_no_organization(&self) -> bool {
        matches!(&self.project, Fact::Present(project) if project.parent.is_none())
    }

    fn requester_pays(&self) -> bool {
        matches!(&self.config, Fact::Present(config) if config.requester_pays)
    }

    fn is_website(&self) -> bool {
        matches!(&self.config, Fact::Present(config) if config.website)
    }

    fn prevention(&self) -> Setting {
        block::public_access_prevention(self)
    }
}

/// The facts of a bucket and of its project. Both name the roles that their policies use.
fn together(facts: &Facts, account_facts: &Facts) -> Facts {
    let operation = "iam:roles.get";
    let mut all = facts.clone();
    if let (Some(Value::Object(own)), Some(Value::Object(above))) =
        (facts.answer(operation), account_facts.answer(operation))
    {
        let mut roles = above.clone();
        roles.extend(own.clone());
        all.record(operation, Value::Object(roles));
    }
    all.inherit(account_facts);
    all
}

#[cfg(test)]
mod tests;
