//! Which of AWS's answers state a fact, which state its absence, and which state nothing?

use serde_json::Value;

use super::{Fact, Facts, Gap, GapReason};

/// Error codes by which AWS says that there is none (S3 API Reference, "List of error codes").
const ABSENCES: [&str; 6] = [
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchWebsiteConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
];

/// What `facts` say of an operation. The gap of an unread fact names no resource: the caller knows it.
pub fn fact<'f>(facts: &'f Facts, operation: &str) -> Fact<&'f Value> {
    let Some(answer) = facts.answer(operation) else {
        return unread(operation, GapReason::NotRead, format!("`{operation}` was not asked"));
    };
    if !answer.is_object() {
        return unread(operation, GapReason::Malformed, format!("`{operation}` answered something else"));
    }
    let Some(error) = answer.get("Error") else { return Fact::Present(answer) };
    match error.get("Code").and_then(Value::as_str).unwrap_or("unknown") {
        code if ABSENCES.contains(&code) => Fact::Absent,
        "AccessDenied" | "AccessDeniedException" => {
            unread(operation, GapReason::Denied, format!("denied `{operation}`; grant it to the scan role"))
        }
        "SlowDown" | "Throttling" | "ThrottlingException" => {
            unread(operation, GapReason::Throttled, format!("throttled `{operation}`"))
        }
        _ => unread(operation, GapReason::Failed, format!("`{operation}` failed")),
    }
}

fn unread<'f>(operation: &str, reason: GapReason, detail: String) -> Fact<&'f Value> {
    Fact::Unread(Gap { reason, operation: operation.to_owned(), resource: String::new(), detail })
}
