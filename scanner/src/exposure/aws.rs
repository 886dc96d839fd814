//! Who can reach an S3 bucket?
//!
//! ACLs, object ownership and public access blocks are judged exactly. Policies are not read statement by statement: where
//! one stands, or could not be read, its grants are `possible`, unless a block or AWS's own verdict excludes them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::estate::aws::fact;
use crate::estate::{Bucket, Fact, Facts, Gap, GapReason, Object};
use crate::exposure::{Access, Audience, BucketExposure, Certainty, Exposure, Keys, Witness, ZoneOfTrust};

const BUCKET_BLOCK: &str = "s3:GetPublicAccessBlock";
const ACCOUNT_BLOCK: &str = "s3control:GetPublicAccessBlock";

/// Judges who outside `zone` can reach `bucket`, from the facts of the bucket and of its account.
pub fn bucket_exposure(
    bucket: &Bucket,
    facts: &Facts,
    account_facts: &Facts,
    zone: &ZoneOfTrust,
) -> BucketExposure {
    let mut judged = BucketExposure {
        bucket: bucket.name.clone(),
        policy_status_public: None,
        exposures: Vec::new(),
        closed_because: Vec::new(),
        latent: Vec::new(),
        website: matches!(fact(facts, "s3:GetBucketWebsite"), Fact::Present(_)),
        gaps: Vec::new(),
    };
    policy(bucket, facts, account_facts, &mut judged);
    if let Some(why) = acls_off(facts, account_facts) {
        judged.closed_because.push(format!("ACLs grant nothing: {why}"));
    } else {
        match fact(facts, "s3:GetBucketAcl") {
            Fact::Present(acl) => judged.exposures.extend(acl_exposures(acl, &bucket.name, None, zone)),
            Fact::Absent => {}
            Fact::Unread(gap) => unread(&mut judged, gap, bucket),
        }
    }
    judged.exposures.sort_by_key(|way| (way.audience, way.certainty));
    judged
}

/// Whether object ACLs can grant anything in this bucket: if not, nobody needs to read them.
pub fn object_acls_matter(facts: &Facts, account_facts: &Facts) -> bool {
    acls_off(facts, account_facts).is_none()
}

/// Who outside can reach one object through its own ACL; an ACL that was not read is a gap.
pub fn object_exposure(
    bucket: &Bucket,
    object: &Object,
    object_facts: &Facts,
    zone: &ZoneOfTrust,
) -> (Vec<Exposure>, Option<Gap>) {
    match fact(object_facts, "s3:GetObjectAcl") {
        Fact::Present(acl) => (acl_exposures(acl, &bucket.name, Some(&object.key), zone), None),
        Fact::Absent => (Vec::new(), None),
        Fact::Unread(gap) => (Vec::new(), Some(Gap { resource: bucket.name.clone(), ..gap })),
    }
}

/// The policy's grants, as far as they can be told without reading its statements.
fn policy(bucket: &Bucket, facts: &Facts, account_facts: &Facts, judged: &mut BucketExposure) {
    judged.policy_status_public = match fact(facts, "s3:GetBucketPolicyStatus") {
        Fact::Present(status) => status.pointer("/PolicyStatus/IsPublic").and_then(Value::as_bool),
        Fact::Absent => Some(false),
        Fact::Unread(_) => None,
    };
    let gap = match fact(facts, "s3:GetBucketPolicy") {
        Fact::Absent => {
            judged.policy_status_public = Some(false);
            judged.closed_because.push("no bucket policy".to_owned());
            return;
        }
        Fact::Present(_) => Gap {
            reason: GapReason::Unsupported,
            operation: "s3:GetBucketPolicy".to_owned(),
            resource: bucket.name.clone(),
            detail: format!(
                "the statements of the policy of `{}` are not judged yet; read them by hand",
                bucket.name
            ),
        },
        Fact::Unread(gap) => gap,
    };
    // RestrictPublicBuckets leaves a public policy to the account and to AWS services; others named in a policy that
    // is not public stay in (S3 User Guide, "Blocking public access to your Amazon S3 storage").
    let restricted = flag(facts, account_facts, "RestrictPublicBuckets");
    let audience = match (judged.policy_status_public, &restricted) {
        (Some(false), _) => Audience::External,
        (Some(true), Some(why)) => {
            judged.closed_because.push(format!("{why} neutralises the public policy"));
            judged.latent.push("the policy is public: lifting RestrictPublicBuckets opens it".to_owned());
            return;
        }
        (None, Some(_)) => Audience::External,
        (_, None) => Audience::Anyone,
    };
    let because = vec![match judged.policy_status_public {
        Some(true) => "AWS calls the bucket policy public".to_owned(),
        Some(false) => "a bucket policy stands; AWS calls it not public".to_owned(),
        None => "the bucket policy could not be judged".to_owned(),
    }];
    judged.exposures.push(possible(audience, because));
    judged.gaps.push(Gap { resource: bucket.name.clone(), ..gap });
}

fn unread(judged: &mut BucketExposure, gap: Gap, bucket: &Bucket) {
    judged.exposures.push(possible(Audience::Anyone, vec!["the bucket ACL could not be read".to_owned()]));
    judged.gaps.push(Gap { resource: bucket.name.clone(), ..gap });
}

fn possible(audience: Audience, because: Vec<String>) -> Exposure {
    Exposure {
        audience,
        access: BTreeSet::from([Access::List, Access::Read, Access::Write, Access::Administer]),
        keys: Keys::all(),
        certainty: Certainty::Possible,
        witness: None,
        because,
    }
}

/// Why ACLs are without effect here, if they are.
fn acls_off(facts: &Facts, account_facts: &Facts) -> Option<String> {
    let enforced = match fact(facts, "s3:GetBucketOwnershipControls") {
        Fact::Present(answer) => answer
            .pointer("/OwnershipControls/Rules/0/ObjectOwnership")
            .and_then(Value::as_str)
            .is_some_and(|ownership| ownership == "BucketOwnerEnforced"),
        _ => false,
    };
    if enforced {
        return Some("ObjectOwnership is BucketOwnerEnforced".to_owned());
    }
    flag(facts, account_facts, "IgnorePublicAcls")
}

/// Where a flag of the public access block is set: the most restrictive of bucket and account holds.
fn flag(facts: &Facts, account_facts: &Facts, name: &str) -> Option<String> {
    let levels = [("bucket", facts, BUCKET_BLOCK), ("account", account_facts, ACCOUNT_BLOCK)];
    levels.into_iter().find_map(|(level, facts, operation)| match fact(facts, operation) {
        Fact::Present(answer) => {
            let set = answer.get("PublicAccessBlockConfiguration")?.get(name)?.as_bool()?;
            set.then(|| format!("{name} of the {level}"))
        }
        _ => None,
    })
}

/// What an ACL gives to outsiders. With `key` it is an object's, whose permissions mean other things than a bucket's
/// (S3 User Guide, "Access control list (ACL) overview", "What permissions can I grant?").
fn acl_exposures(acl: &Value, bucket: &str, key: Option<&str>, zone: &ZoneOfTrust) -> Vec<Exposure> {
    let owner = acl.pointer("/Owner/ID").and_then(Value::as_str).unwrap_or_default();
    let grants = acl.get("Grants").and_then(Value::as_array).into_iter().flatten();
    let mut exposures: Vec<Exposure> = Vec::new();
    for grant in grants {
        let text = |pointer| grant.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let group = text("/Grantee/URI").rsplit('/').next().unwrap_or_default();
        let id = text("/Grantee/ID");
        let audience = match group {
            "AllUsers" => Audience::Anyone,
            "AuthenticatedUsers" => Audience::AnyAuthenticated,
            // The log delivery group is AWS itself; an owner's grant to himself is no exposure.
            "LogDelivery" => continue,
            _ if id.is_empty() || id == owner || zone.canonical_ids.contains(id) => continue,
            _ => Audience::External,
        };
        let permission = text("/Permission");
        let access = granted(permission, key.is_some());
        if access.is_empty() {
            continue;
        }
        let who = if group.is_empty() { "another account" } else { group };
        let holder = if key.is_some() { "object" } else { "bucket" };
        let because = format!("the {holder} ACL grants {permission} to {who}");
        match exposures.iter_mut().find(|known| known.audience == audience) {
            Some(known) => {
                known.access.extend(access);
                known.because.push(because);
            }
            None => exposures.push(Exposure {
                audience,
                witness: (audience == Audience::Anyone).then(|| witness(bucket, key, &access)).flatten(),
                access,
                keys: key.map_or_else(Keys::all, Keys::matching),
                certainty: Certainty::Proven,
                because: vec![because],
            }),
        }
    }
    exposures
}

fn granted(permission: &str, object: bool) -> BTreeSet<Access> {
    let access: &[Access] = match (permission, object) {
        ("READ", true) => &[Access::Read],
        ("READ", false) => &[Access::List],
        ("WRITE", false) => &[Access::Write],
        ("WRITE_ACP", _) => &[Access::Administer],
        ("FULL_CONTROL", true) => &[Access::Read, Access::Administer],
        ("FULL_CONTROL", false) => &[Access::List, Access::Write, Access::Administer],
        _ => &[],
    };
    access.iter().copied().collect()
}

fn witness(bucket: &str, key: Option<&str>, access: &BTreeSet<Access>) -> Option<Witness> {
    let (action, resource, command) = match key {
        Some(key) if access.contains(&Access::Read) => (
            "s3:GetObject",
            format!("arn:aws:s3:::{bucket}/{key}"),
            format!("aws s3api head-object --no-sign-request --bucket '{bucket}' --key {}", quoted(key)),
        ),
        None if access.contains(&Access::List) => (
            "s3:ListBucket",
            format!("arn:aws:s3:::{bucket}"),
            format!("aws s3api list-objects-v2 --no-sign-request --max-keys 1 --bucket '{bucket}'"),
        ),
        _ => return None,
    };
    let principal = "anonymous".to_owned();
    Some(Witness { principal, action: action.to_owned(), resource, context: Default::default(), command })
}

/// Quoted for a POSIX shell: keys are written by strangers.
fn quoted(key: &str) -> String {
    format!("'{}'", key.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
