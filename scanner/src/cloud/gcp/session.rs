//! Which clients ask Google Cloud, with which credentials and how patiently?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use google_cloud_asset_v1::client::AssetService;
use google_cloud_auth::credentials::{Builder as DefaultCredentials, Credentials, anonymous, impersonated};
use google_cloud_gax::client_builder::ClientBuilder;
use google_cloud_gax::error::Error;
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use google_cloud_gax::retry_policy::{Aip194Strict, RetryPolicyExt};
use google_cloud_iam_admin_v1::client::Iam;
use google_cloud_orgpolicy_v2::client::OrgPolicy;
use google_cloud_resourcemanager_v3::client::{Folders, Organizations, Projects};
use google_cloud_storage::client::{Storage, StorageControl};
use google_cloud_storage::read_resume_policy::NeverResume;
use google_cloud_storage::retry_policy::RetryableErrors;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::failure::Failure;
use super::history::AuditLog;
use super::settings::GcpSettings;
use crate::cloud::pace::Pace;
use crate::cloud::pages::REQUESTS_AT_ONCE;
use crate::cloud::traffic;
use crate::estate::GapReason;

/// Everything that asks; one for all projects, since the credentials are the same.
#[derive(Debug)]
pub(super) struct Session {
    /// The content of objects, by HTTP.
    pub(super) media: Storage,
    /// Everything else about buckets and objects, by gRPC.
    pub(super) storage: StorageControl,
    pub(super) projects: Projects,
    pub(super) folders: Folders,
    pub(super) organizations: Organizations,
    pub(super) policies: OrgPolicy,
    pub(super) roles: Iam,
    pub(super) assets: AssetService,
    pub(super) audit_log: AuditLog,
    pace: Pace,
    /// Leave for further requests of listings.
    pub(super) listings: Arc<Semaphore>,
    /// Whether requests carry credentials.
    signed: bool,
    /// Answers about what many projects share: folders, organizations, roles.
    shared: Mutex<BTreeMap<String, Value>>,
}

impl Session {
    /// Makes the clients. Nothing is asked of the network yet, but for what the credentials' files name.
    pub(super) async fn open(settings: &GcpSettings) -> Result<Self, Failure> {
        let who = credentials(settings)?;
        let media = Storage::builder()
            .with_credentials(who.clone())
            .with_retry_policy(RetryableErrors.with_attempt_limit(settings.attempts_max))
            .with_backoff_policy(backoff())
            // Where a body breaks off it is taken up again by whoever reads it, with limits of its own.
            .with_read_resume_policy(NeverResume);
        let media = match &settings.endpoint {
            Some(endpoint) => media.with_endpoint(endpoint),
            None => media,
        };
        Ok(Self {
            media: media.build().await.map_err(|error| not_made(&error))?,
            storage: made(StorageControl::builder(), settings, &who)
                .with_retry_policy(RetryableErrors.with_attempt_limit(settings.attempts_max))
                .build()
                .await
                .map_err(|error| not_made(&error))?,
            projects: client(Projects::builder(), settings, &who).await?,
            folders: client(Folders::builder(), settings, &who).await?,
            organizations: client(Organizations::builder(), settings, &who).await?,
            policies: client(OrgPolicy::builder(), settings, &who).await?,
            roles: client(Iam::builder(), settings, &who).await?,
            assets: client(AssetService::builder(), settings, &who).await?,
            audit_log: AuditLog::new(settings, &who),
            pace: Pace::new(settings.requests_per_second),
            listings: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
            signed: settings.sign_requests,
            shared: Mutex::default(),
        })
    }

    /// The answer to what was asked before, else what `ask` answers; two who ask at the same time both do.
    pub(super) async fn once(&self, question: String, ask: impl Future<Output = Value>) -> Value {
        let shared = || self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = shared().get(&question).cloned() {
            return answer;
        }
        let answer = ask.await;
        shared().insert(question, answer.clone());
        answer
    }

    /// Sends one request in its turn.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        self.pace.turn().await;
        let answer = request.await.map_err(|error| Failure::of(&error));
        traffic::answered(answer.as_ref().is_err_and(|failure| failure.reason == GapReason::Throttled));
        if self.signed { answer } else { answer.map_err(Failure::without_asking_for_credentials) }
    }
}

async fn client<F>(
    builder: ClientBuilder<F, Credentials>,
    settings: &GcpSettings,
    who: &Credentials,
) -> Result<F::Client, Failure>
where
    F: google_cloud_gax::client_builder::internal::ClientFactory<Credentials = Credentials>,
{
    made(builder, settings, who)
        .with_retry_policy(Aip194Strict.with_attempt_limit(settings.attempts_max))
        .build()
        .await
        .map_err(|error| not_made(&error))
}

fn made<F>(
    builder: ClientBuilder<F, Credentials>,
    settings: &GcpSettings,
    who: &Credentials,
) -> ClientBuilder<F, Credentials> {
    let builder = builder
        .with_credentials(who.clone())
        .with_backoff_policy(backoff())
        .with_attempt_timeout(settings.read_timeout);
    match &settings.endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    }
}

fn backoff() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(Duration::from_millis(200))
        .with_maximum_delay(Duration::from_secs(20))
        .clamp()
}

fn not_made(error: &impl std::fmt::Display) -> Failure {
    tracing::debug!(%error, "no client");
    Failure::unparsable()
}

fn credentials(settings: &GcpSettings) -> Result<Credentials, Failure> {
    if !settings.sign_requests {
        return Ok(anonymous::Builder::new().build());
    }
    let own = match &settings.credentials {
        Some(credentials) => credentials.clone(),
        None => {
            let default = DefaultCredentials::default();
            let default = match &settings.user_project {
                Some(project) => default.with_quota_project_id(project),
                None => default,
            };
            default.build().map_err(|error| Failure::of_credentials(&error))?
        }
    };
    let Some(target) = &settings.impersonate_service_account else { return Ok(own) };
    let target = impersonated::Builder::from_source_credentials(own).with_target_principal(target);
    let target = match &settings.user_project {
        Some(project) => target.with_quota_project_id(project),
        None => target,
    };
    target.build().map_err(|error| Failure::of_credentials(&error))
}

/// More pages than a listing has that ends.
const PAGES_MAX: usize = 100_000;

/// Collects a listing page by page; `fetch` answers a token with a page's entries and the next token, empty at the end.
pub(super) async fn every_page<'a, T>(
    fetch: impl Fn(String) -> BoxFuture<'a, Result<(Vec<T>, String), Failure>>,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    let mut token = String::new();
    for _ in 0..PAGES_MAX {
        let (page, next) = fetch(token.clone()).await?;
        all.extend(page);
        match turned(&token, next) {
            Turn::End => return Ok(all),
            Turn::Next(next) => token = next,
            Turn::Stuck => break,
        }
    }
    // Part of a list would pass for the whole: better none than that.
    Err(Failure::unparsable())
}

/// How a listing goes on.
pub(super) enum Turn {
    /// It has ended.
    End,
    /// With this token.
    Next(String),
    /// It does not advance.
    Stuck,
}

/// What follows the page of `token`.
pub(super) fn turned(token: &str, next: String) -> Turn {
    if next.is_empty() {
        Turn::End
    } else if next == token {
        Turn::Stuck
    } else {
        Turn::Next(next)
    }
}
