//! Through which door is a target written to? Never the scan's: its own role, a short session, these buckets only.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::Lockable;
use crate::cloud::aws::{AccountAccess, Accounts, AwsCloud};
use crate::cloud::gcp::GcpCloud;
use crate::cloud::local::LocalCloud;
use crate::config::Config;
use crate::estate::{Account, Bucket, Principal, Setting};
use crate::lockdown::{BucketPlan, Plan};

/// The shortest session that AWS gives.
const SESSION: Duration = Duration::from_secs(900);
/// AWS takes session policies of 2,048 characters.
const SESSION_POLICY_MAX: usize = 2_048;

/// What a run writes to.
#[derive(Default)]
pub(super) struct Reach {
    buckets: Vec<Bucket>,
    principals: Vec<(Account, Principal)>,
}

impl Reach {
    pub(super) fn of(plan: &Plan) -> Self {
        let principals = plan.principals.iter().map(|one| (one.address().account, one.principal.clone()));
        Self {
            buckets: plan.buckets.iter().map(BucketPlan::bucket).collect(),
            principals: principals.collect(),
        }
    }

    fn accounts(&self) -> BTreeSet<&str> {
        let accounts = self.buckets.iter().map(|bucket| &bucket.account);
        accounts
            .chain(self.principals.iter().map(|(account, _)| account))
            .map(|account| account.id.as_str())
            .collect()
    }
}

impl<'a> FromIterator<(Bucket, &'a Setting)> for Reach {
    fn from_iter<I: IntoIterator<Item = (Bucket, &'a Setting)>>(places: I) -> Self {
        let mut reach = Self::default();
        for (bucket, setting) in places {
            match setting {
                Setting::Isolation(principal) => reach.principals.push((bucket.account, principal.clone())),
                _ => reach.buckets.push(bucket),
            }
        }
        reach
    }
}

pub(super) fn lockable(target: &str, reach: &Reach, config: &Config) -> anyhow::Result<Arc<dyn Lockable>> {
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
        let enter = |id: &str| AccountAccess { id: id.to_owned(), role: Some(role.clone()) };
        settings.accounts = Accounts::Listed(reach.accounts().into_iter().map(enter).collect());
        settings.session_duration = SESSION;
        settings.session_policy = session_policy(reach);
    }
    Ok(Arc::new(AwsCloud::connect(settings)))
}

/// What the session may do: what the role may, on these buckets and for these roles and users alone. None where that is too
/// long for AWS to take.
fn session_policy(reach: &Reach) -> Option<String> {
    let mut statements = Vec::new();
    let allow = |actions: Value, resources: Value| json!({"Effect": "Allow", "Action": actions, "Resource": resources});
    if !reach.buckets.is_empty() {
        let names = reach.buckets.iter().map(|bucket| &bucket.name);
        let resources: BTreeSet<String> =
            names.flat_map(|name| [format!("arn:*:s3:::{name}"), format!("arn:*:s3:::{name}/*")]).collect();
        statements.push(allow(json!("s3:*"), json!(resources)));
        // What is asked about an account has no bucket to name.
        let about_accounts = [
            "s3:*AccessPoint*",
            "s3:GetAccountPublicAccessBlock",
            "cloudfront:List*",
            "cloudtrail:LookupEvents",
        ];
        statements.push(allow(json!(about_accounts), json!("*")));
    }
    for (account, principal) in &reach.principals {
        let (kind, actions) = match principal {
            Principal::Role(_) => {
                ("role", json!(["iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"]))
            }
            Principal::User(_) => {
                ("user", json!(["iam:GetUserPolicy", "iam:PutUserPolicy", "iam:DeleteUserPolicy"]))
            }
            Principal::ServiceAccount(_) => continue,
        };
        let (id, name) = (&account.id, principal.name());
        // Its path stands before its name.
        let resources =
            [format!("arn:*:iam::{id}:{kind}/{name}"), format!("arn:*:iam::{id}:{kind}/*/{name}")];
        statements.push(allow(actions, json!(resources)));
    }
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    (policy.len() <= SESSION_POLICY_MAX).then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::Provider;

    fn account() -> Account {
        Account { provider: Provider::Aws, id: "111122223333".to_owned() }
    }

    #[test]
    fn a_session_is_limited_to_the_buckets_of_the_plan() {
        let bucket = |name: &str| Bucket { account: account(), name: name.to_owned(), region: None };
        let reach = |buckets| Reach { buckets, principals: Vec::new() };
        let policy = session_policy(&reach(vec![bucket("one"), bucket("two")])).expect("short");
        assert!(policy.contains("arn:*:s3:::one/*") && policy.contains("arn:*:s3:::two\""), "{policy}");
        assert!(!policy.contains("iam:"), "{policy}");
        let many: Vec<Bucket> = (0..100).map(|n| bucket(&format!("a-bucket-with-a-name-{n}"))).collect();
        assert_eq!(session_policy(&reach(many)), None);
    }

    #[test]
    fn a_session_that_isolates_somebody_reaches_nobody_else_and_no_bucket() {
        let principals = vec![(account(), Principal::Role("agent".to_owned()))];
        let policy = session_policy(&Reach { buckets: Vec::new(), principals }).expect("short");
        assert!(policy.contains("\"arn:*:iam::111122223333:role/agent\""), "{policy}");
        assert!(!policy.contains("s3:") && !policy.contains("iam:*"), "{policy}");
    }
}
