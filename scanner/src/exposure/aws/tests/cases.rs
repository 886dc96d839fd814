//! One file, one edge case: facts, the verdict they deserve, and the vendor's document that says so.
//!
//! What a case does not state is the plainest there is: a bucket `bucket` of account 111122223333 in eu-central-1, owned
//! by whoever the ACL names and granted to nobody else, no block public access at any level, ACLs on, no
//! multi-region access points. A fact that is
//! `null` was not read.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::estate::{Account, Bucket, Facts, Provider};
use crate::exposure::aws::bucket_exposure;
use crate::exposure::tests::expected::{Expected, every_case_deserves_its_verdict, object};
use crate::exposure::{BucketExposure, ObjectAcls, ZoneOfTrust};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The document that says so.
    document: String,
    /// What is at stake, for whoever reads the case.
    about: String,
    /// Statements of the bucket's policy, or a whole policy.
    policy: Option<Value>,
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

fn defaults() -> (Map<String, Value>, Map<String, Value>) {
    let absent = |code: &str| json!({"Error": {"Code": code}});
    let facts = json!({
        "s3:GetBucketAcl": {"Owner": {"ID": "owner"}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "owner"}, "Permission": "FULL_CONTROL"}]},
        "s3:GetBucketPolicy": absent("NoSuchBucketPolicy"),
        "s3:GetPublicAccessBlock": absent("NoSuchPublicAccessBlockConfiguration"),
        "s3:GetBucketOwnershipControls": absent("OwnershipControlsNotFoundError"),
        "s3:GetBucketLocation": {"LocationConstraint": "eu-central-1"},
        "s3:GetBucketVersioning": {},
    });
    let account = json!({
        "s3control:GetPublicAccessBlock": absent("NoSuchPublicAccessBlockConfiguration"),
        "s3control:ListMultiRegionAccessPoints": {"AccessPoints": []},
    });
    let map = |value: Value| value.as_object().cloned().expect("an object");
    (map(facts), map(account))
}

fn facts(defaults: Map<String, Value>, own: &Map<String, Value>) -> Facts {
    let mut facts = Facts::default();
    let mut all = defaults;
    all.extend(own.clone());
    for (operation, answer) in all.into_iter().filter(|(_, answer)| !answer.is_null()) {
        facts.record(&operation, answer);
    }
    facts
}

impl Case {
    fn judge(&self) -> BucketExposure {
        let bucket = Bucket {
            account: Account { provider: Provider::Aws, id: "111122223333".to_owned() },
            name: "bucket".to_owned(),
            region: None,
        };
        let (mut of_bucket, of_account) = defaults();
        match &self.policy {
            None => {}
            Some(Value::Array(statements)) => {
                let policy = json!({"Version": "2012-10-17", "Statement": statements});
                of_bucket.insert("s3:GetBucketPolicy".to_owned(), json!({"Policy": policy.to_string()}));
            }
            Some(policy) => {
                let text = policy.as_str().map_or_else(|| policy.to_string(), str::to_owned);
                of_bucket.insert("s3:GetBucketPolicy".to_owned(), json!({"Policy": text}));
            }
        }
        let of_bucket = facts(of_bucket, &self.facts);
        let of_account = facts(of_account, &self.account);
        match &self.object {
            None => bucket_exposure(&bucket, &of_bucket, &of_account, &self.zone),
            Some(own) => {
                let mut own = own.clone();
                let object = object(&mut own);
                let own = facts(Map::new(), &own);
                let acls = ObjectAcls::of(&bucket, &of_bucket, &of_account, &Arc::new(self.zone.clone()));
                acls.map_or_else(|| BucketExposure::unknown(&bucket), |acls| acls.exposure(&object, &own))
            }
        }
    }
}

#[test]
fn every_case_gets_the_verdict_it_deserves() {
    every_case_deserves_its_verdict::<Case>(
        "aws/cases",
        10,
        |case| (&case.document, &case.about),
        |case| case.verdict.complaints(&case.judge()),
    );
}
