//! Is it closed from outside? Unsigned requests to each bucket that was locked.

use std::sync::Arc;

use futures::StreamExt;

use super::super::explain::probe;
use crate::cloud::aws::{AwsCloud, AwsSettings, OneBucket};
use crate::cloud::gcp::{self, GcpCloud, GcpSettings};
use crate::cloud::{Cloud, Lockable};
use crate::config::Config;
use crate::estate::{Bucket, Provider};
use crate::exposure::BucketExposure;
use crate::lockdown::{Applied, BucketPlan, Outcome, Plan, Step};

/// Adds what the requests tell. A folder on this machine has no outside to ask from.
pub(super) async fn closed(inside: &dyn Lockable, plan: &Plan, config: &Config, applied: &mut Applied) {
    let clouds = ["aws", "gcp"];
    if !clouds.contains(&plan.target.as_str())
        && !["s3://", "gs://"].iter().any(|scheme| plan.target.starts_with(scheme))
    {
        return;
    }
    for planned in &plan.buckets {
        let verified = |step: &&Step| {
            step.bucket == planned.bucket
                && step.setting == "verification"
                && step.outcome == Outcome::Applied
        };
        let (Some(_), Some(cloud)) = (applied.steps.iter().find(verified), outside(planned, config)) else {
            continue;
        };
        let bucket = planned.bucket();
        // What is predicted: nothing of it is open.
        let verdict =
            BucketExposure { policy_status_public: Some(false), ..BucketExposure::unknown(&bucket) };
        let key = some_key(inside, &bucket).await;
        for probed in probe::probe(cloud.as_ref(), &bucket, &verdict, key.as_deref()).await {
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

/// A key to ask for: nobody outside can list one any more.
async fn some_key(inside: &dyn Lockable, bucket: &Bucket) -> Option<String> {
    let first = inside.objects(bucket, "").next().await?.ok()?;
    first.into_iter().find(|object| object.must_be_restored().is_none()).map(|object| object.key)
}

/// A door to the bucket for somebody without credentials.
fn outside(planned: &BucketPlan, config: &Config) -> Option<Arc<dyn Cloud>> {
    let (name, prefix) = (planned.bucket.clone(), String::new());
    match planned.provider {
        Provider::Aws => {
            let only = Some(OneBucket { name, prefix });
            let settings = AwsSettings { sign_requests: false, only, ..config.aws.clone() };
            Some(Arc::new(AwsCloud::connect(settings)))
        }
        Provider::Gcp => {
            let only = Some(gcp::OneBucket { name, prefix });
            let settings = GcpSettings { sign_requests: false, only, ..config.gcp.clone() };
            Some(Arc::new(GcpCloud::connect(settings)))
        }
        Provider::Local => None,
    }
}
