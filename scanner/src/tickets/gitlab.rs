//! How is a ticket kept as an issue of GitLab? REST API version 4.
//! <https://docs.gitlab.com/api/issues/>

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Http, HttpError, Request};
use super::secret::Secret;
use super::ticket::{Markup, Ticket};
use super::tracker::{Issue, Tracker};
use super::{encoded, list, text};

/// Notes that are looked through for a marker, the newest first.
const NOTES_MAX: usize = 100;

pub(super) struct GitLab {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) token: Secret,
    /// Its number, or `GROUP/NAME`.
    pub(super) project: String,
}

impl GitLab {
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, HttpError> {
        let url = format!("{}/api/v4/projects/{}/issues{path}", self.url, encoded(&self.project));
        let request =
            body.map_or_else(|| Request::get(url.clone()), |body| Request::json(method, url.clone(), body));
        self.http.send(&request.header("private-token", self.token.expose())).await
    }

    async fn set(&self, issue: &Issue, event: &str) -> Result<(), HttpError> {
        let body = json!({"state_event": event});
        self.send(Method::PUT, &format!("/{}", encoded(&issue.id)), Some(&body)).await.map(drop)
    }
}

#[async_trait]
impl Tracker for GitLab {
    async fn find(&self, ticket: &Ticket) -> Result<Option<Issue>, HttpError> {
        let query = format!("?labels={}&order_by=created_at&sort=asc&per_page=1", encoded(&ticket.label));
        let answer = self.send(Method::GET, &query, None).await?;
        let issue = list(&answer, "")?.first();
        issue
            .map(|issue| {
                let number = issue.get("iid").and_then(Value::as_u64);
                let number =
                    number.ok_or_else(|| HttpError::Unexpected("an issue without a number".to_owned()))?;
                Ok(Issue { id: number.to_string(), is_open: text(issue, "/state") == Some("opened") })
            })
            .transpose()
    }

    async fn create(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({
            "title": ticket.title,
            "description": Markup::Markdown.render(&ticket.sections),
            "labels": format!("spillwatch,{}", ticket.label),
            "due_date": ticket.whose.due,
            // Only members of the project see it, whoever sees the project.
            "confidential": true,
        });
        self.send(Method::POST, "", Some(&body)).await.map(drop)
    }

    async fn was_said(&self, issue: &Issue, marker: &str) -> Result<bool, HttpError> {
        let path =
            format!("/{}/notes?sort=desc&order_by=created_at&per_page={NOTES_MAX}", encoded(&issue.id));
        let answer = self.send(Method::GET, &path, None).await?;
        Ok(list(&answer, "")?
            .iter()
            .any(|note| text(note, "/body").is_some_and(|body| body.contains(marker))))
    }

    async fn comment(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({"body": Markup::Markdown.render(&ticket.news)});
        self.send(Method::POST, &format!("/{}/notes", encoded(&issue.id)), Some(&body)).await.map(drop)
    }

    async fn close(&self, issue: &Issue, _: &Ticket) -> Result<(), HttpError> {
        self.set(issue, "close").await
    }

    async fn reopen(&self, issue: &Issue) -> Result<(), HttpError> {
        self.set(issue, "reopen").await
    }

    fn is_dry(&self) -> bool {
        self.http.is_dry()
    }
}
