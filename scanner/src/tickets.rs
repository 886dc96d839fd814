//! How does a finding become a ticket where people work, and who is told when it changes? One small file per kind of sink.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

mod dead_letter;
mod desk;
mod github;
mod gitlab;
pub(crate) mod http;
mod jira;
mod notice;
mod pagerduty;
mod secret;
mod securityhub;
mod servicenow;
mod settings;
mod sink;
mod slack;
mod ticket;
mod tracker;
mod webhook;

pub use desk::{Delivery, Desk, Filing};
pub use http::{HttpError, Manners, Printer, host, is_safe};
pub use secret::SecretSource;
pub use settings::{DueDays, Kind, Ownership, Settings, SinkSettings};

/// Why no ticket can be filed at all.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// A sink cannot be used as it is set up.
    #[error("sink `{sink}`: {cause}")]
    Sink {
        /// Its name.
        sink: String,
        /// What is missing, and what to set.
        cause: String,
    },
    /// The file of what could not be delivered cannot be read or written.
    #[error("the dead letters: {0}")]
    DeadLetters(#[from] std::io::Error),
}

/// What stays as it is in a path or a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Text as one part of a path or a query: what a server names cannot lead elsewhere.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A text of an answer.
fn text<'a>(answer: &'a Value, pointer: &str) -> Option<&'a str> {
    answer.pointer(pointer).and_then(Value::as_str)
}

/// A list of an answer. One that is not there is an error: taken for an empty one, it would make everything twice.
fn list<'a>(answer: &'a Value, pointer: &str) -> Result<&'a [Value], HttpError> {
    let list = answer.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice);
    list.ok_or_else(|| HttpError::Unexpected(format!("it holds no list at `{pointer}`")))
}
