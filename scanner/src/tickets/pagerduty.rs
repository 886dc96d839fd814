//! How is somebody woken? Events API version 2 of PagerDuty, which itself keeps one incident per `dedup_key`.
//! <https://developer.pagerduty.com/docs/events-api-v2-overview>

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Http, HttpError, Request};
use super::notice::Notice;
use super::secret::Secret;
use super::ticket::{Ticket, counts};
use crate::findings::Severity;

pub(super) struct PagerDuty {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) routing_key: Secret,
}

#[async_trait::async_trait]
impl Notice for PagerDuty {
    async fn send(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let is_open = ticket.status.is_open();
        let mut body = json!({
            "routing_key": self.routing_key.expose(),
            "event_action": if is_open { "trigger" } else { "resolve" },
            "dedup_key": ticket.uid,
        });
        if let Some(body) = body.as_object_mut().filter(|_| is_open) {
            let links = ticket.whose.link.iter().map(|link| json!({"href": link, "text": "report"}));
            body.insert("payload".to_owned(), payload(ticket));
            body.insert("links".to_owned(), links.collect());
        }
        // The same key twice is one incident.
        let request = Request::json(Method::POST, format!("{}/v2/enqueue", self.url), &body).repeatable();
        self.http.send(&request).await.map(drop)
    }
}

fn payload(ticket: &Ticket) -> Value {
    let finding = &ticket.finding;
    let inside: Vec<String> = finding.detections.iter().map(counts).collect();
    json!({
        "summary": ticket.title,
        "source": format!("{}/{}/{}", finding.provider, finding.account, finding.bucket),
        "severity": severity(ticket.severity),
        "timestamp": finding.last_seen,
        "component": finding.bucket,
        "group": finding.account,
        "class": finding.class,
        "custom_details": {
            "rule": finding.rule,
            "inside": inside,
            "objects": finding.objects.count,
            "because": finding.because,
            "remediation": finding.remediation,
            "exposed_since": finding.exposed_since,
            "owner": ticket.whose.owner,
            "team": ticket.whose.team,
            "contact": ticket.whose.contact,
            "due": ticket.whose.due,
        },
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "info",
    }
}
