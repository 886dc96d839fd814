//! One file, one edge case: facts, the verdict they deserve, and the vendor's document that says so.
//!
//! What a case does not state is the plainest there is: a bucket `bucket` of account 111122223333 in eu-central-1, owned
//! by whoever the ACL names and granted to nobody else, no block public access at any level, ACLs on, no
//! multi-region access points. A fact that is
//! `null` was not read.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::estate::{Account, Bucket, Facts, Object, Provider};
use crate::exposure::aws::{ObjectAcls, bucket_exposure};
use crate::exposure::{BucketExposure, ZoneOfTrust};

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
    /// Judges an object's ACL instead: its key and facts.
    object: Option<Map<String, Value>>,
    verdict: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// `audience access keys certainty`, all of them.
    exposures: BTreeSet<String>,
    #[serde(default)]
    public: Option<bool>,
    /// Parts of sentences that must be said.
    #[serde(default)]
    closed: Vec<String>,
    #[serde(default)]
    latent: Vec<String>,
    #[serde(default)]
    because: Vec<String>,
    /// Operations.
    #[serde(default)]
    gaps: BTreeSet<String>,
}

fn defaults() -> (Map<String, Value>, Map<String, Value>) {
    let absent = |code: &str| json!({"Error": {"Code": code}});
    let facts = json!({
        "s3:GetBucketAcl": {"Owner": {"ID": "owner"}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "owner"}, "Permission": "FULL_CONTROL"}]},
        "s3:GetBucketPolicy": absent("NoSuchBucketPolicy"),
        "s3:GetPublicAccessBlock": absent("NoSuchPublicAccessBlockConfiguration"),
        "s3:GetBucketOwnershipControls": absent("OwnershipControlsNotFoundError"),
        "s3:GetBucketLocation": {"LocationConstraint": "eu-central-1"},
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
                let key = own.get("key").and_then(Value::as_str).expect("an object has a key").to_owned();
                let object = Object { key, size_bytes: 1, ..Object::default() };
                let mut own = own.clone();
                own.remove("key");
                let own = facts(Map::new(), &own);
                let acls = ObjectAcls::of(&bucket, &of_bucket, &of_account, &Arc::new(self.zone.clone()));
                acls.map_or_else(|| BucketExposure::unknown(&bucket), |acls| acls.exposure(&object, &own))
            }
        }
    }

    /// What is wrong with the verdict.
    fn complaints(&self) -> Vec<String> {
        let verdict = self.judge();
        let mut wrong = Vec::new();
        let word = |value: &dyn erased::Word| value.word();
        let found: BTreeSet<String> = verdict
            .exposures
            .iter()
            .map(|exposure| {
                let access = exposure.access.iter().map(|access| word(access)).collect::<Vec<_>>().join("+");
                let (audience, certainty) = (word(&exposure.audience), word(&exposure.certainty));
                format!("{audience} {access} {} {certainty}", exposure.keys)
            })
            .collect();
        for missing in self.verdict.exposures.difference(&found) {
            wrong.push(format!("missing: {missing}"));
        }
        for surplus in found.difference(&self.verdict.exposures) {
            wrong.push(format!("surplus: {surplus}"));
        }
        if verdict.policy_status_public != self.verdict.public {
            wrong.push(format!(
                "public: {:?} instead of {:?}",
                verdict.policy_status_public, self.verdict.public
            ));
        }
        let because: Vec<String> =
            verdict.exposures.iter().flat_map(|exposure| exposure.because.iter().cloned()).collect();
        for (name, said, wanted) in [
            ("closed", &verdict.closed_because, &self.verdict.closed),
            ("latent", &verdict.latent, &self.verdict.latent),
            ("because", &because, &self.verdict.because),
        ] {
            for part in
                wanted.iter().filter(|part| !said.iter().any(|sentence| sentence.contains(part.as_str())))
            {
                wrong.push(format!("{name}: nothing says `{part}` in {said:#?}"));
            }
        }
        let gaps: BTreeSet<String> = verdict.gaps.iter().map(|gap| gap.operation.clone()).collect();
        if gaps != self.verdict.gaps {
            wrong.push(format!("gaps: {gaps:?} instead of {:?}", self.verdict.gaps));
        }
        for exposure in &verdict.exposures {
            let proven = exposure.certainty == crate::exposure::Certainty::Proven;
            if proven != exposure.witness.is_some() {
                wrong.push(format!("a proof needs a witness, and nothing else has one: {exposure:?}"));
            }
            if exposure.because.is_empty() {
                wrong.push(format!("no reason given: {exposure:?}"));
            }
        }
        if self.about.is_empty() || !self.document.starts_with("https://") {
            wrong.push("a case says what it is about and names a document".to_owned());
        }
        wrong
    }
}

mod erased {
    /// The word by which a value is serialized.
    pub(super) trait Word {
        fn word(&self) -> String;
    }

    impl<T: serde::Serialize> Word for T {
        fn word(&self) -> String {
            serde_json::to_value(self)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_default()
        }
    }
}

#[test]
fn every_case_gets_the_verdict_it_deserves() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/exposure/aws/cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the cases are here")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut failures = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a readable case");
        let case: Case =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let wrong = case.complaints();
        if !wrong.is_empty() {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            failures.push(format!("{name} ({})\n  {}", case.about, wrong.join("\n  ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), files.len(), failures.join("\n"));
    assert!(files.len() >= 10, "there are only {} cases", files.len());
}
