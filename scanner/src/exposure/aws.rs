//! Who can reach an S3 bucket?

use crate::estate::{Bucket, Facts, Object};
use crate::exposure::{BucketExposure, ZoneOfTrust};

/// Judges who outside `zone` can reach `bucket`, from the facts of the bucket and of its account.
pub fn bucket_exposure(
    bucket: &Bucket,
    facts: &Facts,
    account_facts: &Facts,
    zone: &ZoneOfTrust,
) -> BucketExposure {
    let _ = (facts, account_facts, zone);
    BucketExposure {
        bucket: bucket.name.clone(),
        policy_status_public: None,
        exposures: Vec::new(),
        closed_because: Vec::new(),
        latent: Vec::new(),
        website: false,
        gaps: Vec::new(),
    }
}

/// Whether object ACLs can grant anything in this bucket: if not, nobody needs to read them.
pub fn object_acls_matter(facts: &Facts, account_facts: &Facts) -> bool {
    let _ = (facts, account_facts);
    true
}

/// Who outside can reach one object through its own ACL; keys are the object's key.
pub fn object_exposure(
    bucket: &Bucket,
    object: &Object,
    object_facts: &Facts,
    facts: &Facts,
    account_facts: &Facts,
    zone: &ZoneOfTrust,
) -> BucketExposure {
    let _ = (object, object_facts);
    bucket_exposure(bucket, facts, account_facts, zone)
}
