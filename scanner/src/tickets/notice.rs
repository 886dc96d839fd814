//! Who is told of a transition and keeps no ticket that could be searched?

use async_trait::async_trait;

use super::http::HttpError;
use super::ticket::Ticket;
use crate::findings::{Severity, Transition};

/// A place that is told, and does the rest itself.
#[async_trait]
pub(super) trait Notice: Send + Sync {
    /// Tells one transition; the receiver knows a second telling by the marker or the uid.
    async fn send(&self, ticket: &Ticket) -> Result<(), HttpError>;
}

/// Whether it is news. That nothing changed is none; an end always is, for it may have been worse when it was told.
pub(super) fn concerns(ticket: &Ticket, min_severity: Severity) -> bool {
    match ticket.status {
        Transition::Unchanged => false,
        Transition::Resolved | Transition::Suppressed => true,
        Transition::New | Transition::Updated | Transition::Reopened => ticket.severity >= min_severity,
    }
}
