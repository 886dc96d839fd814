//! What do Google Cloud's answers state, and which of them state that something is absent?
//!
//! Facts are kept under `service:resource.method` in the shapes of the JSON APIs. One answer each:
//!
//! | of a bucket | of a project |
//! |---|---|
//! | `storage:buckets.get`, `storage:buckets.getIamPolicy` (version 3), `storage:bucketAccessControls.list`, `storage:defaultObjectAccessControls.list`, `storage:managedFolders.list` | `cloudresourcemanager:projects.get`, `cloudresourcemanager:projects.getIamPolicy` |
//!
//! Maps from a name to its answer, because the operation is asked once for each:
//! `storage:managedFolders.getIamPolicy` (by the managed folder's name), `cloudresourcemanager:folders.get`,
//! `cloudresourcemanager:folders.getIamPolicy` and `cloudresourcemanager:organizations.getIamPolicy` (by `folders/…` and
//! `organizations/…`, all that stand above the project), `orgpolicy:policies.getEffectivePolicy` (by constraint, of the
//! project) and `iam:roles.get` (by the role's name). Of an object: `storage:objects.get` and
//! `storage:objectAccessControls.list`.
//!
//! An error is `{"Error": {"Code": …}}`, with the status of Google's APIs or the reason that goes with it
//! (`PERMISSION_DENIED`, `NOT_FOUND`, `SERVICE_DISABLED`, …). What does not stand there was not read.

use serde_json::Value;

use crate::estate::reading::Wording;
use crate::estate::{Fact, Facts, GapReason};

mod answers;
mod objects;

pub use answers::{
    AccessControl, Binding, BucketConfig, Condition, IpFilter, Policy, Project, Role, access_controls,
    ancestors, bucket_config, bucket_policy, constraint, inherited_policy, location, managed_folders,
    member_domains, object_access_controls, project, project_policy, role,
};
pub use objects::{object, object_metadata};

/// No operation that is asked of Google Cloud answers "there is none" by an error: a policy that was never set is an
/// empty one, a list without entries too.
fn absent_codes(_operation: &str) -> &'static [&'static str] {
    &[]
}

/// How an error code is to be taken: Google's canonical statuses, the reasons of its `ErrorInfo`, and the reasons of the
/// JSON API ("HTTP status and error codes for JSON", Cloud Storage).
pub fn gap_reason(code: &str) -> GapReason {
    match code {
        "PERMISSION_DENIED"
        | "UNAUTHENTICATED"
        | "SERVICE_DISABLED"
        | "BILLING_DISABLED"
        | "IAM_PERMISSION_DENIED"
        | "CONSUMER_INVALID"
        | "USER_PROJECT_DENIED"
        | "USER_PROJECT_MISSING"
        | "forbidden"
        | "required" => GapReason::Denied,
        "NOT_FOUND" | "notFound" => GapReason::NotFound,
        "RESOURCE_EXHAUSTED" | "RATE_LIMIT_EXCEEDED" | "rateLimitExceeded" | "userRateLimitExceeded" => {
            GapReason::Throttled
        }
        "DEADLINE_EXCEEDED" | "RequestTimedOut" => GapReason::TimedOut,
        "UNAVAILABLE" | "EndpointUnreachable" => GapReason::Unreachable,
        "UnparsableResponse" | "DATA_LOSS" => GapReason::Malformed,
        "UNIMPLEMENTED" => GapReason::Unsupported,
        _ => GapReason::Failed,
    }
}

const WORDING: Wording = Wording { provider: "Google Cloud", absent: absent_codes, reason: gap_reason };

/// Reads the answer of `operation` from `facts`.
pub fn read<T>(
    facts: &Facts,
    operation: &str,
    resource: &str,
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> Fact<T> {
    WORDING.read(operation, resource, facts.answer(operation), parse)
}

/// Reads the answer for one `name` of an operation that is asked once for each.
fn read_entry<T>(
    facts: &Facts,
    operation: &str,
    name: &str,
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> Fact<T> {
    let answer = match facts.answer(operation) {
        // The whole operation failed: so did each of its questions.
        Some(failed) if failed.get("Error").is_some() => Some(failed),
        answers => answers.and_then(|answers| answers.get(name)),
    };
    WORDING.read(operation, name, answer, parse)
}

#[cfg(test)]
mod tests;
