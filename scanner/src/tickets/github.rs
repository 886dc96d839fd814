//! How is a ticket kept as an issue of GitHub? REST API; issues are listed by label, which sees them at once.
//! <https://docs.github.com/en/rest/issues>

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Http, HttpError, Request};
use super::ticket::{Markup, Ticket};
use super::tracker::{Issue, Tracker};
use super::{encoded, list, text};
use crate::findings::Transition;

/// Comments of one page; a page is as many as GitHub gives.
const COMMENTS_PER_PAGE: usize = 100;
/// Pages that are looked through for a marker. Comments come oldest first.
const PAGES_MAX: usize = 10;

pub(super) struct GitHub {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) authorization: String,
    /// `OWNER/NAME`.
    pub(super) repository: String,
}

impl GitHub {
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, HttpError> {
        let url = format!("{}/repos/{}/issues{path}", self.url, self.repository);
        let request =
            body.map_or_else(|| Request::get(url.clone()), |body| Request::json(method, url.clone(), body));
        let request = request
            .header("authorization", self.authorization.clone())
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        self.http.send(&request).await
    }

    async fn set(&self, issue: &Issue, body: &Value) -> Result<(), HttpError> {
        self.send(Method::PATCH, &format!("/{}", encoded(&issue.id)), Some(body)).await.map(drop)
    }
}

#[async_trait]
impl Tracker for GitHub {
    async fn find(&self, ticket: &Ticket) -> Result<Option<Issue>, HttpError> {
        // The search API lags behind what was just made; the list does not.
        let query =
            format!("?labels={}&state=all&sort=created&direction=asc&per_page=1", encoded(&ticket.label));
        let answer = self.send(Method::GET, &query, None).await?;
        list(&answer, "")?.first().map(issue).transpose()
    }

    async fn create(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({
            "title": ticket.title,
            "body": Markup::Markdown.render(&ticket.sections),
            "labels": ["spillwatch", ticket.label],
        });
        self.send(Method::POST, "", Some(&body)).await.map(drop)
    }

    async fn was_said(&self, issue: &Issue, marker: &str) -> Result<bool, HttpError> {
        for page in 1..=PAGES_MAX {
            let path = format!("/{}/comments?per_page={COMMENTS_PER_PAGE}&page={page}", encoded(&issue.id));
            let answer = self.send(Method::GET, &path, None).await?;
            let comments = list(&answer, "")?;
            if comments.iter().any(|comment| text(comment, "/body").is_some_and(|body| body.contains(marker)))
            {
                return Ok(true);
            }
            if comments.len() < COMMENTS_PER_PAGE {
                break;
            }
        }
        Ok(false)
    }

    async fn comment(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({"body": Markup::Markdown.render(&ticket.news)});
        self.send(Method::POST, &format!("/{}/comments", encoded(&issue.id)), Some(&body)).await.map(drop)
    }

    async fn close(&self, issue: &Issue, ticket: &Ticket) -> Result<(), HttpError> {
        let put_aside = ticket.status == Transition::Suppressed;
        let reason = if put_aside { "not_planned" } else { "completed" };
        self.set(issue, &json!({"state": "closed", "state_reason": reason})).await
    }

    async fn reopen(&self, issue: &Issue) -> Result<(), HttpError> {
        self.set(issue, &json!({"state": "open"})).await
    }

    fn is_dry(&self) -> bool {
        self.http.is_dry()
    }
}

fn issue(issue: &Value) -> Result<Issue, HttpError> {
    let number = issue.get("number").and_then(Value::as_u64);
    let number = number.ok_or_else(|| HttpError::Unexpected("an issue without a number".to_owned()))?;
    Ok(Issue { id: number.to_string(), is_open: text(issue, "/state") == Some("open") })
}
