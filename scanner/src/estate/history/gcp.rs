//! What does an entry of Google Cloud's Admin Activity audit log say was done to a bucket?
//!
//! Sources: Cloud Storage documentation, "Cloud Audit Logs with Cloud Storage"; Cloud Logging, "AuditLog"; IAM, "AuditData".

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Binding, Effect, Event, History, code, gap};
use crate::estate::{Bucket, Facts, GapReason};

pub(super) const OPERATION: &str = "logging:entries.list";

/// Methods by which a bucket opens or closes.
pub const METHODS: [&str; 3] =
    ["storage.setIamPermissions", "storage.buckets.update", "storage.buckets.create"];

pub(super) fn history(bucket: &Bucket, records: &Facts) -> History {
    let mut history = History::default();
    let told = |reason, why: &str| gap(reason, OPERATION, &bucket.name, why);
    let Some(answer) = records.answer(OPERATION) else {
        history.gaps.push(told(GapReason::NotRead, "it was not read"));
        return history;
    };
    if let Some(code) = code(answer) {
        history.gaps.push(told(crate::estate::gcp::gap_reason(&code), &format!("it answered `{code}`")));
        return history;
    }
    // A log without entries is answered by an empty object.
    let entries = match answer.get("entries") {
        None if answer.is_object() => &[],
        Some(Value::Array(entries)) => entries.as_slice(),
        _ => {
            history.gaps.push(told(GapReason::Malformed, "the answer holds no entries"));
            return history;
        }
    };
    if answer.get("nextPageToken").and_then(Value::as_str).is_some_and(|token| !token.is_empty()) {
        history.gaps.push(told(GapReason::LimitReached, "there are older entries than were read"));
    }
    for entry in entries {
        match event(entry, &bucket.name) {
            Ok(event) => history.events.extend(event),
            Err(()) => history.gaps.push(told(GapReason::Malformed, "an entry cannot be read")),
        }
    }
    history.gaps.dedup();
    history
}

/// What was done to the bucket itself; `None` where it did not go through, and an error where the entry breaks its format.
fn event(entry: &Value, bucket: &str) -> Result<Option<Event>, ()> {
    let log = entry.get("protoPayload").and_then(Value::as_object).ok_or(())?;
    let text = |pointer: &str| Value::pointer(entry, pointer).and_then(Value::as_str);
    let at = text("/timestamp").and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok()).ok_or(())?;
    let action = text("/protoPayload/methodName").ok_or(())?.to_owned();
    let failed =
        log.get("status").and_then(|status| status.get("code")?.as_i64()).is_some_and(|code| code != 0);
    // An object's entry names the object after the bucket.
    let named = text("/protoPayload/resourceName").unwrap_or_default();
    if failed || named.strip_prefix("projects/_/buckets/") != Some(bucket) {
        return Ok(None);
    }
    let effect = match action.as_str() {
        "storage.setIamPermissions" => bindings(log).map_or(Effect::Untold, Effect::Bound),
        "storage.buckets.create" => Effect::Created(Facts::default()),
        "storage.buckets.update" => Effect::Untold,
        _ => return Ok(None),
    };
    let who = text("/protoPayload/authenticationInfo/principalEmail")
        .or_else(|| text("/protoPayload/authenticationInfo/principalSubject"));
    let from = text("/protoPayload/requestMetadata/callerIp").unwrap_or("unknown").to_owned();
    Ok(Some(Event { at, who: who.unwrap_or("unknown").to_owned(), from, action, effect }))
}

/// What a change of the policy added and took out.
fn bindings(log: &Map<String, Value>) -> Option<Vec<Binding>> {
    let deltas = ["serviceData", "metadata"].iter().find_map(|name| log.get(*name)?.get("policyDelta"))?;
    let deltas = deltas.get("bindingDeltas")?.as_array()?;
    let read = |delta: &Value| {
        let text = |name: &str| delta.get(name).and_then(Value::as_str);
        let added = match text("action")? {
            "ADD" => true,
            "REMOVE" => false,
            _ => return None,
        };
        let condition = delta.pointer("/condition/expression").and_then(Value::as_str).map(str::to_owned);
        Some(Binding { added, role: text("role")?.to_owned(), member: text("member")?.to_owned(), condition })
    };
    deltas.iter().map(read).collect()
}
