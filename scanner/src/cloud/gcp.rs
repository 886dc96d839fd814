//! What can be read from Google Cloud?

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::{Body, Cloud, CloudError};
use crate::estate::{Account, Bucket, Facts, Object, State};
use crate::exposure::ZoneOfTrust;

mod accounts;
mod buckets;
mod facts;
mod failure;
mod history;
mod lockable;
mod objects;
mod read;
mod session;
mod settings;
mod shapes;

pub use accounts::UNKNOWN_PROJECT;
pub use settings::{GcpSettings, OneBucket, Projects};

use accounts::Known;
use objects::Asked;
use session::Session;

/// Google Cloud through its own client libraries. Nothing is asked of the network before the first call.
#[derive(Debug)]
pub struct GcpCloud {
    settings: GcpSettings,
    session: OnceCell<Arc<Session>>,
    /// The projects that the settings name.
    known: OnceCell<Vec<Known>>,
}

impl GcpCloud {
    /// The door to what the settings name.
    pub fn connect(settings: GcpSettings) -> Self {
        Self { settings, session: OnceCell::new(), known: OnceCell::new() }
    }

    /// The objects of one state.
    fn listed<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
        state: State,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        stream::once(async move {
            let session = Arc::clone(self.session().await?);
            let own = self.settings.only.as_ref().map_or("", |only| &only.prefix);
            Ok(match super::narrower(own, prefix) {
                Some(prefix) => {
                    objects::pages(session, bucket.clone(), Asked { prefix: prefix.to_owned(), state })
                }
                None => stream::empty().boxed(),
            })
        })
        .try_flatten()
        .boxed()
    }

    async fn session(&self) -> Result<&Arc<Session>, CloudError> {
        let open = || async { Session::open(&self.settings).await.map(Arc::new) };
        self.session.get_or_try_init(open).await.map_err(|failure| failure.at("credentials", "Google Cloud"))
    }
}

#[async_trait]
impl Cloud for GcpCloud {
    async fn accounts(&self) -> Result<Vec<Account>, CloudError> {
        Ok(self.projects().await?.iter().map(|project| accounts::account(&project.id)).collect())
    }

    fn names_all_buckets(&self, _: &Account) -> bool {
        self.settings.only.is_none()
    }

    /// Projects are known by id and by number, and service agents by the number alone.
    async fn zone_of_trust(&self) -> ZoneOfTrust {
        let numbers =
            self.projects().await.unwrap_or_default().iter().filter_map(|project| project.number.clone());
        let organization = match &self.settings.projects {
            Projects::Below(scope) => scope.strip_prefix("organizations/").map(str::to_owned),
            Projects::Visible | Projects::Listed(_) => None,
        };
        ZoneOfTrust {
            accounts: numbers.collect(),
            organizations: organization.into_iter().collect::<BTreeSet<_>>(),
            ..ZoneOfTrust::default()
        }
    }

    async fn account_facts(&self, account: &Account) -> Facts {
        match self.session().await {
            Ok(session) if self.settings.sign_requests => facts::of_account(session, account).await,
            // A project that cannot be named or asked leaves its facts unread.
            _ => Facts::default(),
        }
    }

    fn buckets<'a>(&'a self, account: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>> {
        stream::once(async move {
            let session = Arc::clone(self.session().await?);
            match &self.settings.only {
                Some(only) => Ok(buckets::one(session, account, &only.name)),
                None if account.id.contains('/') => Err(accounts::not_entered(&account.id)),
                None if self.settings.sign_requests => Ok(buckets::all(session, account)),
                None => Err(accounts::nobody_lists("storage:buckets.list", &account.id)),
            }
        })
        .try_flatten()
        .boxed()
    }

    async fn access_facts(&self, bucket: &Bucket) -> Facts {
        match self.session().await {
            Ok(session) => facts::of_bucket(session, bucket).await,
            Err(_) => Facts::default(),
        }
    }

    async fn history(&self, bucket: &Bucket, _: &Facts) -> Facts {
        match self.session().await {
            Ok(session) if self.settings.sign_requests => history::of_bucket(session, bucket).await,
            _ => Facts::default(),
        }
    }

    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.listed(bucket, prefix, State::Current)
    }

    fn older_versions<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.listed(bucket, prefix, State::Noncurrent)
    }

    fn soft_deleted<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.listed(bucket, prefix, State::SoftDeleted)
    }

    async fn object_facts(&self, bucket: &Bucket, object: &Object) -> Facts {
        match self.session().await {
            Ok(session) => facts::of_object(session, bucket, object).await,
            Err(_) => Facts::default(),
        }
    }

    async fn read(&self, bucket: &Bucket, object: &Object) -> Result<Body, CloudError> {
        let session = Arc::clone(self.session().await?);
        read::open(session, self.settings.read_timeout, bucket, object).await
    }
}
