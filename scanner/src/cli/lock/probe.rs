//! Is it closed from outside? One unsigned request to each bucket of S3 that was locked.

use super::super::explain::probe;
use crate::cloud::aws::{AwsCloud, AwsSettings, OneBucket};
use crate::config::Config;
use crate::estate::Provider;
use crate::exposure::BucketExposure;
use crate::lockdown::{Applied, Outcome, Plan, Step};

/// Adds what the requests tell. A folder on this machine has no outside to ask from.
pub(super) async fn closed(plan: &Plan, config: &Config, applied: &mut Applied) {
    if plan.target != "aws" && !plan.target.starts_with("s3://") {
        return;
    }
    for planned in plan.buckets.iter().filter(|planned| planned.provider == Provider::Aws) {
        let verified = |step: &&Step| {
            step.bucket == planned.bucket
                && step.setting == "verification"
                && step.outcome == Outcome::Applied
        };
        if applied.steps.iter().find(verified).is_none() {
            continue;
        }
        let only = OneBucket { name: planned.bucket.clone(), prefix: String::new() };
        let outside = AwsSettings { sign_requests: false, only: Some(only), ..config.aws.clone() };
        let cloud = AwsCloud::connect(outside);
        let bucket = planned.bucket();
        // What is predicted: nothing of it is open.
        let verdict =
            BucketExposure { policy_status_public: Some(false), ..BucketExposure::unknown(&bucket) };
        for probed in probe::probe(&cloud, &bucket, &verdict, None).await {
            let outcome = if probed.is_refuted() { Outcome::Failed } else { Outcome::Applied };
            applied.steps.push(Step {
                bucket: planned.bucket.clone(),
                setting: "probe".to_owned(),
                outcome,
                detail: probed.sentence(),
            });
        }
    }
}
