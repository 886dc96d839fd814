//! How does a channel hear of it? An incoming webhook of Slack: counts and a link, never a key or a sample.
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use reqwest::Method;
use serde_json::json;

use super::http::{Http, HttpError, Request};
use super::notice::Notice;
use super::secret::Secret;
use super::ticket::Ticket;
use crate::findings::Transition;

pub(super) struct Slack {
    pub(super) http: Http,
    /// The webhook's address, which is all that is needed to write.
    pub(super) url: Secret,
}

#[async_trait::async_trait]
impl Notice for Slack {
    async fn send(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({"text": words(ticket), "unfurl_links": false});
        self.http.send(&Request::json(Method::POST, self.url.expose().to_owned(), &body)).await.map(drop)
    }

    fn hears_every_end(&self) -> bool {
        false
    }
}

fn words(ticket: &Ticket) -> String {
    let finding = &ticket.finding;
    let became = match ticket.status {
        Transition::New | Transition::Unchanged => "New",
        Transition::Updated => "Changed",
        Transition::Reopened => "Open again",
        Transition::Resolved => "Resolved",
        Transition::Suppressed => "Put aside",
    };
    let mut lines = vec![format!("*{became}*: {}", escaped(&ticket.title))];
    if ticket.status.is_open() {
        let distinct = finding.detections.iter().map(|found| found.distinct).max();
        let distinct = distinct.map_or_else(String::new, |distinct| {
            format!(", about {distinct} distinct people, ids or secrets")
        });
        lines.push(format!("{} objects{distinct}", finding.objects.count));
        let whose = [&ticket.whose.owner, &ticket.whose.team].into_iter().flatten().next();
        let due = ticket.whose.due.as_ref().map(|due| format!("due {due}"));
        let whose = whose.map(|owner| format!("owner {}", escaped(owner)));
        let line: Vec<String> = whose.into_iter().chain(due).collect();
        lines.extend((!line.is_empty()).then(|| line.join(", ")));
    }
    lines.extend(ticket.whose.link.as_ref().map(|link| format!("<{}|report>", escaped(link))));
    lines.join("\n")
}

/// Slack reads commands and links only between `<` and `>`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
