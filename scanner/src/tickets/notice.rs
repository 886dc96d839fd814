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

    /// Whether it keeps something open until it hears of the end, however small the finding has become.
    fn hears_every_end(&self) -> bool {
        true
    }
}

/// Whether it is news. That nothing changed is none.
pub(super) fn concerns(notice: &dyn Notice, ticket: &Ticket, min_severity: Severity) -> bool {
    match ticket.status {
        Transition::Unchanged => false,
        Transition::Resolved | Transition::Suppressed if notice.hears_every_end() => true,
        _ => ticket.severity >= min_severity,
    }
}
