//! Who changed what decides who can reach a bucket, as far as the provider's own records tell?
//!
//! | provider | operation | answer |
//! |---|---|---|
//! | AWS | `cloudtrail:LookupEvents` | a map by the event's name (`PutBucketPolicy`, …) to `{"Events": […]}` as CloudTrail answers, the bucket's and its account's alone |
//! | Google Cloud | `logging:entries.list` | `{"entries": […]}`: the bucket's Admin Activity audit log |
//!
//! A token for another page that stands there still means that older ones were left out.

use serde_json::Value;
use time::OffsetDateTime;

use super::{Bucket, Facts, Gap, GapReason, Provider};

mod aws;
mod gcp;

pub use aws::{ACCESS_POINT_EVENTS, ACCOUNT_EVENTS, BUCKET_EVENTS, is_about};
pub use gcp::METHODS;

/// Changes of one bucket that are told.
const EVENTS_MAX: usize = 1_000;

/// What was done to a bucket, the newest first, and what of it could not be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The changes that went through.
    pub events: Vec<Event>,
    /// Why there may have been others.
    pub gaps: Vec<Gap>,
}

/// One change that somebody made.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: OffsetDateTime,
    /// The ARN, service, or address of whoever made it, as the record writes it: attackers name themselves.
    pub who: String,
    /// The network address that the request came from, or the service that sent it, as written.
    pub from: String,
    /// The operation in the provider's words.
    pub action: String,
    /// What it did.
    pub effect: Effect,
}

/// What a change did, as far as its record tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The bucket was made; before that it had nothing of what stands in these facts.
    Created(Facts),
    /// A setting was set.
    Set {
        /// Which one.
        place: Place,
        /// To what, if that is told.
        to: Option<Value>,
    },
    /// Members were added to a policy of Google Cloud, or taken out.
    Bound(Vec<Binding>),
    /// Something was changed, and the record does not say what.
    Untold,
}

/// Where among the facts an answer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether among those of the account.
    pub of_account: bool,
    /// The operation that reads it.
    pub operation: &'static str,
    /// The name of that which it was asked of, where it is asked of several.
    pub name: Option<String>,
}

/// A member of a role that was added or taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Added, or else taken out.
    pub added: bool,
    /// The role.
    pub role: String,
    /// `allUsers`, `user:…` and so on.
    pub member: String,
    /// The expression of the condition, if there is one.
    pub condition: Option<String>,
}

/// What the records of a bucket tell: `records` are those that a door or an estate keeps.
pub fn history(bucket: &Bucket, records: &Facts) -> History {
    let (operation, mut history) = match bucket.account.provider {
        Provider::Aws => (aws::OPERATION, aws::history(bucket, records)),
        Provider::Gcp => (gcp::OPERATION, gcp::history(bucket, records)),
        Provider::Local => return History::default(),
    };
    // Records of one second keep the order in which they came, the newest first.
    history.events.sort_by_key(|event| std::cmp::Reverse(event.at));
    if history.events.len() > EVENTS_MAX {
        history.events.truncate(EVENTS_MAX);
        let why = format!("older changes than the last {EVENTS_MAX} were left out");
        history.gaps.push(gap(GapReason::LimitReached, operation, &bucket.name, &why));
    }
    history
}

impl Place {
    fn of_bucket(operation: &'static str) -> Self {
        Self { of_account: false, operation, name: None }
    }

    /// Puts an answer there, beside those of others where it is asked of several.
    pub fn record(&self, facts: &mut Facts, answer: Value) {
        let Some(name) = &self.name else { return facts.record(self.operation, answer) };
        let mut answers = facts.answer(self.operation).cloned().unwrap_or_else(|| serde_json::json!({}));
        if let Some(answers) = answers.as_object_mut() {
            answers.insert(name.clone(), answer);
        }
        facts.record(self.operation, answers);
    }
}

/// A record that was not to be had, or not to be understood.
fn gap(reason: GapReason, operation: &str, bucket: &str, why: &str) -> Gap {
    let next = if reason == GapReason::Denied { "; grant it to settle who opened it" } else { "" };
    Gap {
        reason,
        operation: operation.to_owned(),
        resource: bucket.to_owned(),
        detail: format!("`{operation}` for `{bucket}`: {why}{next}"),
    }
}

/// An error's code, fit to be told.
fn code(answer: &Value) -> Option<String> {
    let code = answer.get("Error")?.get("Code").and_then(Value::as_str).unwrap_or("no code");
    Some(code.chars().filter(|c| !c.is_control()).take(80).collect())
}

#[cfg(test)]
mod tests;
