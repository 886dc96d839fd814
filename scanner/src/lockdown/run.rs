//! How is one change made or taken back, waited for and told, with the journal always a step ahead?

use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::apply::{Applied, ApplyError, Outcome, Step};
use super::journal::{Entry, Journal, Place};
use crate::cloud::{CloudError, Lockable, Stated};
use crate::estate::Change;

/// How often a change is looked for.
const LOOKED_EVERY: Duration = Duration::from_millis(500);

/// A run over changes, with what became of them so far.
pub(super) struct Run<'a> {
    pub(super) cloud: &'a dyn Lockable,
    pub(super) journal: Journal,
    pub(super) steps: Vec<Step>,
    /// How long a change may take to be seen.
    pub(super) patience: Duration,
}

impl<'a> Run<'a> {
    pub(super) fn new(cloud: &'a dyn Lockable, journal: Journal, patience: Duration) -> Self {
        Self { cloud, journal, steps: Vec::new(), patience }
    }

    /// Ends the journal, and says what was done.
    pub(super) fn closed(mut self) -> Result<Applied, ApplyError> {
        self.journal.append(&now(), Entry::Closed)?;
        Ok(Applied { journal: self.journal.path().to_owned(), steps: self.steps })
    }

    /// Makes one change; false where going on would be blind. An earlier run may have gone on to `later` changes of the same
    /// setting.
    pub(super) async fn change(
        &mut self,
        place: &Place,
        change: &Change,
        later: &[&Change],
    ) -> Result<bool, ApplyError> {
        let bucket = place.bucket();
        let stated = match self.cloud.stated(&bucket, &change.setting).await {
            Ok(stated) => stated,
            Err(error) => {
                self.ended(place, change, Outcome::Failed, error.told_to(&self.cloud.identity()))?;
                return Ok(false);
            }
        };
        let is = |change: &Change| change.setting.same(&stated.answer, &change.after);
        let ours = self.journal.standing().iter().any(|(at, made, _)| (at, made) == (place, change));
        let ignored = ours && change.setting.shown_while_ignored(&stated.answer, &change.after);
        if is(change) || ignored || later.iter().any(|later| is(later)) {
            self.ended(place, change, Outcome::AlreadySo, String::new())?;
            return Ok(true);
        }
        if !change.setting.same(&stated.answer, &change.before) {
            let detail = "it is not what the plan was made from; make a new plan".to_owned();
            self.ended(place, change, Outcome::Refused, detail)?;
            return Ok(false);
        }
        let (place_of, begun) = (place.clone(), change.clone());
        let entry = Entry::Begun { place: place_of, change: begun, verbatim: stated.verbatim.clone() };
        self.journal.append(&now(), entry)?;
        let to = Stated::answered(change.after.clone());
        let set = self.cloud.set(&bucket, &change.setting, &stated.answer, &to).await;
        self.seen(place, change, set).await
    }

    /// Waits until a change that was made is seen, and says what became of it.
    pub(super) async fn seen(
        &mut self,
        place: &Place,
        change: &Change,
        set: Result<(), CloudError>,
    ) -> Result<bool, ApplyError> {
        let bucket = place.bucket();
        let accepted = set.is_ok();
        let mut detail = match set {
            Ok(()) => "it was accepted, but not seen to be so".to_owned(),
            Err(error) => error.told_to(&self.cloud.identity()),
        };
        let began = Instant::now();
        loop {
            match self.cloud.stated(&bucket, &change.setting).await {
                Ok(stated) if change.setting.same(&stated.answer, &change.after) => {
                    self.ended(place, change, Outcome::Applied, String::new())?;
                    return Ok(true);
                }
                // A refusal does not turn into success by waiting.
                Ok(stated) if !accepted && change.setting.same(&stated.answer, &change.before) => break,
                Ok(_) => {}
                Err(error) => detail = error.told_to(&self.cloud.identity()),
            }
            if began.elapsed() > self.patience {
                break;
            }
            tokio::time::sleep(LOOKED_EVERY.min(self.patience)).await;
        }
        self.ended(place, change, Outcome::Failed, detail)?;
        Ok(false)
    }

    pub(super) fn ended(
        &mut self,
        place: &Place,
        change: &Change,
        outcome: Outcome,
        detail: String,
    ) -> Result<(), ApplyError> {
        self.told(place, &change.setting.to_string(), outcome, detail)
    }

    pub(super) fn told(
        &mut self,
        place: &Place,
        setting: &str,
        outcome: Outcome,
        detail: String,
    ) -> Result<(), ApplyError> {
        let entry = Entry::Ended {
            place: place.clone(),
            setting: setting.to_owned(),
            outcome,
            detail: detail.clone(),
        };
        self.journal.append(&now(), entry)?;
        let step = Step { bucket: place.bucket.clone(), setting: setting.to_owned(), outcome, detail };
        self.steps.push(step);
        Ok(())
    }
}

pub(super) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}
