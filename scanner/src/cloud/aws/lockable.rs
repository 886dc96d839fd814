//! How is a setting of a bucket changed on AWS?

use async_trait::async_trait;
use aws_sdk_s3::types::{
    AccessControlPolicy, Grant, Grantee, Owner, Permission, PublicAccessBlockConfiguration, Type,
};
use serde_json::Value;

use super::failure::Failure;
use super::session::Session;
use super::{Accounts, AwsCloud, facts, isolation};
use crate::cloud::{CloudError, Lockable, Stated};
use crate::estate::{Bucket, GapReason, Setting};

#[async_trait]
impl Lockable for AwsCloud {
    fn identity(&self) -> String {
        let role = match &self.settings.accounts {
            Accounts::Own => None,
            Accounts::Listed(accounts) => accounts.iter().find_map(|account| account.role.as_ref()),
            Accounts::Organization(role) => Some(role),
        };
        match (role, &self.settings.profile) {
            (Some(role), _) => format!("the role `{}`", role.name),
            (None, Some(profile)) => format!("the credentials of profile `{profile}`"),
            (None, None) => "the credentials that you use".to_owned(),
        }
    }

    async fn stated(&self, bucket: &Bucket, setting: &Setting) -> Result<Stated, CloudError> {
        let session = self.session(&bucket.account).await?;
        if let Setting::Isolation(principal) = setting {
            return isolation::stated(&session, setting, principal).await;
        }
        let answer = facts::of_setting(&session, bucket, setting).await;
        let code = answer.pointer("/Error/Code").and_then(Value::as_str);
        match code {
            Some(code) if setting.absent_code() != Some(code) => {
                let (operation, resource) = (setting.operation(), bucket.name.clone());
                Err(match crate::estate::aws::gap_reason(code) {
                    GapReason::Denied => CloudError::Denied { operation, resource },
                    reason => {
                        let message = format!("answered `{}`", code.escape_default());
                        CloudError::Failed { operation, resource, reason, message }
                    }
                })
            }
            _ => Ok(Stated::answered(answer)),
        }
    }

    async fn set(
        &self,
        bucket: &Bucket,
        setting: &Setting,
        _from: &Value,
        to: &Stated,
    ) -> Result<(), CloudError> {
        let session = self.session(&bucket.account).await?;
        let absent = to.answer.get("Error").is_some();
        match setting {
            Setting::PublicAccessBlock if absent => unblock(&session, bucket).await,
            Setting::PublicAccessBlock => block(&session, bucket, &to.answer).await,
            Setting::BucketPolicy if absent => remove_policy(&session, bucket).await,
            Setting::BucketPolicy => put_policy(&session, bucket, text(&to.answer)).await,
            Setting::AccessPointPolicy(name) => {
                let policy = (!absent).then(|| text(&to.answer));
                access_point_policy(&session, bucket, name, policy).await
            }
            Setting::BucketAcl => bucket_acl(&session, bucket, &to.answer).await,
            Setting::ObjectAcl { key, version } => {
                object_acl(&session, bucket, key, version.as_deref(), &to.answer).await
            }
            Setting::Isolation(principal) => isolation::set(&session, principal, &to.answer).await,
            Setting::PublicAccessPrevention
            | Setting::BucketIamPolicy
            | Setting::BucketAccessList
            | Setting::ObjectAccessList { .. } => Err(unsuited(bucket, "it is a setting of Google Cloud")),
        }
    }
}

/// One request for a bucket, with its error at the operation's name.
macro_rules! send {
    ($session:expr, $bucket:expr, $operation:literal, |$s3:ident| $call:expr) => {
        match $session.send($bucket, |$s3| $call.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::of(&error).at($operation, &$bucket.name)),
        }
    };
}

async fn block(session: &Session, bucket: &Bucket, answer: &Value) -> Result<(), CloudError> {
    let flag = |name: &str| answer.pointer(&format!("/PublicAccessBlockConfiguration/{name}"))?.as_bool();
    let block = PublicAccessBlockConfiguration::builder()
        .set_block_public_acls(flag("BlockPublicAcls"))
        .set_ignore_public_acls(flag("IgnorePublicAcls"))
        .set_block_public_policy(flag("BlockPublicPolicy"))
        .set_restrict_public_buckets(flag("RestrictPublicBuckets"))
        .build();
    send!(session, bucket, "s3:PutPublicAccessBlock", |s3| s3
        .put_public_access_block()
        .bucket(&bucket.name)
        .public_access_block_configuration(block.clone()))
}

async fn unblock(session: &Session, bucket: &Bucket) -> Result<(), CloudError> {
    send!(session, bucket, "s3:DeletePublicAccessBlock", |s3| s3
        .delete_public_access_block()
        .bucket(&bucket.name))
}

async fn put_policy(session: &Session, bucket: &Bucket, policy: String) -> Result<(), CloudError> {
    send!(session, bucket, "s3:PutBucketPolicy", |s3| s3
        .put_bucket_policy()
        .bucket(&bucket.name)
        .policy(&policy))
}

async fn remove_policy(session: &Session, bucket: &Bucket) -> Result<(), CloudError> {
    send!(session, bucket, "s3:DeleteBucketPolicy", |s3| s3.delete_bucket_policy().bucket(&bucket.name))
}

async fn access_point_policy(
    session: &Session,
    bucket: &Bucket,
    name: &str,
    policy: Option<String>,
) -> Result<(), CloudError> {
    let account = &bucket.account.id;
    let error = match policy {
        Some(policy) => {
            let put = session.control(Some(bucket), |control| {
                control.put_access_point_policy().account_id(account).name(name).policy(policy).send()
            });
            put.await.err().map(|error| Failure::of(&error))
        }
        None => {
            let delete = session.control(Some(bucket), |control| {
                control.delete_access_point_policy().account_id(account).name(name).send()
            });
            delete.await.err().map(|error| Failure::of(&error))
        }
    };
    error.map_or(Ok(()), |failure| Err(failure.at("s3control:PutAccessPointPolicy", &bucket.name)))
}

async fn bucket_acl(session: &Session, bucket: &Bucket, answer: &Value) -> Result<(), CloudError> {
    let acl = acl(answer).ok_or_else(|| unsuited(bucket, "the ACL cannot be read"))?;
    send!(session, bucket, "s3:PutBucketAcl", |s3| s3
        .put_bucket_acl()
        .bucket(&bucket.name)
        .access_control_policy(acl.clone()))
}

async fn object_acl(
    session: &Session,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
    answer: &Value,
) -> Result<(), CloudError> {
    let acl = acl(answer).ok_or_else(|| unsuited(bucket, "the ACL cannot be read"))?;
    send!(session, bucket, "s3:PutObjectAcl", |s3| s3
        .put_object_acl()
        .bucket(&bucket.name)
        .key(key)
        .set_version_id(version.map(str::to_owned))
        .access_control_policy(acl.clone()))
}

/// The ACL that an answer states, as a request takes it.
fn acl(answer: &Value) -> Option<AccessControlPolicy> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut policy = AccessControlPolicy::builder()
        .owner(Owner::builder().set_id(text(answer.get("Owner")?, "ID")).build());
    for stated in answer.get("Grants")?.as_array()? {
        let grantee = stated.get("Grantee")?;
        let kind = match grantee.get("URI") {
            Some(_) => Type::Group,
            None if grantee.get("ID").is_some() => Type::CanonicalUser,
            None => Type::AmazonCustomerByEmail,
        };
        let grantee = Grantee::builder()
            .r#type(kind)
            .set_uri(text(grantee, "URI"))
            .set_id(text(grantee, "ID"))
            .set_email_address(text(grantee, "EmailAddress"))
            .build()
            .ok()?;
        let permission = Permission::from(text(stated, "Permission")?.as_str());
        policy = policy.grants(Grant::builder().grantee(grantee).permission(permission).build());
    }
    Some(policy.build())
}

/// The policy as it stood, to the letter where the provider handed over text.
fn text(answer: &Value) -> String {
    match answer.get("Policy") {
        Some(Value::String(text)) => text.clone(),
        other => other.map(Value::to_string).unwrap_or_default(),
    }
}

fn unsuited(bucket: &Bucket, message: &str) -> CloudError {
    CloudError::Failed {
        operation: "set",
        resource: bucket.name.clone(),
        reason: GapReason::Unsupported,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::{AccountAccess, AwsSettings, Role};

    #[test]
    fn whoever_lacks_a_permission_is_called_by_the_name_that_it_goes_by() {
        let role = Role { name: "spillwatch-lockdown".to_owned(), external_id: None };
        let listed = AccountAccess { id: "111122223333".to_owned(), role: Some(role) };
        let denied = CloudError::Denied { operation: "iam:GetRolePolicy", resource: "agent".to_owned() };
        for (settings, who) in [
            (
                AwsSettings { accounts: Accounts::Listed(vec![listed]), ..AwsSettings::default() },
                "the role `spillwatch-lockdown`",
            ),
            (
                AwsSettings { profile: Some("ops".to_owned()), ..AwsSettings::default() },
                "the credentials of profile `ops`",
            ),
            (AwsSettings::default(), "the credentials that you use"),
        ] {
            let told = denied.told_to(&AwsCloud::connect(settings).identity());
            assert_eq!(told, format!("denied `iam:GetRolePolicy` on `agent`; grant it to {who}"));
        }
    }
}
