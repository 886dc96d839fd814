//! How is a request written down so that a person can send it?

use std::fmt::Write;

use crate::exposure::shell::shown;
use crate::exposure::{Witness, quoted};

use super::judge::{Channel, Evidence};
use super::keys::{Domain, Place};
use super::requesters::Caller;

/// The request behind `evidence`; `host` replaces S3's own where the way leads through a distribution.
pub(super) fn witness(evidence: &Evidence, channel: &Channel, host: Option<&str>) -> Witness {
    let place = &channel.place;
    let arn = format!("arn:{}:s3:::{}", place.partition, place.bucket);
    let resource = match &evidence.key {
        Some(key) => format!("{arn}/{key}"),
        None => arn,
    };
    let as_written = |key: &String| {
        let conditions = channel.rules.iter().flat_map(|(rule, _)| &rule.statement.conditions);
        conditions.filter(|condition| condition.key == *key).map(|condition| condition.written.clone()).next()
    };
    let context = evidence
        .values
        .iter()
        .map(|(key, values)| {
            let key = as_written(key).unwrap_or_else(|| key.clone());
            (key, values.iter().map(|value| shown(value)).collect())
        })
        .collect();
    let command = if evidence.requester.caller == Caller::Anonymous || host.is_some() {
        curl(evidence, channel, host)
    } else {
        api(evidence.action, evidence, channel, "")
    };
    Witness {
        principal: evidence.requester.caller.describe(),
        action: evidence.action.to_owned(),
        resource: shown(&resource),
        context,
        command,
    }
}

/// Percent-encodes a key for a path.
fn path(key: &str) -> String {
    let mut path = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

/// The ARN of the access point that requests go through, where it is one that is known.
fn access_point(place: &Place) -> Option<&str> {
    match &place.access_point.as_ref()?.arn {
        Domain::Fixed(arn) => arn.first().map(String::as_str),
        _ => None,
    }
}

/// The host that answers for an access point: `NAME-ACCOUNT.s3-accesspoint.REGION.…`, or `ALIAS.accesspoint.s3-global.…` for
/// one that spans regions (S3 User Guide, "Access points" and "Making requests through a Multi-Region Access Point").
fn access_point_host(arn: &str, suffix: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, _, region, account, resource] = parts.as_slice() else { return None };
    let name = resource.strip_prefix("accesspoint/")?;
    let is_label =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if name.is_empty() || ![*region, *account, name].into_iter().all(is_label) {
        return None;
    }
    Some(match *region {
        "" => format!("{name}.accesspoint.s3-global.{suffix}"),
        region => format!("{name}-{account}.s3-accesspoint.{region}.{suffix}"),
    })
}

/// The address of the bucket, or of the access point before it: virtual-hosted, but for names with dots, which no certificate
/// covers.
pub(super) fn endpoint(place: &Place) -> String {
    let suffix = if place.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    if let Some(host) = access_point(place).and_then(|arn| access_point_host(arn, suffix)) {
        return format!("https://{host}");
    }
    let service = match &place.region {
        Some(region) => format!("s3.{region}.{suffix}"),
        None => format!("s3.{suffix}"),
    };
    if place.bucket.contains('.') {
        format!("https://{service}/{}", place.bucket)
    } else {
        format!("https://{}.{service}", place.bucket)
    }
}

fn curl(evidence: &Evidence, channel: &Channel, host: Option<&str>) -> String {
    let place = &channel.place;
    let version = format!("versionId={}", path(version(channel)));
    let base = host.map_or_else(|| endpoint(place), |host| format!("https://{host}"));
    let mut headers = String::new();
    let mut query: Vec<String> = Vec::new();
    for (key, values) in &evidence.values {
        let Some(value) = values.first() else { continue };
        match key.as_str() {
            "aws:referer" => headers.push_str(&format!(" -e {}", quoted(value))),
            "aws:useragent" => headers.push_str(&format!(" -A {}", quoted(value))),
            "s3:prefix" | "s3:delimiter" | "s3:max-keys" => {
                let name = key.trim_start_matches("s3:");
                query.push(format!("{name}={}", path(value).replace('/', "%2F")));
            }
            "s3:versionid" => query.push(format!("versionId={}", path(value))),
            "s3:if-match" | "s3:if-none-match" => {
                headers.push_str(&format!(
                    " -H {}",
                    quoted(&format!("{}: {value}", key.trim_start_matches("s3:")))
                ));
            }
            key if key.starts_with("s3:x-amz-") => {
                let name = key.trim_start_matches("s3:");
                headers.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
            }
            _ => {}
        }
    }
    let key = path(evidence.key.as_deref().unwrap_or_default());
    let (method, sub) = match evidence.action {
        "s3:ListBucket" => ("-s", "list-type=2"),
        "s3:ListBucketVersions" => ("-s", "versions"),
        "s3:ListBucketMultipartUploads" => ("-s", "uploads"),
        "s3:GetObject" => ("-sI", ""),
        "s3:GetObjectVersion" => ("-sI", if query.is_empty() { version.as_str() } else { "" }),
        "s3:GetObjectTorrent" => ("-s", "torrent"),
        "s3:PutObject" => ("-s -X PUT --data-binary ''", ""),
        "s3:DeleteObject" => ("-s -X DELETE", ""),
        "s3:DeleteObjectVersion" => ("-s -X DELETE", version.as_str()),
        "s3:PutObjectAcl" | "s3:PutBucketAcl" => {
            ("-s -X PUT -H 'x-amz-acl: private' --data-binary ''", "acl")
        }
        action => return api(action, evidence, channel, " --no-sign-request"),
    };
    query.splice(0..0, (!sub.is_empty()).then(|| sub.to_owned()));
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("curl {method}{headers} {}", quoted(&format!("{base}/{key}{query}")))
}

/// The version that is judged; of a whole bucket, any that its listing of versions shows.
fn version(channel: &Channel) -> &str {
    channel.version.as_deref().unwrap_or("VERSION")
}

/// A command of the AWS CLI; with credentials it is to be run as the witness's principal.
fn api(action: &str, evidence: &Evidence, channel: &Channel, options: &str) -> String {
    let place = &channel.place;
    let name = match action.trim_start_matches("s3:") {
        "ListBucket" => "list-objects-v2".to_owned(),
        "ListBucketVersions" => "list-object-versions".to_owned(),
        "ListBucketMultipartUploads" => "list-multipart-uploads".to_owned(),
        "GetObject" | "GetObjectVersion" => "head-object".to_owned(),
        "PutReplicationConfiguration" => "put-bucket-replication".to_owned(),
        "PutLifecycleConfiguration" => "put-bucket-lifecycle-configuration".to_owned(),
        "PutInventoryConfiguration" => "put-bucket-inventory-configuration".to_owned(),
        "PutEncryptionConfiguration" => "put-bucket-encryption".to_owned(),
        "PutBucketPublicAccessBlock" => "put-public-access-block".to_owned(),
        "PutBucketNotification" => "put-bucket-notification-configuration".to_owned(),
        "PutBucketObjectLockConfiguration" => "put-object-lock-configuration".to_owned(),
        "PutObjectVersionAcl" => "put-object-acl".to_owned(),
        "DeleteObjectVersion" => "delete-object".to_owned(),
        other => kebab(other),
    };
    let mut command =
        format!("aws s3api {name} --bucket {}", quoted(access_point(place).unwrap_or(&place.bucket)));
    if let Some(key) = &evidence.key {
        command.push_str(&format!(" --key {}", quoted(key)));
    }
    if action.ends_with("Version") || action.ends_with("VersionAcl") {
        command.push_str(&format!(" --version-id {}", quoted(version(channel))));
    }
    // Where a request must say something, it says what does the least harm.
    command.push_str(match action {
        action if action.ends_with("Acl") => " --acl private",
        "s3:PutBucketPublicAccessBlock" => " --public-access-block-configuration BlockPublicAcls=true",
        "s3:PutBucketOwnershipControls" => {
            " --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'"
        }
        "s3:PutBucketVersioning" => " --versioning-configuration Status=Enabled",
        _ => "",
    });
    for (key, option) in
        [("s3:prefix", "prefix"), ("s3:delimiter", "delimiter"), ("s3:max-keys", "max-items")]
    {
        if let Some(value) = evidence.values.get(key).and_then(|values| values.first()) {
            command.push_str(&format!(" --{option} {}", quoted(value)));
        }
    }
    command.push_str(options);
    command
}

/// `PutBucketWebsite` → `put-bucket-website`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_point_answers_at_a_host_of_its_own() {
        let host = |arn| access_point_host(arn, "amazonaws.com");
        assert_eq!(
            host("arn:aws:s3:eu-central-1:111122223333:accesspoint/ap").as_deref(),
            Some("ap-111122223333.s3-accesspoint.eu-central-1.amazonaws.com")
        );
        assert_eq!(
            host("arn:aws:s3::111122223333:accesspoint/m1.mrap").as_deref(),
            Some("m1.mrap.accesspoint.s3-global.amazonaws.com")
        );
        for odd in
            ["", "arn:aws:s3:::bucket", "arn:aws:s3:eu/../:1:accesspoint/ap", "arn:aws:s3:r:1:accesspoint/"]
        {
            assert_eq!(host(odd), None, "{odd}");
        }
    }
}
