//! What does an event of CloudTrail say was done to a bucket?
//!
//! Sources: CloudTrail User Guide, "CloudTrail record contents"; S3 User Guide, "Amazon S3 CloudTrail events"; for new buckets
//! "Default settings for new S3 buckets FAQ".

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Effect, Event, History, Place, code, gap};
use crate::estate::{Bucket, Facts, GapReason, Setting};

pub(super) const OPERATION: &str = "cloudtrail:LookupEvents";

/// Events by which a bucket opens or closes, in the order in which they are asked for: the likeliest first.
pub const BUCKET_EVENTS: [&str; 8] = [
    "PutBucketPolicy",
    "PutBucketAcl",
    "DeleteBucketPublicAccessBlock",
    "PutBucketPublicAccessBlock",
    "CreateBucket",
    "PutBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketOwnershipControls",
];
/// Events by which all buckets of an account do.
pub const ACCOUNT_EVENTS: [&str; 2] = ["DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"];
/// Events by which the access points of a bucket do.
pub const ACCESS_POINT_EVENTS: [&str; 2] = ["PutAccessPointPolicy", "DeleteAccessPointPolicy"];

const ACCOUNT_BLOCK: &str = "s3control:GetPublicAccessBlock";

/// Whether an entry of an answer is about this bucket, one of these access points of it, or its whole account.
pub fn is_about(entry: &Value, bucket: &str, points: &[String]) -> bool {
    let record = record(entry);
    let asked = |name: &str| record.as_ref()?.get("requestParameters")?.get(name)?.as_str();
    let name = entry.get("EventName").and_then(Value::as_str).unwrap_or_default();
    if ACCOUNT_EVENTS.contains(&name) {
        return true;
    }
    if ACCESS_POINT_EVENTS.contains(&name) {
        return asked("name").is_some_and(|name| points.iter().any(|point| point == name));
    }
    // Not every event names its resources; what cannot be read is the bucket's where they do.
    asked("bucketName") == Some(bucket)
        || entry.get("Resources").and_then(Value::as_array).into_iter().flatten().any(|resource| {
            resource.get("ResourceName").and_then(Value::as_str).is_some_and(|name| name == bucket)
        })
}

/// The event itself, which the answer carries as text.
fn record(entry: &Value) -> Option<Map<String, Value>> {
    serde_json::from_str(entry.get("CloudTrailEvent")?.as_str()?).ok()
}

pub(super) fn history(bucket: &Bucket, records: &Facts) -> History {
    let mut history = History::default();
    let told = |reason, why: &str| gap(reason, OPERATION, &bucket.name, why);
    let Some(answers) = records.answer(OPERATION) else {
        history.gaps.push(told(GapReason::NotRead, "it was not read"));
        return history;
    };
    // An error of the whole, or an answer for each name.
    let whole = code(answers).map(|_| answers);
    let by_name = answers.as_object().filter(|_| whole.is_none()).map(Map::values);
    for answer in whole.into_iter().chain(by_name.into_iter().flatten()) {
        if let Some(code) = code(answer) {
            history.gaps.push(told(crate::estate::aws::gap_reason(&code), &format!("it answered `{code}`")));
            continue;
        }
        let Some(entries) = answer.get("Events").and_then(Value::as_array) else {
            history.gaps.push(told(GapReason::Malformed, "the answer holds no events"));
            continue;
        };
        if answer.get("NextToken").is_some() {
            history.gaps.push(told(GapReason::LimitReached, "there are older events than were read"));
        }
        for entry in entries {
            match record(entry).as_ref().map(event) {
                Some(Ok(event)) => history.events.extend(event),
                _ => history.gaps.push(told(GapReason::Malformed, "an event cannot be read")),
            }
        }
    }
    let names = || BUCKET_EVENTS.iter().chain(&ACCOUNT_EVENTS);
    // Once one was refused, the others were not asked for.
    if history.gaps.is_empty() && names().any(|name| answers.get(name).is_none()) {
        history.gaps.push(told(GapReason::NotRead, "not every kind of event was asked for"));
    }
    history.gaps.sort();
    history.gaps.dedup();
    history
}

/// What was done; `None` where it did not go through, and an error where the event breaks its format.
fn event(record: &Map<String, Value>) -> Result<Option<Event>, ()> {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    if record.get("errorCode").is_some_and(|code| !code.is_null()) {
        return Ok(None);
    }
    let at = text("eventTime").and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok()).ok_or(())?;
    let action = text("eventName").ok_or(())?.to_owned();
    let nothing = Value::Null;
    let asked = record.get("requestParameters").unwrap_or(&nothing);
    let Some(effect) = effect(&action, asked) else { return Ok(None) };
    let from = text("sourceIPAddress").unwrap_or("unknown").to_owned();
    Ok(Some(Event { at, who: who(record.get("userIdentity").unwrap_or(&nothing)), from, action, effect }))
}

/// Services act without an ARN, and so may callers from other accounts.
fn who(identity: &Value) -> String {
    let text = |name: &str| identity.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = text("arn").or_else(|| text("invokedBy")).or_else(|| text("principalId"));
    named.or_else(|| text("accountId")).unwrap_or("unknown").to_owned()
}

fn effect(action: &str, asked: &Value) -> Option<Effect> {
    let name = || asked.get("name").and_then(Value::as_str).map(str::to_owned);
    let bucket = |setting: &Setting, to| Effect::Set { place: Place::of_bucket(setting.operation()), to };
    let account =
        |to| Effect::Set { place: Place { of_account: true, operation: ACCOUNT_BLOCK, name: None }, to };
    let ownership = Place::of_bucket("s3:GetBucketOwnershipControls");
    Some(match action {
        "CreateBucket" => Effect::Created(created(asked)),
        "PutBucketPolicy" => bucket(&Setting::BucketPolicy, policy(asked)),
        "DeleteBucketPolicy" => bucket(&Setting::BucketPolicy, Setting::BucketPolicy.absent()),
        "PutBucketAcl" => bucket(&Setting::BucketAcl, acl(asked)),
        "PutBucketPublicAccessBlock" => bucket(&Setting::PublicAccessBlock, block(asked)),
        "DeleteBucketPublicAccessBlock" => {
            bucket(&Setting::PublicAccessBlock, Setting::PublicAccessBlock.absent())
        }
        "PutAccountPublicAccessBlock" => account(block(asked)),
        "DeleteAccountPublicAccessBlock" => account(Setting::PublicAccessBlock.absent()),
        "PutBucketOwnershipControls" => Effect::Set { place: ownership, to: owned(asked) },
        "DeleteBucketOwnershipControls" => {
            Effect::Set { place: ownership, to: Some(error("OwnershipControlsNotFoundError")) }
        }
        // How these events word the policy is documented nowhere.
        "PutAccessPointPolicy" | "DeleteAccessPointPolicy" => {
            let setting = Setting::AccessPointPolicy(name()?);
            let to = setting.absent().filter(|_| action.starts_with("Delete"));
            Effect::Set { place: Place { name: name(), ..Place::of_bucket(setting.operation()) }, to }
        }
        _ => return None,
    })
}

fn error(code: &str) -> Value {
    json!({"Error": {"Code": code}})
}

/// A bucket as it is made: private, ACLs off unless the request says otherwise, all four blocks on.
fn created(asked: &Value) -> Facts {
    let mut facts = Facts::default();
    let ownership = header(asked, "x-amz-object-ownership").unwrap_or("BucketOwnerEnforced");
    facts.record("s3:GetBucketOwnershipControls", controls(ownership));
    facts.record("s3:GetPublicAccessBlock", json!({"PublicAccessBlockConfiguration": {
        "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}));
    facts.record("s3:GetBucketPolicy", error("NoSuchBucketPolicy"));
    facts.record("s3:GetBucketAcl", acl(asked).unwrap_or_else(|| json!({"Grants": []})));
    facts
}

/// A header, as text or as a list of one.
fn header<'a>(asked: &'a Value, name: &str) -> Option<&'a str> {
    let value = asked.get(name)?;
    value.as_str().or_else(|| value.get(0)?.as_str())
}

fn policy(asked: &Value) -> Option<Value> {
    let policy = asked.get("bucketPolicy").filter(|policy| !policy.is_null())?;
    Some(json!({"Policy": policy.as_str().map_or_else(|| policy.to_string(), str::to_owned)}))
}

fn block(asked: &Value) -> Option<Value> {
    let stated = asked.get("PublicAccessBlockConfiguration")?.as_object()?;
    let flag = |value: &Value| value.as_bool().or_else(|| value.as_str()?.parse().ok());
    let flags = stated.iter().filter_map(|(name, value)| Some((name.clone(), Value::Bool(flag(value)?))));
    Some(json!({"PublicAccessBlockConfiguration": flags.collect::<Map<_, _>>()}))
}

fn controls(ownership: &str) -> Value {
    json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]}})
}

fn owned(asked: &Value) -> Option<Value> {
    let rule = asked.get("OwnershipControls")?.get("Rule")?;
    let rule = rule.get(0).unwrap_or(rule);
    Some(controls(rule.get("ObjectOwnership")?.as_str()?))
}

const GROUPS: &str = "http://acs.amazonaws.com/groups/global/";

/// The grants of a whole ACL, or those of a canned one ("Canned ACL", S3 User Guide) but the owner's, which open nothing.
fn acl(asked: &Value) -> Option<Value> {
    if let Some(stated) = asked.get("AccessControlPolicy") {
        let grant = stated.get("AccessControlList")?.get("Grant")?;
        let grants = grant.as_array().map_or_else(|| std::slice::from_ref(grant), Vec::as_slice);
        return Some(json!({"Grants": grants}));
    }
    let canned = match header(asked, "x-amz-acl")? {
        "public-read" => vec![("AllUsers", "READ")],
        "public-read-write" => vec![("AllUsers", "READ"), ("AllUsers", "WRITE")],
        "authenticated-read" => vec![("AuthenticatedUsers", "READ")],
        "private" | "bucket-owner-read" | "bucket-owner-full-control" | "log-delivery-write" => Vec::new(),
        _ => return None,
    };
    let grant = |(group, permission): (&str, &str)| json!({"Grantee": {"Type": "Group", "URI": format!("{GROUPS}{group}")}, "Permission": permission});
    Some(json!({"Grants": canned.into_iter().map(grant).collect::<Vec<_>>()}))
}
