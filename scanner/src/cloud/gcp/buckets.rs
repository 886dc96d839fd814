//! Which buckets does a project hold?

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use google_cloud_storage::model::Bucket as Listed;

use super::failure::Failure;
use super::session::{Session, Turn, turned};
use crate::cloud::CloudError;
use crate::estate::{Account, Bucket};

const LIST: &str = "storage:buckets.list";
const PAGE: i32 = 1_000;

/// The name by which the service knows a bucket.
pub(super) fn path(bucket: &str) -> String {
    format!("projects/_/buckets/{bucket}")
}

/// Every bucket of the project.
pub(super) fn all(session: Arc<Session>, account: &Account) -> BoxStream<'_, Result<Bucket, CloudError>> {
    let pages = stream::try_unfold(Some(String::new()), move |token| {
        let session = Arc::clone(&session);
        async move {
            let Some(token) = token else { return Ok(None) };
            let resource = format!("project {}", account.id);
            let asked = session
                .storage
                .list_buckets()
                .set_parent(format!("projects/{}", account.id))
                .set_page_size(PAGE)
                .set_page_token(&token)
                .send();
            let page = session.ask(asked).await.map_err(|failure| failure.at(LIST, &resource))?;
            let buckets: Option<Vec<Bucket>> =
                page.buckets.iter().map(|listed| bucket(listed, account)).collect();
            let buckets = buckets.ok_or_else(|| Failure::unparsable().at(LIST, &resource))?;
            let next = match turned(&token, page.next_page_token) {
                Turn::End => None,
                Turn::Next(next) => Some(next),
                Turn::Stuck => return Err(Failure::unparsable().at(LIST, &resource)),
            };
            Ok::<_, CloudError>(Some((stream::iter(buckets).map(Ok), next)))
        }
    });
    pages.try_flatten().boxed()
}

/// A listed bucket; none without a name.
fn bucket(listed: &Listed, account: &Account) -> Option<Bucket> {
    let name = listed.name.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(Bucket { account: account.clone(), name: name.to_owned(), region: region(listed) })
}

fn region(bucket: &Listed) -> Option<String> {
    (!bucket.location.is_empty()).then(|| bucket.location.to_lowercase())
}

/// The one bucket that was named, if it exists; whether anything in it can be read shows later.
pub(super) fn one<'a>(
    session: Arc<Session>,
    account: &'a Account,
    name: &'a str,
) -> BoxStream<'a, Result<Bucket, CloudError>> {
    stream::once(async move {
        let bucket = Bucket { account: account.clone(), name: name.to_owned(), region: None };
        match session.ask(session.storage.get_bucket().set_name(path(name)).send()).await {
            Ok(found) => Ok(Bucket { region: region(&found), ..bucket }),
            Err(failure) if failure.is_refusal() => Ok(bucket),
            Err(failure) => Err(failure.at("storage:buckets.get", name)),
        }
    })
    .boxed()
}
