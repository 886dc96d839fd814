//! What decides who can reach a bucket or an object? Asked together, kept verbatim.

use std::error::Error;
use std::future::Future;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3control::types::AccessPoint;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use serde_json::{Map, Value, json};

use super::accounts::UNKNOWN_ACCOUNT;
use super::failure::Failure;
use super::session::Session;
use super::shapes;
use crate::estate::{Bucket, Facts, Object, Setting};

/// Questions about one bucket that are under way at the same time.
const QUESTIONS_AT_ONCE: usize = 8;
/// Access points of one bucket that are looked into; AWS allows 10,000 in an account and region.
const ACCESS_POINTS_MAX: usize = 1_000;

/// A question on its way, with the name that its answer is kept under.
pub(super) type Question<'a> = BoxFuture<'a, (String, Value)>;

/// Everything that is set on the bucket itself, and its access points.
pub(super) async fn of_bucket(session: &Session, bucket: &Bucket) -> Facts {
    /// One operation of the bucket's region, by its builder's name and the shape of its answer.
    macro_rules! s3 {
        ($name:literal, $operation:ident, $shape:ident) => {{
            let call = session.send(bucket, |s3| s3.$operation().bucket(&bucket.name).send());
            question($name, call, shapes::$shape)
        }};
    }
    let questions: Vec<Question<'_>> = vec![
        s3!("s3:GetBucketAcl", get_bucket_acl, bucket_acl),
        s3!("s3:GetBucketPolicy", get_bucket_policy, bucket_policy),
        s3!("s3:GetBucketPolicyStatus", get_bucket_policy_status, bucket_policy_status),
        s3!("s3:GetPublicAccessBlock", get_public_access_block, public_access_block),
        s3!("s3:GetBucketOwnershipControls", get_bucket_ownership_controls, bucket_ownership_controls),
        s3!("s3:GetBucketWebsite", get_bucket_website, bucket_website),
        s3!("s3:GetBucketLocation", get_bucket_location, bucket_location),
        s3!("s3:GetBucketTagging", get_bucket_tagging, bucket_tagging),
        s3!("s3:GetBucketVersioning", get_bucket_versioning, bucket_versioning),
        s3!("s3:GetBucketEncryption", get_bucket_encryption, bucket_encryption),
        s3!("s3:GetBucketLogging", get_bucket_logging, bucket_logging),
        s3!(
            "s3:ListBucketInventoryConfigurations",
            list_bucket_inventory_configurations,
            inventory_configurations
        ),
    ];
    let (mut facts, points) = futures::join!(ask(questions), of_access_points(session, bucket));
    facts.inherit(&points);
    facts
}

/// What one setting is now.
pub(super) async fn of_setting(session: &Session, bucket: &Bucket, setting: &Setting) -> Value {
    let name = setting.operation();
    /// One operation of the bucket's region, by its builder's name and the shape of its answer.
    macro_rules! s3 {
        ($operation:ident, $shape:ident) => {{
            let call = session.send(bucket, |s3| s3.$operation().bucket(&bucket.name).send());
            question(name, call, shapes::$shape)
        }};
    }
    let question = match setting {
        Setting::PublicAccessBlock => s3!(get_public_access_block, public_access_block),
        Setting::BucketPolicy => s3!(get_bucket_policy, bucket_policy),
        Setting::BucketAcl => s3!(get_bucket_acl, bucket_acl),
        Setting::ObjectAcl { key, version } => {
            let call = session.send(bucket, move |s3| {
                s3.get_object_acl().bucket(&bucket.name).key(key).set_version_id(version.clone()).send()
            });
            question(name, call, shapes::object_acl)
        }
        Setting::AccessPointPolicy(point) => {
            let account = &bucket.account.id;
            let call = session.control(Some(bucket), move |control| {
                control.get_access_point_policy().account_id(account).name(point).send()
            });
            question(name, call, shapes::access_point_policy)
        }
        Setting::PublicAccessPrevention
        | Setting::BucketIamPolicy
        | Setting::BucketAccessList
        | Setting::ObjectAccessList { .. }
        | Setting::Isolation(_) => {
            return failed(&Failure::unparsable());
        }
    };
    question.await.1
}

/// The object's own ACL.
pub(super) async fn of_object(session: &Session, bucket: &Bucket, object: &Object) -> Facts {
    let call = session.send(bucket, |s3| {
        s3.get_object_acl()
            .bucket(&bucket.name)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .send()
    });
    ask(vec![question("s3:GetObjectAcl", call, shapes::object_acl)]).await
}

/// The bucket's access points, and for each what decides who can come through it.
async fn of_access_points(session: &Session, bucket: &Bucket) -> Facts {
    const LIST: &str = "s3control:ListAccessPoints";
    let mut facts = Facts::default();
    if bucket.account.id == UNKNOWN_ACCOUNT {
        return facts;
    }
    let points = match list_access_points(session, bucket).await {
        Ok(points) => points,
        Err(failure) => {
            facts.record(LIST, failed(&failure));
            return facts;
        }
    };
    facts.record(LIST, shapes::access_points(&points));
    let account = bucket.account.id.as_str();
    /// One operation asked of every access point: a map by the access point's name.
    macro_rules! each {
        ($name:literal, $operation:ident, $shape:ident) => {{
            let questions = points.iter().map(|point| {
                let call = session.control(Some(bucket), |control| {
                    control.$operation().account_id(account).name(point.name()).send()
                });
                question(point.name(), call, shapes::$shape)
            });
            let answers: Map<String, Value> = answers(questions.collect()).await.into_iter().collect();
            facts.record($name, Value::Object(answers));
        }};
    }
    each!("s3control:GetAccessPoint", get_access_point, access_point);
    each!("s3control:GetAccessPointPolicy", get_access_point_policy, access_point_policy);
    each!("s3control:GetAccessPointPolicyStatus", get_access_point_policy_status, access_point_policy_status);
    facts
}

async fn list_access_points(session: &Session, bucket: &Bucket) -> Result<Vec<AccessPoint>, Failure> {
    let mut points = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let next = token.clone();
        let page = session
            .control(Some(bucket), |control| {
                let list = control.list_access_points().account_id(&bucket.account.id).bucket(&bucket.name);
                list.set_next_token(next).send()
            })
            .await
            .map_err(|error| Failure::of(&error))?;
        points.extend(page.access_point_list.unwrap_or_default());
        match page.next_token.filter(|next| !next.is_empty()) {
            None => return Ok(points),
            // Part of a list would pass for the whole: better none than that.
            Some(next) if token.as_ref() == Some(&next) || points.len() > ACCESS_POINTS_MAX => {
                return Err(Failure::unparsable());
            }
            next => token = next,
        }
    }
}

pub(super) async fn ask(questions: Vec<Question<'_>>) -> Facts {
    let mut facts = Facts::default();
    for (operation, answer) in answers(questions).await {
        facts.record(&operation, answer);
    }
    facts
}

pub(super) async fn answers(questions: Vec<Question<'_>>) -> Vec<(String, Value)> {
    stream::iter(questions).buffer_unordered(QUESTIONS_AT_ONCE).collect().await
}

/// The answer in the shape of AWS's command line; an error, or an answer that says nothing, by its code.
pub(super) fn question<'a, T, E>(
    name: &str,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    shape: fn(&T) -> Option<Value>,
) -> Question<'a>
where
    T: Send + 'a,
    E: ProvideErrorMetadata + Error + Send + 'static,
{
    let name = name.to_owned();
    async move {
        let answer = call.await.map_err(|error| Failure::of(&error));
        let shaped = answer.and_then(|answer| shape(&answer).ok_or_else(Failure::unparsable));
        (name, shaped.unwrap_or_else(|failure| failed(&failure)))
    }
    .boxed()
}

pub(super) fn failed(failure: &Failure) -> Value {
    json!({ "Error": { "Code": failure.code } })
}
