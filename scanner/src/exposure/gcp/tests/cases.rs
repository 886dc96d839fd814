//! One file, one edge case: facts, the verdict they deserve, and the vendor's document that says so.
//!
//! What a case does not state is the plainest there is: a bucket `bucket` of project `ours` (number 604417713352, of
//! organization 771530924416), uniform access, public access prevention inherited and not enforced above, policies that grant
//! nothing, no managed folders. A fact that is `null` was not read.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::estate::{Account, Bucket, Facts, Provider};
use crate::exposure::gcp::bucket_exposure;
use crate::exposure::tests::expected::{Expected, every_case_deserves_its_verdict, object};
use crate::exposure::{BucketExposure, ObjectAcls, ZoneOfTrust};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The document that says so.
    document: String,
    /// What is at stake, for whoever reads the case.
    about: String,
    /// Bindings of the bucket's IAM policy.
    bindings: Option<Value>,
    /// Fields of the bucket that differ.
    #[serde(default)]
    bucket: Map<String, Value>,
    #[serde(default)]
    facts: Map<String, Value>,
    #[serde(default)]
    account: Map<String, Value>,
    #[serde(default)]
    zone: ZoneOfTrust,
    /// Judges an object's ACL instead: its key, perhaps its `version`, which is an older one then, and its facts.
    object: Option<Map<String, Value>>,
    verdict: Expected,
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

pub(super) fn plain_bucket() -> Map<String, Value> {
    map(json!({
        "name": "bucket",
        "projectNumber": "604417713352",
        "iamConfiguration": {
            "publicAccessPrevention": "inherited",
            "uniformBucketLevelAccess": {"enabled": true},
        },
    }))
}

pub(super) fn plain_facts() -> Map<String, Value> {
    map(json!({
        "storage:buckets.getIamPolicy": {"version": 1, "etag": "CAE="},
        "storage:managedFolders.list": {},
    }))
}

pub(super) fn plain_account() -> Map<String, Value> {
    map(json!({
        "cloudresourcemanager:projects.get":
            {"name": "projects/604417713352", "projectId": "ours", "parent": "organizations/771530924416"},
        "cloudresourcemanager:projects.getIamPolicy": {"bindings": []},
        "cloudresourcemanager:organizations.getIamPolicy": {"organizations/771530924416": {"bindings": []}},
        "orgpolicy:policies.getEffectivePolicy": {
            "storage.publicAccessPrevention": {"spec": {"rules": [{"enforce": false}]}},
        },
    }))
}

pub(super) fn facts(all: Map<String, Value>) -> Facts {
    let mut facts = Facts::default();
    for (operation, answer) in all.into_iter().filter(|(_, answer)| !answer.is_null()) {
        facts.record(&operation, answer);
    }
    facts
}

pub(super) fn the_bucket() -> Bucket {
    Bucket {
        account: Account { provider: Provider::Gcp, id: "ours".to_owned() },
        name: "bucket".to_owned(),
        region: None,
    }
}

impl Case {
    fn judge(&self) -> BucketExposure {
        let bucket = the_bucket();
        let mut of_bucket = plain_facts();
        let mut config = plain_bucket();
        config.extend(self.bucket.clone());
        of_bucket.insert("storage:buckets.get".to_owned(), Value::Object(config));
        if let Some(bindings) = &self.bindings {
            of_bucket.insert(
                "storage:buckets.getIamPolicy".to_owned(),
                json!({"version": 3, "etag": "CAM=", "bindings": bindings}),
            );
        }
        of_bucket.extend(self.facts.clone());
        let mut of_account = plain_account();
        of_account.extend(self.account.clone());
        let (of_bucket, of_account) = (facts(of_bucket), facts(of_account));
        let mut zone = self.zone.clone();
        zone.accounts.insert("ours".to_owned());
        let Some(own) = &self.object else {
            return bucket_exposure(&bucket, &of_bucket, &of_account, &zone);
        };
        let mut own = own.clone();
        let object = object(&mut own);
        let acls = ObjectAcls::of(&bucket, &of_bucket, &of_account, &Arc::new(zone));
        acls.map_or_else(|| BucketExposure::unknown(&bucket), |acls| acls.exposure(&object, &facts(own)))
    }
}

#[test]
fn every_case_gets_the_verdict_it_deserves() {
    every_case_deserves_its_verdict::<Case>(
        "gcp/cases",
        60,
        |case| (&case.document, &case.about),
        |case| case.verdict.complaints(&case.judge()),
    );
}
