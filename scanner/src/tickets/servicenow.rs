//! How is a ticket kept as a record of ServiceNow? The Table API; the correlation id is made for names like our uid.
//! <https://www.servicenow.com/docs/csh?topicname=c_TableAPI.html>

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::http::{Http, HttpError, Request};
use super::ticket::{Markup, Ticket};
use super::tracker::{Issue, Tracker};
use super::{encoded, list, text};
use crate::findings::{Severity, Transition};

/// What a description takes; the rest would be cut off without a word.
const DESCRIPTION_CHARS_MAX: usize = 4_000;
/// The states of an incident: in progress, resolved, closed, canceled. A closed record cannot be opened again.
const IN_PROGRESS: &str = "2";
const RESOLVED: &str = "6";
const ENDED: [&str; 3] = [RESOLVED, "7", "8"];

pub(super) struct ServiceNow {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) authorization: String,
    pub(super) table: String,
    pub(super) close_code: String,
    pub(super) fields: Map<String, Value>,
}

impl ServiceNow {
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, HttpError> {
        let url = format!("{}/api/now/table/{path}", self.url);
        let request =
            body.map_or_else(|| Request::get(url.clone()), |body| Request::json(method, url.clone(), body));
        let request =
            request.header("authorization", self.authorization.clone()).header("accept", "application/json");
        self.http.send(&request).await
    }

    async fn set(&self, issue: &Issue, body: &Value) -> Result<(), HttpError> {
        let path = format!("{}/{}", encoded(&self.table), encoded(&issue.id));
        self.send(Method::PATCH, &path, Some(body)).await.map(drop)
    }
}

#[async_trait]
impl Tracker for ServiceNow {
    async fn find(&self, ticket: &Ticket) -> Result<Option<Issue>, HttpError> {
        let query = encoded(&format!("correlation_id={}^ORDERBYsys_created_on", ticket.label));
        let path = format!(
            "{}?sysparm_query={query}&sysparm_fields=sys_id,state&sysparm_limit=1",
            encoded(&self.table)
        );
        let answer = self.send(Method::GET, &path, None).await?;
        let record = list(&answer, "/result")?.first();
        record
            .map(|record| {
                let id = text(record, "/sys_id");
                let id = id.ok_or_else(|| HttpError::Unexpected("a record without a `sys_id`".to_owned()))?;
                let ended = text(record, "/state").is_some_and(|state| ENDED.contains(&state));
                Ok(Issue { id: id.to_owned(), is_open: !ended })
            })
            .transpose()
    }

    async fn create(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let text = Markup::Plain.render(&ticket.sections);
        let text: String = text.chars().take(DESCRIPTION_CHARS_MAX).collect();
        let urgency = urgency(ticket.severity);
        let mut fields = Map::new();
        fields.insert("impact".to_owned(), json!(urgency));
        fields.insert("urgency".to_owned(), json!(urgency));
        // What is configured counts more than what is derived, but never changes by what it is found again.
        fields.extend(self.fields.clone());
        fields.insert("short_description".to_owned(), json!(ticket.title));
        fields.insert("description".to_owned(), json!(text));
        fields.insert("correlation_id".to_owned(), json!(ticket.label));
        fields.insert("correlation_display".to_owned(), json!("spillwatch"));
        self.send(Method::POST, &encoded(&self.table), Some(&Value::Object(fields))).await.map(drop)
    }

    async fn was_said(&self, issue: &Issue, marker: &str) -> Result<bool, HttpError> {
        let query = encoded(&format!("element_id={}^valueLIKE{marker}", issue.id));
        let path = format!("sys_journal_field?sysparm_query={query}&sysparm_fields=sys_id&sysparm_limit=1");
        Ok(!list(&self.send(Method::GET, &path, None).await?, "/result")?.is_empty())
    }

    async fn comment(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError> {
        // A PATCH, but one that appends: what came of it is looked up before it is sent again.
        let path = format!("{}/{}", encoded(&self.table), encoded(&issue.id));
        let body = json!({"work_notes": Markup::Plain.render(&ticket.news)});
        let request = Request::json(Method::PATCH, format!("{}/api/now/table/{path}", self.url), &body);
        let request = Request { repeatable: false, ..request };
        self.http.send(&request.header("authorization", self.authorization.clone())).await.map(drop)
    }

    async fn close(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError> {
        let why = match (ticket.status, &ticket.finding.suppression) {
            (Transition::Suppressed, Some(by)) => {
                format!("put aside until {} by {}: {}", by.until, by.author, by.reason)
            }
            _ => "a run looked with enough coverage, and it is gone".to_owned(),
        };
        self.set(issue, &json!({"state": RESOLVED, "close_code": self.close_code, "close_notes": why})).await
    }

    async fn reopen(&self, issue: &Issue) -> Result<(), HttpError> {
        self.set(issue, &json!({"state": IN_PROGRESS})).await
    }

    fn is_dry(&self) -> bool {
        self.http.is_dry()
    }
}

/// 1 high, 2 medium, 3 low; the priority follows from impact and urgency.
fn urgency(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "1",
        Severity::Medium => "2",
        Severity::Low | Severity::Informational => "3",
    }
}
