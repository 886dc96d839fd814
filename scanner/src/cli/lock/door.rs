//! Through which door is a target written to? Never the scan's: its own role, a short session, these buckets only.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::cloud::Lockable;
use crate::cloud::aws::{AccountAccess, Accounts, AwsCloud};
use crate::cloud::gcp::GcpCloud;
use crate::cloud::local::LocalCloud;
use crate::config::Config;
use crate::estate::Bucket;
use crate::lockdown::BucketPlan;

/// The shortest session that AWS gives.
const SESSION: Duration = Duration::from_secs(900);
/// AWS takes session policies of 2,048 characters.
const SESSION_POLICY_MAX: usize = 2_048;

pub(super) fn lockable(
    target: &str,
    plans: &[BucketPlan],
    config: &Config,
) -> anyhow::Result<Arc<dyn Lockable>> {
    let buckets: Vec<Bucket> = plans.iter().map(BucketPlan::bucket).collect();
    lockable_for(target, &buckets, config)
}

pub(super) fn lockable_for(
    target: &str,
    buckets: &[Bucket],
    config: &Config,
) -> anyhow::Result<Arc<dyn Lockable>> {
    if target == "gcp" || target.starts_with("gs://") {
        let mut settings = config.gcp.clone();
        if let Some(account) = &config.lockdown_service_account {
            settings.impersonate_service_account = Some(account.clone());
        }
        return Ok(Arc::new(GcpCloud::connect(settings)));
    }
    if target != "aws" && !target.starts_with("s3://") {
        return Ok(Arc::new(LocalCloud::open(Path::new(target))?));
    }
    let mut settings = config.aws.clone();
    if let Some(role) = &config.lockdown_role {
        let ids: BTreeSet<&str> = buckets.iter().map(|bucket| bucket.account.id.as_str()).collect();
        let enter = |id: &&str| AccountAccess { id: (*id).to_owned(), role: Some(role.clone()) };
        settings.accounts = Accounts::Listed(ids.iter().map(enter).collect());
        settings.session_duration = SESSION;
        settings.session_policy = session_policy(buckets);
    }
    Ok(Arc::new(AwsCloud::connect(settings)))
}

/// What the session may do: what the role may, on these buckets alone. None where that is too long for AWS to take.
fn session_policy(buckets: &[Bucket]) -> Option<String> {
    let mut resources = BTreeSet::new();
    for bucket in buckets {
        resources.insert(format!("arn:*:s3:::{}", bucket.name));
        resources.insert(format!("arn:*:s3:::{}/*", bucket.name));
    }
    // What is asked about an account has no bucket to name.
    let about_accounts = ["s3:*AccessPoint*", "s3:GetAccountPublicAccessBlock", "cloudfront:List*"];
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": resources},
        {"Effect": "Allow", "Action": about_accounts, "Resource": "*"},
    ]})
    .to_string();
    (policy.len() <= SESSION_POLICY_MAX).then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::{Account, Provider};

    #[test]
    fn a_session_is_limited_to_the_buckets_of_the_plan() {
        let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
        let bucket = |name: &str| Bucket { account: account.clone(), name: name.to_owned(), region: None };
        let policy = session_policy(&[bucket("one"), bucket("two")]).expect("short");
        assert!(policy.contains("arn:*:s3:::one/*") && policy.contains("arn:*:s3:::two\""), "{policy}");
        let many: Vec<Bucket> = (0..100).map(|n| bucket(&format!("a-bucket-with-a-name-{n}"))).collect();
        assert_eq!(session_policy(&many), None);
    }
}
