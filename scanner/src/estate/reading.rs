//! Is what a provider answered a fact, the absence of one, or nothing that could be read?

use serde::Deserialize;
use serde_json::Value;

use crate::estate::{Fact, Gap, GapReason};

/// How a provider words its answers.
pub(super) struct Wording {
    /// The provider, for a sentence.
    pub(super) provider: &'static str,
    /// The codes by which an operation says that there is nothing.
    pub(super) absent: fn(&str) -> &'static [&'static str],
    /// What every other code means.
    pub(super) reason: fn(&str) -> GapReason,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "Error")]
    error: FailureCode,
}

#[derive(Deserialize)]
struct FailureCode {
    #[serde(rename = "Code")]
    code: String,
}

impl Wording {
    /// Reads one answer of `operation` about `resource`: the provider's own words for "there is none" are absence, every
    /// other error is unread, and so is an answer that breaks its format.
    pub(super) fn read<T>(
        &self,
        operation: &str,
        resource: &str,
        answer: Option<&Value>,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Fact<T> {
        let gap = |reason, detail: String| {
            Fact::Unread(Gap {
                reason,
                operation: operation.to_owned(),
                resource: resource.to_owned(),
                detail,
            })
        };
        let Some(answer) = answer else {
            return gap(GapReason::NotRead, format!("`{operation}` of `{resource}` was not read"));
        };
        if answer.get("Error").is_some() {
            return match Failure::deserialize(answer) {
                Ok(failure) if (self.absent)(operation).contains(&failure.error.code.as_str()) => {
                    Fact::Absent
                }
                Ok(failure) => {
                    let code: String =
                        failure.error.code.chars().filter(|c| !c.is_control()).take(80).collect();
                    let reason = (self.reason)(&failure.error.code);
                    let next = match reason {
                        GapReason::Denied => {
                            format!("; grant it to the scan role to settle who can reach `{resource}`")
                        }
                        _ => String::new(),
                    };
                    gap(reason, format!("`{operation}` of `{resource}` answered `{code}`{next}"))
                }
                Err(_) => gap(
                    GapReason::Malformed,
                    format!("`{operation}` of `{resource}` holds an error without a code"),
                ),
            };
        }
        match parse(answer) {
            Ok(value) => Fact::Present(value),
            Err(why) => gap(
                GapReason::Malformed,
                format!("`{operation}` of `{resource}` is not as {} answers: {why}", self.provider),
            ),
        }
    }
}
