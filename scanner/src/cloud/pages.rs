//! How is a listing fetched ahead of its reader, in bounded memory?

use std::future::Future;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::CloudError;
use crate::estate::Object;

/// Pages that wait while the caller is busy: one on its way and this many at hand bound the memory of a listing.
const PAGES_AHEAD: usize = 2;

/// What the fetching task hands over; the last one says so, so that a task that ended early is not taken for the end.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    pub(super) last: bool,
}

/// Where the fetching task puts its pages; an error is the last thing that it puts there.
pub(super) type Pages = mpsc::Sender<Result<Page, CloudError>>;

/// The pages that `fetch` puts into its channel, which it does in a task of its own; `abandoned` where it ends without saying
/// that it is done.
pub(super) fn ahead<Fetch>(
    abandoned: CloudError,
    fetch: impl FnOnce(Pages) -> Fetch,
) -> BoxStream<'static, Result<Vec<Object>, CloudError>>
where
    Fetch: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
    // Dropping the stream drops the set, which ends the task.
    let mut fetching = JoinSet::new();
    fetching.spawn(fetch(sender));
    stream::unfold(Some((receiver, fetching)), move |state| {
        let abandoned = abandoned.clone();
        async move {
            let (mut receiver, fetching) = state?;
            match receiver.recv().await {
                Some(Ok(Page { objects, last })) => {
                    Some((Ok(objects), (!last).then_some((receiver, fetching))))
                }
                Some(Err(error)) => Some((Err(error), None)),
                None => Some((Err(abandoned), None)),
            }
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::GapReason;

    #[tokio::test]
    async fn a_task_that_ends_early_is_not_taken_for_the_end_of_the_listing() {
        let abandoned = CloudError::Failed {
            operation: "list",
            resource: "b".to_owned(),
            reason: GapReason::Malformed,
            message: "the listing was abandoned".to_owned(),
        };
        let page = |last| Ok(Page { objects: vec![Object::default()], last });
        let told = |last| {
            ahead(abandoned.clone(), move |pages| async move {
                let _ = pages.send(page(last)).await;
            })
            .map(|page| page.is_ok())
            .collect::<Vec<bool>>()
        };
        assert_eq!(told(true).await, [true]);
        assert_eq!(told(false).await, [true, false]);
    }
}
