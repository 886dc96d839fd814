//! How is a ticket kept in Jira? REST API version 2, whose texts are plain; Cloud searches under an address of its own.
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v2/>

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::http::{Http, HttpError, Request};
use super::ticket::{Markup, Ticket};
use super::tracker::{Issue, Tracker};
use super::{encoded, list, text};

/// Comments that are looked through for a marker, the newest first.
const COMMENTS_MAX: usize = 100;

pub(super) struct Jira {
    pub(super) http: Http,
    pub(super) url: String,
    /// The value of the header `Authorization`.
    pub(super) authorization: String,
    pub(super) project: String,
    pub(super) issue_type: String,
    pub(super) cloud: bool,
    pub(super) close: Option<String>,
    pub(super) reopen: Option<String>,
    pub(super) fields: Map<String, Value>,
}

impl Jira {
    async fn get(&self, path: &str) -> Result<Value, HttpError> {
        self.send(Request::get(format!("{}/rest/api/2/{path}", self.url))).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, HttpError> {
        self.send(Request::json(Method::POST, format!("{}/rest/api/2/{path}", self.url), body)).await
    }

    async fn send(&self, request: Request) -> Result<Value, HttpError> {
        self.http.send(&request.header("authorization", self.authorization.clone())).await
    }

    /// Takes the transition of this name, or the first into a status of one of these categories.
    async fn go(&self, issue: &Issue, name: Option<&str>, categories: &[&str]) -> Result<(), HttpError> {
        let path = format!("issue/{}/transitions", encoded(&issue.id));
        let answer = self.get(&path).await?;
        let fits = |transition: &&Value| match name {
            Some(name) => text(transition, "/name").is_some_and(|known| known.eq_ignore_ascii_case(name)),
            None => text(transition, "/to/statusCategory/key").is_some_and(|key| categories.contains(&key)),
        };
        let id = if self.http.is_dry() {
            Some("TRANSITION")
        } else {
            list(&answer, "/transitions")?.iter().find(fits).and_then(|transition| text(transition, "/id"))
        };
        let id = id.ok_or_else(|| {
            let wanted =
                name.map_or_else(|| format!("to {}", categories.join(" or ")), |name| format!("`{name}`"));
            HttpError::Unexpected(format!("no transition {wanted} leads on from where the issue is"))
        })?;
        self.post(&path, &json!({"transition": {"id": id}})).await.map(drop)
    }
}

#[async_trait]
impl Tracker for Jira {
    async fn find(&self, ticket: &Ticket) -> Result<Option<Issue>, HttpError> {
        let project = self.project.replace(['"', '\\'], "");
        let jql = format!("project = \"{project}\" AND labels = \"{}\" ORDER BY created ASC", ticket.label);
        let search = if self.cloud { "search/jql" } else { "search" };
        let query = format!("jql={}&fields=status&maxResults=1", encoded(&jql));
        let answer = self.get(&format!("{search}?{query}")).await?;
        let issue = list(&answer, "/issues")?.first();
        issue
            .map(|issue| {
                let key = text(issue, "/key")
                    .ok_or_else(|| HttpError::Unexpected("an issue without a key".to_owned()))?;
                let done = text(issue, "/fields/status/statusCategory/key") == Some("done");
                Ok(Issue { id: key.to_owned(), is_open: !done })
            })
            .transpose()
    }

    async fn create(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let mut fields = self.fields.clone();
        fields.insert("project".to_owned(), json!({"key": self.project}));
        fields.insert("issuetype".to_owned(), json!({"name": self.issue_type}));
        fields.insert("summary".to_owned(), json!(ticket.title));
        fields.insert("description".to_owned(), json!(Markup::Jira.render(&ticket.sections)));
        fields.insert("labels".to_owned(), json!(["spillwatch", ticket.label]));
        self.post("issue", &json!({"fields": fields})).await.map(drop)
    }

    async fn was_said(&self, issue: &Issue, marker: &str) -> Result<bool, HttpError> {
        let path = format!("issue/{}/comment?orderBy=-created&maxResults={COMMENTS_MAX}", encoded(&issue.id));
        let answer = self.get(&path).await?;
        Ok(list(&answer, "/comments")?
            .iter()
            .any(|comment| text(comment, "/body").is_some_and(|body| body.contains(marker))))
    }

    async fn comment(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({"body": Markup::Jira.render(&ticket.news)});
        self.post(&format!("issue/{}/comment", encoded(&issue.id)), &body).await.map(drop)
    }

    async fn close(&self, issue: &Issue, _: &Ticket) -> Result<(), HttpError> {
        self.go(issue, self.close.as_deref(), &["done"]).await
    }

    async fn reopen(&self, issue: &Issue) -> Result<(), HttpError> {
        self.go(issue, self.reopen.as_deref(), &["new", "indeterminate"]).await
    }

    fn is_dry(&self) -> bool {
        self.http.is_dry()
    }
}
