//! Whatever stands where a policy should: the reasoner ends, does not panic, and proves nothing of what is no policy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch::estate::{Account, Bucket, Facts, Provider};
use spillwatch::exposure::aws::bucket_exposure;
use spillwatch::exposure::{Certainty, ZoneOfTrust};

fuzz_target!(|text: &str| {
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    let bucket = Bucket { account, name: "bucket".to_owned(), region: None };
    let mut facts = Facts::default();
    facts.record("s3:GetBucketAcl", serde_json::json!({"Owner": {"ID": "owner"}, "Grants": []}));
    facts.record_error("s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    facts.record_error("s3control:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    facts.record("s3:GetBucketPolicy", serde_json::json!({"Policy": text}));
    let verdict = bucket_exposure(&bucket, &facts, &Facts::default(), &ZoneOfTrust::default());
    for exposure in &verdict.exposures {
        let proven = exposure.certainty == Certainty::Proven;
        assert_eq!(proven, exposure.witness.is_some());
    }
    if serde_json::from_str::<serde_json::Value>(text).is_err() {
        assert!(!verdict.exposures.is_empty(), "what cannot be read is never fine");
        assert!(verdict.exposures.iter().all(|exposure| exposure.certainty == Certainty::Possible));
    }
});
