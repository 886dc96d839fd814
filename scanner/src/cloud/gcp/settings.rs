//! What does a person say about how to reach Google Cloud?

use std::time::Duration;

use google_cloud_auth::credentials::Credentials;

/// How to reach Google Cloud. Making it touches neither network nor files.
#[derive(Debug, Clone)]
pub struct GcpSettings {
    /// Credentials that are used instead of the Application Default Credentials.
    pub credentials: Option<Credentials>,
    /// The service account that is impersonated with them.
    pub impersonate_service_account: Option<String>,
    /// The project that is billed for requests, which buckets whose requester pays ask for.
    pub user_project: Option<String>,
    /// A server other than Google's, used for every service, for example `http://127.0.0.1:4443`.
    pub endpoint: Option<String>,
    /// Whether requests carry credentials. Others see what anyone on the internet sees, one bucket at a time.
    pub sign_requests: bool,
    /// Whose buckets are looked at.
    pub projects: Projects,
    /// Only this bucket, whatever else there is.
    pub only: Option<OneBucket>,
    /// Requests per second, before any slowing down that the service asks for.
    pub requests_per_second: u32,
    /// Attempts of one request, the first included.
    pub attempts_max: u32,
    /// Until an answer is whole; for an object, until it begins, and the longest silence within it.
    pub read_timeout: Duration,
}

impl Default for GcpSettings {
    fn default() -> Self {
        Self {
            credentials: None,
            impersonate_service_account: None,
            user_project: None,
            endpoint: None,
            sign_requests: true,
            projects: Projects::Visible,
            only: None,
            requests_per_second: 1_000,
            attempts_max: 5,
            read_timeout: Duration::from_secs(30),
        }
    }
}

/// Whose buckets are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projects {
    /// All that the credentials may see.
    Visible,
    /// These, by id or number.
    Listed(Vec<String>),
    /// All below `folders/…` or `organizations/…`.
    Below(String),
}

/// One bucket, perhaps only a part of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneBucket {
    /// Its name.
    pub name: String,
    /// Only keys that start with this.
    pub prefix: String,
}
