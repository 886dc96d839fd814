//! What can be read from AWS, or from another server that speaks S3?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_config::SdkConfig;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::{Body, Cloud, CloudError, Stored};
use crate::estate::{Account, Bucket, Facts, Object};

mod account_facts;
mod accounts;
mod answer_check;
mod archive;
mod buckets;
mod digests;
mod facts;
mod failure;
mod history;
mod isolation;
mod lockable;
mod objects;
mod organization;
mod read;
mod session;
mod settings;
mod shapes;
mod signing;
mod versions;

pub use accounts::UNKNOWN_ACCOUNT;
pub use archive::S3Archive;
pub use settings::{AccountAccess, Accounts, AwsSettings, OneBucket, Role};
pub(crate) use signing::Unsigned;

use organization::Organization;
use session::Session;

/// AWS through its SDK. Nothing is asked of the network before the first call.
#[derive(Debug)]
pub struct AwsCloud {
    settings: AwsSettings,
    /// The caller's own configuration, read from environment and files at the first call.
    config: OnceCell<SdkConfig>,
    /// The id of the caller's own account.
    caller: OnceCell<String>,
    /// The organization, asked with the caller's credentials.
    organization: OnceCell<Organization>,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
}

impl AwsCloud {
    /// The door to what the settings name.
    pub fn connect(settings: AwsSettings) -> Self {
        Self {
            settings,
            config: OnceCell::new(),
            caller: OnceCell::new(),
            organization: OnceCell::new(),
            sessions: Mutex::default(),
        }
    }

    async fn config(&self) -> &SdkConfig {
        self.config.get_or_init(|| session::caller_config(&self.settings)).await
    }

    /// The keys to list, where the settings name some too.
    fn narrower<'a>(&'a self, prefix: &'a str) -> Option<&'a str> {
        super::narrower(self.settings.only.as_ref().map_or("", |only| &only.prefix), prefix)
    }

    /// The session in an account, made when first needed; entering it is left to its first request.
    async fn session(&self, account: &Account) -> Result<Arc<Session>, CloudError> {
        let sessions = || self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions().get(&account.id) {
            return Ok(Arc::clone(session));
        }
        let role = self.role_into(&account.id).await?;
        let entered = Session::enter(self.config().await, &self.settings, &account.id, role).await;
        // Another task may have been faster; all must share one session, since it keeps the account's pace.
        Ok(Arc::clone(sessions().entry(account.id.clone()).or_insert_with(|| Arc::new(entered))))
    }
}

#[async_trait]
impl Cloud for AwsCloud {
    async fn accounts(&self) -> Result<Vec<Account>, CloudError> {
        self.accounts_named().await
    }

    async fn account_facts(&self, account: &Account) -> Facts {
        match self.session(account).await {
            Ok(session) if self.settings.sign_requests => {
                let make = || async { Organization::new(self.config().await) };
                let organization = self.organization.get_or_init(make).await;
                account_facts::of_account(&session, organization, account).await
            }
            // An account that cannot be named or asked leaves its facts unread.
            _ => Facts::default(),
        }
    }

    fn buckets<'a>(&'a self, account: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>> {
        stream::once(async move {
            let session = self.session(account).await?;
            Ok(match &self.settings.only {
                Some(only) => buckets::one(session, account, &only.name),
                None if self.settings.sign_requests => buckets::all(session, account),
                None => buckets::unsigned(account),
            })
        })
        .try_flatten()
        .boxed()
    }

    fn names_all_buckets(&self, account: &Account) -> bool {
        // Servers that know no accounts are all one to us, and hold different buckets.
        self.settings.only.is_none() && self.settings.sign_requests && account.id != accounts::UNKNOWN_ACCOUNT
    }

    async fn access_facts(&self, bucket: &Bucket) -> Facts {
        match self.session(&bucket.account).await {
            Ok(session) => facts::of_bucket(&session, bucket).await,
            Err(_) => Facts::default(),
        }
    }

    async fn history(&self, bucket: &Bucket, facts: &Facts) -> Facts {
        match self.session(&bucket.account).await {
            Ok(session) if self.settings.sign_requests => history::of_bucket(&session, bucket, facts).await,
            _ => Facts::default(),
        }
    }

    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        stream::once(async move {
            let session = self.session(&bucket.account).await?;
            Ok(match self.narrower(prefix) {
                Some(prefix) => objects::pages(session, bucket.clone(), prefix.to_owned()),
                None => stream::empty().boxed(),
            })
        })
        .try_flatten()
        .boxed()
    }

    fn older_versions<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        stream::once(async move {
            let session = self.session(&bucket.account).await?;
            Ok(match self.narrower(prefix) {
                Some(prefix) => versions::older(session, bucket.clone(), prefix.to_owned()),
                None => stream::empty().boxed(),
            })
        })
        .try_flatten()
        .boxed()
    }

    async fn object_facts(&self, bucket: &Bucket, object: &Object) -> Facts {
        match self.session(&bucket.account).await {
            Ok(session) => facts::of_object(&session, bucket, object).await,
            Err(_) => Facts::default(),
        }
    }

    async fn stored(&self, bucket: &Bucket, object: &Object) -> Result<Stored, CloudError> {
        let session = self.session(&bucket.account).await?;
        digests::of(&session, bucket, object).await
    }

    async fn read(&self, bucket: &Bucket, object: &Object) -> Result<Body, CloudError> {
        let session = self.session(&bucket.account).await?;
        read::open(session, self.settings.read_timeout, bucket, object).await
    }
}
