//! How does a finding become one ticket, and stay one? Search, then create, comment, close or open again.

use async_trait::async_trait;

use super::http::{HttpError, backoff};
use super::ticket::Ticket;
use crate::findings::{Severity, Transition};

/// How often a filing begins anew with its search after an answer was lost.
const FILINGS_MAX: u32 = 4;

/// A place that keeps tickets.
#[async_trait]
pub(super) trait Tracker: Send + Sync {
    /// The oldest ticket under this label.
    async fn find(&self, ticket: &Ticket) -> Result<Option<Issue>, HttpError>;
    /// Makes one.
    async fn create(&self, ticket: &Ticket) -> Result<(), HttpError>;
    /// Whether something with this marker was said on it already.
    async fn was_said(&self, issue: &Issue, marker: &str) -> Result<bool, HttpError>;
    /// Says what is new.
    async fn comment(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError>;
    /// Closes it.
    async fn close(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError>;
    /// Opens it again.
    async fn reopen(&self, issue: &Issue) -> Result<(), HttpError>;
    /// Whether requests are printed only.
    fn is_dry(&self) -> bool;
}

/// A ticket that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    /// As the tracker names it in its paths.
    pub(super) id: String,
    pub(super) is_open: bool,
}

/// What was done about a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) created: bool,
    pub(super) commented: bool,
    pub(super) closed: bool,
    pub(super) reopened: bool,
    pub(super) sent: bool,
}

/// Whether a tracker has anything to do with it.
pub(super) fn concerns(ticket: &Ticket, min_severity: Severity) -> bool {
    let says_nothing = matches!(ticket.status, Transition::New | Transition::Unchanged);
    may_create(ticket, min_severity) || !says_nothing
}

fn may_create(ticket: &Ticket, min_severity: Severity) -> bool {
    ticket.severity >= min_severity && ticket.status.is_open()
}

/// Files a ticket. Where an answer was lost it begins anew with the search, so that nothing is done twice.
pub(super) async fn file(
    tracker: &dyn Tracker,
    ticket: &Ticket,
    min_severity: Severity,
) -> Result<Done, HttpError> {
    let (mut done, mut filing) = (Done::default(), 1);
    loop {
        match once(tracker, ticket, may_create(ticket, min_severity), &mut done).await {
            Err(HttpError::Unsure { .. }) if filing < FILINGS_MAX => {
                tokio::time::sleep(backoff(filing)).await;
                filing += 1;
            }
            Err(error) => return Err(error),
            Ok(()) => return Ok(done),
        }
    }
}

async fn once(
    tracker: &dyn Tracker,
    ticket: &Ticket,
    may_create: bool,
    done: &mut Done,
) -> Result<(), HttpError> {
    let found = tracker.find(ticket).await;
    let found = if tracker.is_dry() { assumed(ticket.status) } else { found? };
    let Some(issue) = found else {
        if may_create {
            tracker.create(ticket).await?;
            done.created = true;
        }
        return Ok(());
    };
    let news = match ticket.status {
        // Somebody may have closed it on purpose, and nothing is new.
        Transition::Unchanged => return Ok(()),
        // It is there and is told as new: no ledger is kept, or this is said a second time.
        Transition::New => !issue.is_open,
        Transition::Updated | Transition::Reopened => true,
        // That it is over is said once, to those who still wait for it.
        Transition::Resolved | Transition::Suppressed => issue.is_open,
    };
    if news && !was_said(tracker, &issue, ticket).await? {
        tracker.comment(&issue, ticket).await?;
        done.commented = true;
    }
    match (ticket.status.is_open(), issue.is_open) {
        (true, false) => {
            tracker.reopen(&issue).await?;
            done.reopened = true;
        }
        (false, true) => {
            tracker.close(&issue, ticket).await?;
            done.closed = true;
        }
        _ => {}
    }
    Ok(())
}

async fn was_said(tracker: &dyn Tracker, issue: &Issue, ticket: &Ticket) -> Result<bool, HttpError> {
    let said = tracker.was_said(issue, &ticket.marker).await;
    if tracker.is_dry() { Ok(false) } else { said }
}

/// What a dry run takes for granted, since it asks nobody.
fn assumed(status: Transition) -> Option<Issue> {
    let known = |is_open| Some(Issue { id: "ISSUE".to_owned(), is_open });
    match status {
        Transition::New | Transition::Unchanged => None,
        Transition::Reopened => known(false),
        Transition::Updated | Transition::Resolved | Transition::Suppressed => known(true),
    }
}
