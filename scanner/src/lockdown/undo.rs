//! How is what a journal says taken back, and what of it is left alone?

use std::time::Duration;

use super::apply::{Applied, ApplyError, Outcome};
use super::journal::{Entry, Journal};
use super::run::{Run, now};
use crate::cloud::{Lockable, Stated};

/// Takes back what a journal says was done, the last first. What somebody changed since is left alone and told.
pub async fn undo(cloud: &dyn Lockable, journal: Journal, patience: Duration) -> Result<Applied, ApplyError> {
    let mut run = Run::new(cloud, journal, patience);
    for (place, change, verbatim) in run.journal.standing().into_iter().rev() {
        let back = change.undone();
        let bucket = place.bucket();
        let stated = match cloud.stated(&bucket, &back.setting).await {
            Ok(stated) => stated,
            Err(error) => {
                run.ended(&place, &back, Outcome::Failed, error.told_to(&cloud.identity()))?;
                continue;
            }
        };
        run.journal.append(&now(), Entry::Undoing { place: place.clone(), change: back.clone() })?;
        if back.setting.same(&stated.answer, &back.after) {
            run.ended(&place, &back, Outcome::AlreadySo, String::new())?;
        } else if back.setting.same(&stated.answer, &back.before) {
            let to = Stated { answer: back.after.clone(), verbatim };
            let set = run.cloud.set(&bucket, &back.setting, &stated.answer, &to).await;
            run.seen(&place, &back, set).await?;
        } else {
            let detail = "somebody changed it since; nothing of it was taken back".to_owned();
            run.ended(&place, &back, Outcome::Refused, detail)?;
        }
    }
    run.closed()
}
