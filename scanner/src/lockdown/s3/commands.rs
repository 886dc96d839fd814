//! Which commands of AWS's own do the changes equal?

use serde_json::Value;

use crate::estate::{Change, Setting};
use crate::exposure::quoted;
use crate::lockdown::plan::Subject;

/// One command per change, ready to paste; nothing is left to the shell to read.
pub(super) fn of(subject: &Subject, changes: &[Change]) -> Vec<String> {
    let bucket = &subject.bucket.name;
    let account = &subject.bucket.account.id;
    changes.iter().map(|change| command(change, bucket, account)).collect()
}

fn command(change: &Change, bucket: &str, account: &str) -> String {
    let bucket = quoted(bucket);
    let after = &change.after;
    let absent = after.get("Error").is_some();
    match &change.setting {
        Setting::PublicAccessBlock if absent => {
            format!("aws s3api delete-public-access-block --bucket {bucket}")
        }
        Setting::PublicAccessBlock => {
            let block = after.get("PublicAccessBlockConfiguration").unwrap_or(&Value::Null).to_string();
            format!(
                "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration {}",
                quoted(&block)
            )
        }
        Setting::BucketPolicy if absent => format!("aws s3api delete-bucket-policy --bucket {bucket}"),
        Setting::BucketPolicy => {
            format!("aws s3api put-bucket-policy --bucket {bucket} --policy {}", quoted(&text(after)))
        }
        Setting::AccessPointPolicy(name) if absent => {
            format!("aws s3control delete-access-point-policy --account-id {account} --name {}", quoted(name))
        }
        Setting::AccessPointPolicy(name) => format!(
            "aws s3control put-access-point-policy --account-id {account} --name {} --policy {}",
            quoted(name),
            quoted(&text(after))
        ),
        Setting::BucketAcl => {
            format!(
                "aws s3api put-bucket-acl --bucket {bucket} --access-control-policy {}",
                quoted(&after.to_string())
            )
        }
        // Another key than the object's would change another object.
        Setting::ObjectAcl { key, .. } if spillwatch_classifiers::screen(key).as_str() != key => {
            format!("# the ACL of an object of {bucket} whose key is not told here; `lock apply` changes it")
        }
        Setting::ObjectAcl { key, version } => {
            let version =
                version.as_ref().map_or(String::new(), |id| format!(" --version-id {}", quoted(id)));
            format!(
                "aws s3api put-object-acl --bucket {bucket} --key {}{version} --access-control-policy {}",
                quoted(key),
                quoted(&after.to_string())
            )
        }
        Setting::PublicAccessPrevention
        | Setting::BucketIamPolicy
        | Setting::BucketAccessList
        | Setting::ObjectAccessList { .. }
        | Setting::Isolation(_) => String::new(),
    }
}

fn text(answer: &Value) -> String {
    match answer.get("Policy") {
        Some(Value::String(text)) => text.clone(),
        other => other.map(Value::to_string).unwrap_or_default(),
    }
}
