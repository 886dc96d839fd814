//! Which buckets does an account hold, and in which region is each?

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::failure::Failure;
use super::session::Session;
use crate::cloud::CloudError;
use crate::estate::{Account, Bucket, GapReason};

/// The most that AWS gives at once. Some servers cut a shorter page off without saying where it goes on.
const PAGE: i32 = 10_000;
/// Buckets whose region is asked for at the same time.
const REGIONS_ASKED: usize = 16;

const LIST: &str = "s3:ListBuckets";

type Buckets<'a> = BoxStream<'a, Result<Bucket, CloudError>>;

/// Every bucket of the account, in all regions.
pub(super) fn all(session: Arc<Session>, account: &Account) -> Buckets<'_> {
    let pages = stream::try_unfold(Some(Page::default()), {
        let session = Arc::clone(&session);
        move |page| {
            let session = Arc::clone(&session);
            async move {
                let Some(page) = page else { return Ok(None) };
                let (buckets, next) = page.fetch(&session, account).await?;
                Ok::<_, CloudError>(Some((stream::iter(buckets).map(Ok), next)))
            }
        }
    });
    pages
        .try_flatten()
        .map(move |listed| {
            let session = Arc::clone(&session);
            async move {
                let mut bucket: Bucket = listed?;
                if bucket.region.is_none() {
                    bucket.region = region(&session, &bucket).await;
                }
                Ok(bucket)
            }
        })
        .buffered(REGIONS_ASKED)
        .boxed()
}

/// Where a listing goes on.
#[derive(Debug, Default)]
struct Page {
    token: Option<String>,
}

impl Page {
    async fn fetch(
        self,
        session: &Session,
        account: &Account,
    ) -> Result<(Vec<Bucket>, Option<Self>), CloudError> {
        let token = self.token.clone();
        let answer = session
            .send_to_account(|s3| s3.list_buckets().max_buckets(PAGE).set_continuation_token(token).send())
            .await
            .map_err(|error| Failure::of(&error).at(LIST, &format!("account {}", account.id)))?;
        let buckets: Option<Vec<Bucket>> = answer
            .buckets()
            .iter()
            .map(|listed| {
                let region = listed.bucket_region().map(str::to_owned);
                Some(Bucket { account: account.clone(), name: listed.name()?.to_owned(), region })
            })
            .collect();
        let next = answer.continuation_token.filter(|token| !token.is_empty());
        match buckets {
            Some(buckets) if next.is_none() || next != self.token => {
                Ok((buckets, next.map(|token| Self { token: Some(token) })))
            }
            // A bucket without a name, or a listing that does not advance.
            _ => Err(Failure::unparsable().at(LIST, &format!("account {}", account.id))),
        }
    }
}

/// The one bucket that was named, if it exists; whether anything in it can be read shows later.
pub(super) fn one<'a>(session: Arc<Session>, account: &'a Account, name: &'a str) -> Buckets<'a> {
    stream::once(async move {
        let bucket = Bucket { account: account.clone(), name: name.to_owned(), region: None };
        let head = session.send(&bucket, |s3| s3.head_bucket().bucket(name).send()).await;
        if let Err(error) = head {
            let failure = Failure::of(&error);
            let refused = failure.reason == GapReason::Denied && !failure.is_about_credentials();
            if !refused {
                return Err(failure.at("s3:HeadBucket", name));
            }
        }
        let region = region(&session, &bucket).await;
        Ok(Bucket { region, ..bucket })
    })
    .boxed()
}

/// Nobody tells a stranger which buckets there are.
pub(super) fn unsigned(account: &Account) -> Buckets<'_> {
    let error = CloudError::Failed {
        operation: LIST,
        resource: format!("account {}", account.id),
        reason: GapReason::Denied,
        message: "unsigned requests cannot list buckets; name one as `s3://bucket`".to_owned(),
    };
    stream::iter([Err(error)]).boxed()
}

/// The bucket's region; `None` if nobody says.
async fn region(session: &Session, bucket: &Bucket) -> Option<String> {
    let name = bucket.name.as_str();
    let head = session.send(bucket, |s3| s3.head_bucket().bucket(name).send()).await;
    let named = match &head {
        Ok(answer) => answer.bucket_region(),
        // A refusal names the region too.
        Err(error) => error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region")),
    };
    if let Some(region) = named {
        return Some(region.to_owned());
    }
    let location = session.send(bucket, |s3| s3.get_bucket_location().bucket(name).send()).await.ok()?;
    // "Buckets in Region us-east-1 have a LocationConstraint of null", and the oldest European ones of `EU`
    // (GetBucketLocation, S3 API Reference).
    Some(match location.location_constraint.as_ref().map(|constraint| constraint.as_str()) {
        None | Some("") => "us-east-1".to_owned(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    })
}
