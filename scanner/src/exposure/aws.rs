//! Who can reach an S3 bucket?

use std::sync::Arc;

use crate::estate::aws::{
    Acl, PolicyStatus, acl, bucket_policy, is_website, ownership, policy_status, region,
    resource_control_policies,
};
use crate::estate::{Bucket, Fact, Facts, Gap, GapReason, Object};
use crate::exposure::pattern::{Class, Pattern, Token};
use crate::exposure::policy::Policy;
use crate::exposure::{BucketExposure, ZoneOfTrust};

mod actions;
mod block;
mod cdn;
mod channels;
mod closed;
mod dimension;
mod judge;
mod key_sets;
mod keys;
mod listing;
mod reached;
mod requesters;
mod resources;
mod rules;
mod scene;
mod search;
mod status;
mod verdict;
mod witness;

use block::{Blocks, Setting};
use keys::Place;
use rules::{Origin, Rule};
use verdict::Verdict;

/// Judges who outside `zone` can reach `bucket`, from the facts of the bucket and of its account.
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
    for channel in channels::of_bucket(&dossier, &mut verdict.notes) {
        verdict.add(&channel);
    }
    verdict.finish()
}

/// Whether the bucket's policy can allow anything on an object with these facts: it reaches only objects that the
/// bucket's owner owns. `None` if an owner could not be read.
///
/// Source: S3 User Guide, "Bucket owner granting permissions to objects it does not own".
pub fn policy_reaches_object(object_facts: &Facts, facts: &Facts) -> Option<bool> {
    if matches!(ownership(facts, ""), Fact::Present(rule) if rule == ENFORCED) {
        return Some(true);
    }
    let owner = |fact: Fact<Acl>| match fact {
        Fact::Present(acl) if !acl.owner.id.is_empty() => Some(acl.owner.id),
        _ => None,
    };
    let of_bucket = owner(acl(facts, "s3:GetBucketAcl", ""))?;
    let of_object = owner(acl(object_facts, "s3:GetObjectAcl", ""))?;
    Some(of_bucket == of_object)
}

/// What decides about the ACLs of a bucket's objects.
#[derive(Debug, Clone)]
pub struct ObjectAcls {
    bucket: Bucket,
    facts: Facts,
    zone: Arc<ZoneOfTrust>,
}

impl ObjectAcls {
    /// Prepares to judge the ACLs of the bucket's objects; `None` if no ACL can grant anything, so that nobody needs to
    /// read one. Under IgnorePublicAcls they still grant to named accounts.
    pub fn of(
        bucket: &Bucket,
        facts: &Facts,
        account_facts: &Facts,
        zone: &Arc<ZoneOfTrust>,
    ) -> Option<Self> {
        let mut all = facts.clone();
        all.inherit(account_facts);
        let off = matches!(ownership(&all, &bucket.name), Fact::Present(rule) if rule == ENFORCED);
        (!off).then(|| Self { bucket: bucket.clone(), facts: all, zone: Arc::clone(zone) })
    }

    /// The canonical id of the bucket's owner, where its own ACL states it; else empty.
    pub fn owner(&self) -> String {
        match acl(&self.facts, "s3:GetBucketAcl", &self.bucket.name) {
            Fact::Present(acl) => acl.owner.id,
            _ => String::new(),
        }
    }

    /// Who outside can reach one object through its own ACL; keys are the object's key. An ACL that could not be read is
    /// a gap, and so possible for everyone.
    pub fn exposure(&self, object: &Object, object_facts: &Facts) -> BucketExposure {
        // Gaps tell it, and strangers wrote the key.
        let resource = format!("{}/{}", self.bucket.name, spillwatch_classifiers::screen(&object.key));
        let grants = acl(object_facts, "s3:GetObjectAcl", &resource);
        if let Fact::Present(grants) = &grants
            && rules::of_acl(grants, &grants.owner.id, "", Some(&object.key)).is_empty()
        {
            return BucketExposure::unknown(&self.bucket);
        }
        let dossier = Dossier::read(&self.bucket, &self.facts, &Facts::default(), &self.zone);
        let mut verdict = Verdict::new(&dossier);
        if let Some(channel) = channels::of_object(&dossier, object, grants, &mut verdict.notes) {
            verdict.add(&channel);
        }
        verdict.finish()
    }
}

const ENFORCED: &str = "BucketOwnerEnforced";

/// Everything that was read about a bucket, typed.
pub(super) struct Dossier<'a> {
    bucket: &'a Bucket,
    zone: &'a ZoneOfTrust,
    facts: Facts,
    place: Place,
    blocks: Blocks,
    policy: Fact<Policy>,
    status: Fact<PolicyStatus>,
    acl: Fact<Acl>,
    ownership: Fact<String>,
    /// The resource control policies' rules.
    organization: Vec<Rule>,
    organization_gaps: Vec<Gap>,
}

impl<'a> Dossier<'a> {
    fn read(bucket: &'a Bucket, facts: &Facts, account_facts: &Facts, zone: &'a ZoneOfTrust) -> Self {
        let mut all = facts.clone();
        all.inherit(account_facts);
        let account = &bucket.account.id;
        let region = bucket.region.clone().or_else(|| region(&all));
        let (policies, mut organization_gaps) = resource_control_policies(&all, account);
        let mut organization = Vec::new();
        for (id, policy) in policies {
            match Policy::from_value(&policy) {
                Ok(policy) => organization.extend(
                    rules::of_policy(&policy, &Origin::Organization(id))
                        .into_iter()
                        .filter(|rule| !rule.allows()),
                ),
                Err(why) => organization_gaps.push(malformed("organizations:DescribePolicy", &id, &why)),
            }
        }
        Self {
            bucket,
            zone,
            place: Place {
                partition: partition(region.as_deref()),
                bucket: bucket.name.clone(),
                account: account.clone(),
                region,
                organization: zone.organizations.first().filter(|_| zone.organizations.len() == 1).cloned(),
                access_point: None,
            },
            blocks: Blocks::read(&all, &bucket.name, account),
            policy: parsed(bucket_policy(&all, &bucket.name), "s3:GetBucketPolicy", &bucket.name),
            status: policy_status(&all, &bucket.name),
            acl: acl(&all, "s3:GetBucketAcl", &bucket.name),
            ownership: ownership(&all, &bucket.name),
            organization,
            organization_gaps,
            facts: all,
        }
    }

    /// AWS's own verdict on the policy, or by its definition where it was not read.
    fn policy_status_public(&self) -> Option<bool> {
        match (&self.status, &self.policy) {
            (Fact::Present(status), _) => Some(status.is_public),
            (Fact::Absent, _) | (Fact::Unread(_), Fact::Absent) => Some(false),
            (Fact::Unread(_), Fact::Present(policy)) => status::is_public(policy, status::Of::Bucket),
            (Fact::Unread(_), Fact::Unread(_)) => None,
        }
    }

    fn is_website(&self) -> bool {
        is_website(&self.facts, &self.bucket.name)
    }

    /// Whether ACLs are without any effect; unseen counts as no, with a doubt.
    fn acls(&self) -> Setting {
        match &self.ownership {
            Fact::Present(rule) if rule == ENFORCED => Setting::On("the bucket"),
            Fact::Present(_) | Fact::Absent => Setting::Off,
            Fact::Unread(gap) => Setting::Unseen(gap.clone()),
        }
    }
}

/// A policy's JSON, read; what is no policy is unread.
fn parsed(document: Fact<serde_json::Value>, operation: &str, resource: &str) -> Fact<Policy> {
    match document {
        Fact::Present(document) => match Policy::from_value(&document) {
            Ok(policy) => Fact::Present(policy),
            Err(why) => Fact::Unread(malformed(operation, resource, &why)),
        },
        Fact::Absent => Fact::Absent,
        Fact::Unread(gap) => Fact::Unread(gap),
    }
}

fn malformed(operation: &str, resource: &str, why: &str) -> Gap {
    Gap {
        reason: GapReason::Malformed,
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        detail: format!("the policy of `{resource}` is not as IAM defines one: {why}"),
    }
}

fn partition(region: Option<&str>) -> &'static str {
    match region {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Every key that an object can have.
fn any_key() -> Pattern {
    Pattern::new(vec![Token::One(Class::Any), Token::Many(Class::Any)])
}

#[cfg(test)]
mod tests;
