//! How is a listing fetched ahead of its reader, by many requests at one time and in bounded memory?

use std::future::Future;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::CloudError;
use super::spans::{Ask, AtBound, Spans};
use crate::estate::{GapReason, Object};

/// Pages that wait while the caller is busy, beside those that requests on their way bring.
const PAGES_AHEAD: usize = 2;
/// Requests of all listings of a session at one time, beside the first of each bucket: they bound the memory too.
pub(super) const REQUESTS_AT_ONCE: usize = 32;

/// What a request brings.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// How to go on, if there is more.
    pub(super) next: Option<String>,
}

/// A listing to be fetched.
pub(super) struct Listing {
    pub(super) bucket: String,
    pub(super) prefix: String,
    /// As errors name it.
    pub(super) operation: &'static str,
    pub(super) at_bound: AtBound,
    /// What its session's listings share.
    pub(super) requests: Arc<Semaphore>,
}

/// What the fetching task hands over; nothing, at the end, so that a task that ended early is not taken for it.
type Told = Option<Result<Vec<Object>, CloudError>>;

impl Listing {
    /// What of the bucket `fetch` brings, a page at a time, in no order of the pages. An error is of one part of the listing.
    pub(super) fn pages<Fetch>(
        self,
        fetch: impl Fn(Ask) -> Fetch + Send + Sync + 'static,
    ) -> BoxStream<'static, Result<Vec<Object>, CloudError>>
    where
        Fetch: Future<Output = Result<Page, CloudError>> + Send + 'static,
    {
        let abandoned = self.broken("the listing was abandoned");
        let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
        // Dropping the stream drops the set, which ends the task.
        let mut fetching = JoinSet::new();
        fetching.spawn(async move { self.fetch_all(fetch, &sender).await });
        stream::unfold(Some((receiver, fetching)), move |state| {
            let abandoned = abandoned.clone();
            async move {
                let (mut receiver, fetching) = state?;
                match receiver.recv().await {
                    Some(Some(page)) => Some((page, Some((receiver, fetching)))),
                    Some(None) => None,
                    None => Some((Err(abandoned), None)),
                }
            }
        })
        .boxed()
    }

    async fn fetch_all<Fetch>(self, fetch: impl Fn(Ask) -> Fetch, pages: &mpsc::Sender<Told>)
    where
        Fetch: Future<Output = Result<Page, CloudError>> + Send + 'static,
    {
        let mut spans = Spans::new(REQUESTS_AT_ONCE, &self.prefix, self.at_bound);
        let mut asked = JoinSet::new();
        loop {
            while let Some(permit) = self.turn(asked.is_empty())
                && let Some(ask) = spans.next()
            {
                let (span, answer) = (ask.span, fetch(ask));
                asked.spawn(async move { (span, answer.await, permit) });
            }
            let Some(answered) = asked.join_next().await else { break };
            let told = match answered {
                Ok((span, Ok(Page { objects, next }), _)) => spans
                    .answered(span, objects, next)
                    .map_err(|_| self.broken("the listing is not in the order of its keys")),
                Ok((span, Err(error), _)) => {
                    spans.failed(span);
                    Err(error)
                }
                Err(_) => Err(self.broken("the listing was abandoned")),
            };
            if pages.send(Some(told)).await.is_err() {
                return;
            }
        }
        let _ = pages.send(None).await;
    }

    /// Leave for one more request; the only one of its bucket waits for nobody.
    fn turn(&self, only: bool) -> Option<Option<OwnedSemaphorePermit>> {
        if only { Some(None) } else { Arc::clone(&self.requests).try_acquire_owned().ok().map(Some) }
    }

    fn broken(&self, message: &str) -> CloudError {
        CloudError::Failed {
            operation: self.operation,
            resource: self.bucket.clone(),
            reason: GapReason::Malformed,
            message: message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        Listing {
            bucket: "b".to_owned(),
            prefix: String::new(),
            operation: "list",
            at_bound: AtBound::BelongsBefore,
            requests: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
        }
    }

    fn page(from: usize, until: usize, next: Option<&str>) -> Page {
        let object = |number: usize| Object { key: format!("{number:04}"), ..Object::default() };
        Page { objects: (from..until).map(object).collect(), next: next.map(str::to_owned) }
    }

    #[tokio::test]
    async fn a_task_that_ends_early_is_not_taken_for_the_end_of_the_listing() {
        let told = |fails: bool| {
            listing()
                .pages(move |ask| async move {
                    assert!(!(fails && ask.token.is_some()), "a request dies");
                    Ok(page(0, 1, ask.token.is_none().then_some("more")))
                })
                .map(|page| page.is_ok())
                .collect::<Vec<bool>>()
        };
        assert_eq!(told(false).await, [true, true]);
        assert_eq!(told(true).await, [true, false]);
    }

    #[tokio::test]
    async fn an_error_in_one_part_leaves_the_others_to_be_listed() {
        // Keys 0000 to 0999, ten a page; what begins at 05.. and later fails.
        let fetch = |ask: Ask| async move {
            let asked = ask.token.or(ask.begin).unwrap_or_default();
            if asked.as_str() >= "05" {
                return Err(listing().broken("no"));
            }
            let from = (0..1000).find(|number| format!("{number:04}") > asked).unwrap_or(1000);
            Ok(page(from, from + 10, Some(&format!("{:04}", from + 9))))
        };
        let (mut keys, mut errors) = (Vec::new(), 0);
        let mut pages = listing().pages(fetch);
        while let Some(page) = pages.next().await {
            match page {
                Ok(objects) => keys.extend(objects.into_iter().map(|object| object.key)),
                Err(_) => errors += 1,
            }
        }
        keys.sort();
        assert!(errors > 0 && keys.len() >= 500, "{errors} errors, {} keys", keys.len());
        assert!(keys.iter().zip(0..).all(|(key, number)| *key == format!("{number:04}")), "{keys:?}");
    }

    #[tokio::test]
    async fn without_leave_for_more_a_bucket_is_listed_by_one_request_after_another() {
        let mut listing = listing();
        listing.requests = Arc::new(Semaphore::new(0));
        let flying = Arc::new(Semaphore::new(1));
        let fetch = move |ask: Ask| {
            let flying = Arc::clone(&flying);
            async move {
                let _only = flying.try_acquire().map_err(|_| listing_broken())?;
                let from = ask.token.map_or(0, |token| token.parse().unwrap());
                tokio::task::yield_now().await;
                Ok(page(from, from + 10, (from < 500).then(|| (from + 10).to_string()).as_deref()))
            }
        };
        let pages: Vec<_> = listing.pages(fetch).collect().await;
        assert!(pages.len() == 51 && pages.iter().all(Result::is_ok));
    }

    fn listing_broken() -> CloudError {
        listing().broken("two at one time")
    }
}
