//! How is a plan carried out, and taken back, so that nothing is lost wherever it ends?

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::stream::StreamExt;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::journal::{Entry, Journal, JournalError, Place};
use super::plan::{BucketPlan, HazardKind, Plan, Scope, Subject, state_hash};
use super::{Evidence, plan_bucket};
use crate::cloud::{CloudError, Lockable, Stated};
use crate::estate::{Bucket, Change, Object};
use crate::exposure::Exposure;

/// How long a change may take to be seen, and how often it is looked for: S3's settings spread within seconds.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
const LOOKED_EVERY: Duration = Duration::from_millis(500);
/// Objects of a bucket that the evidence lists.
const LISTED_MAX: usize = 1_000_000;

/// What became of a change, or of a whole bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was made, and was seen to be so.
    Applied,
    /// Somebody, perhaps an earlier run, had made it.
    AlreadySo,
    /// It was not made, on purpose.
    Refused,
    /// It was tried and did not go through, or was not seen to have.
    Failed,
}

/// One line of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The bucket.
    pub bucket: String,
    /// The setting in words, or `verification`.
    pub setting: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, where it needs one.
    pub detail: String,
}

/// What a run did.
#[derive(Debug)]
pub struct Applied {
    /// The journal to undo it by.
    pub journal: PathBuf,
    /// What became of each change.
    pub steps: Vec<Step>,
}

impl Applied {
    /// Whether everything stands as it was to.
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.outcome, Outcome::Applied | Outcome::AlreadySo))
    }
}

/// How a plan is to be applied.
#[derive(Debug)]
pub struct Options<'a> {
    /// Who approved it.
    pub approver: &'a str,
    /// What may break.
    pub accepted: &'a BTreeSet<HazardKind>,
    /// The folder for evidence and journal; a plan has its own inside.
    pub folder: &'a Path,
    /// An age recipient for the evidence.
    pub recipient: Option<&'a str>,
}

/// Why a run could not begin, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The evidence could not be written: nothing was changed.
    #[error("the evidence could not be written to `{path}`, so nothing was changed: {source}")]
    Evidence {
        /// The folder.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The journal could not be read or written; what it says so far was done.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The plan was edited after it was made.
    #[error("plan `{0}` was edited after it was made; make a new one")]
    Edited(String),
}

/// Applies a plan: evidence first, each change between two lines of the journal, then a look whether it is closed. A second
/// run of the same plan goes on where the first ended.
pub async fn apply(cloud: &dyn Lockable, plan: &Plan, options: &Options<'_>) -> Result<Applied, ApplyError> {
    if plan.identity() != plan.id {
        return Err(ApplyError::Edited(plan.id.clone()));
    }
    let folder = options.folder.join(&plan.id);
    let evidence = |source| ApplyError::Evidence { path: folder.display().to_string(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(evidence)?;
    let path = folder.join("journal.jsonl");
    let begun_before = path.exists();
    let mut subjects = Vec::new();
    for bucket in &plan.buckets {
        subjects.push(Subject::read(cloud, bucket.bucket(), plan.zone_of_trust.clone()).await);
    }
    if !begun_before {
        keep_evidence(cloud, plan, &subjects, &folder.join("evidence"), options).await.map_err(evidence)?;
    }
    let mut journal = Journal::open(&path)?;
    if journal.entries().is_empty() {
        let opened = Entry::Opened {
            plan: plan.id.clone(),
            target: plan.target.clone(),
            approver: options.approver.to_owned(),
        };
        journal.append(&now(), opened)?;
    }
    let mut run = Run { cloud, journal, steps: Vec::new() };
    for (bucket, subject) in plan.buckets.iter().zip(subjects) {
        run.bucket(bucket, subject, options).await?;
        run.verify(bucket, plan).await?;
    }
    run.journal.append(&now(), Entry::Closed)?;
    Ok(Applied { journal: run.journal.path().to_owned(), steps: run.steps })
}

/// Takes back what a journal says was done, the last first. What somebody changed since is left alone and told.
pub async fn undo(cloud: &dyn Lockable, journal: Journal) -> Result<Applied, ApplyError> {
    let mut run = Run { cloud, journal, steps: Vec::new() };
    for (place, change, verbatim) in run.journal.standing().into_iter().rev() {
        let back = change.undone();
        let bucket = place.bucket();
        let stated = match cloud.stated(&bucket, &back.setting).await {
            Ok(stated) => stated,
            Err(error) => {
                run.ended(&place, &back, Outcome::Failed, error.to_string())?;
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
    run.journal.append(&now(), Entry::Closed)?;
    Ok(Applied { journal: run.journal.path().to_owned(), steps: run.steps })
}

/// A run over the buckets of a plan.
struct Run<'a> {
    cloud: &'a dyn Lockable,
    journal: Journal,
    steps: Vec<Step>,
}

impl Run<'_> {
    async fn bucket(
        &mut self,
        plan: &BucketPlan,
        subject: Subject,
        options: &Options<'_>,
    ) -> Result<(), ApplyError> {
        let bucket = plan.bucket();
        let place = place(&bucket);
        if let Some(why) = self.why_not(plan, &place, &subject, options) {
            return self.told(&place, "bucket", Outcome::Refused, why);
        }
        for (at, change) in plan.changes.iter().enumerate() {
            let later = plan.changes.get(at + 1..).unwrap_or_default();
            let later = later.iter().filter(|later| later.setting == change.setting).collect::<Vec<_>>();
            if !self.change(&place, change, &later).await? {
                let detail = "the changes after the one that failed were not tried".to_owned();
                return self.told(&place, "bucket", Outcome::Refused, detail);
            }
        }
        Ok(())
    }

    /// Why nothing of the plan for a bucket may be done.
    fn why_not(
        &self,
        plan: &BucketPlan,
        place: &Place,
        subject: &Subject,
        options: &Options<'_>,
    ) -> Option<String> {
        if let Some(why) = &plan.refused {
            return Some(why.clone());
        }
        let missing: BTreeSet<&str> = plan
            .hazards
            .iter()
            .filter(|hazard| !options.accepted.contains(&hazard.kind))
            .map(|hazard| hazard.kind.as_str())
            .collect();
        if !missing.is_empty() {
            let words: Vec<&str> = missing.into_iter().collect();
            return Some(format!("it may break what is in use; accept it by `--accept {}`", words.join(",")));
        }
        let begun = self.journal.entries().iter().any(|entry| match entry {
            Entry::Begun { place: at, .. } => at == place,
            _ => false,
        });
        // Once our own changes have begun, each setting is compared by itself.
        let same = begun || state_hash(subject, &plan.changes) == plan.state_sha256;
        (!same).then(|| "its state is not the one that the plan was made from; make a new plan".to_owned())
    }

    /// Makes one change; false where going on would be blind. An earlier run may have gone on to `later` changes of the same
    /// setting.
    async fn change(
        &mut self,
        place: &Place,
        change: &Change,
        later: &[&Change],
    ) -> Result<bool, ApplyError> {
        let bucket = place.bucket();
        let stated = match self.cloud.stated(&bucket, &change.setting).await {
            Ok(stated) => stated,
            Err(error) => {
                self.ended(place, change, Outcome::Failed, error.to_string())?;
                return Ok(false);
            }
        };
        let is = |change: &Change| change.setting.same(&stated.answer, &change.after);
        if is(change) || later.iter().any(|later| is(later)) {
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
    async fn seen(
        &mut self,
        place: &Place,
        change: &Change,
        set: Result<(), CloudError>,
    ) -> Result<bool, ApplyError> {
        let bucket = place.bucket();
        let accepted = set.is_ok();
        let mut why = match set {
            Ok(()) => "it was accepted, but not seen to be so".to_owned(),
            Err(error) => error.to_string(),
        };
        let began = std::time::Instant::now();
        loop {
            match self.cloud.stated(&bucket, &change.setting).await {
                Ok(stated) if change.setting.same(&stated.answer, &change.after) => {
                    self.ended(place, change, Outcome::Applied, String::new())?;
                    return Ok(true);
                }
                // A refusal does not turn into success by waiting.
                Ok(stated) if !accepted && change.setting.same(&stated.answer, &change.before) => break,
                Ok(_) => {}
                Err(error) => why = error.to_string(),
            }
            if began.elapsed() > SEEN_WITHIN {
                break;
            }
            tokio::time::sleep(LOOKED_EVERY).await;
        }
        self.ended(place, change, Outcome::Failed, why)?;
        Ok(false)
    }

    /// Reads the bucket again and reasons again, unless nothing was to be done there.
    async fn verify(&mut self, bucket: &BucketPlan, plan: &Plan) -> Result<(), ApplyError> {
        let place = place(&bucket.bucket());
        let refused = |step: &Step| step.bucket == bucket.bucket && step.outcome == Outcome::Refused;
        if self.steps.iter().any(refused) {
            return Ok(());
        }
        let subject = Subject::read(self.cloud, bucket.bucket(), plan.zone_of_trust.clone()).await;
        let (outcome, detail) = match plan_bucket(&subject, &plan.scope) {
            None => match new_doubt(&subject, bucket, &plan.scope) {
                None => (Outcome::Applied, "read again: nothing that the plan closes is open".to_owned()),
                Some(why) => {
                    (Outcome::Failed, format!("read again: it cannot be said whether it is closed: {why}"))
                }
            },
            Some(open) => {
                let why =
                    open.closes.first().and_then(|way| way.because.first().cloned()).unwrap_or_default();
                (Outcome::Failed, format!("read again: still open: {why}"))
            }
        };
        self.told(&place, "verification", outcome, detail)
    }

    fn ended(
        &mut self,
        place: &Place,
        change: &Change,
        outcome: Outcome,
        detail: String,
    ) -> Result<(), ApplyError> {
        self.told(place, &change.setting.to_string(), outcome, detail)
    }

    fn told(
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

async fn keep_evidence(
    cloud: &dyn Lockable,
    plan: &Plan,
    subjects: &[Subject],
    folder: &Path,
    options: &Options<'_>,
) -> io::Result<()> {
    // What an earlier run left half written is not evidence.
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let mut evidence = Evidence::start(folder, options.recipient)?;
    evidence.plan(plan)?;
    evidence.zone(&plan.zone_of_trust)?;
    for subject in subjects {
        let open = subject.open_ways();
        let objects = listed(cloud, &subject.bucket).await;
        evidence.bucket(subject, &objects, &open)?;
    }
    Ok(())
}

async fn listed(cloud: &dyn Lockable, bucket: &Bucket) -> Vec<Object> {
    let mut pages = cloud.objects(bucket, "");
    let mut objects = Vec::new();
    while let Some(page) = pages.next().await {
        // A listing that is denied, or breaks off, is no reason to leave the bucket open.
        let Ok(page) = page else { break };
        objects.extend(page);
        if objects.len() >= LISTED_MAX {
            break;
        }
    }
    objects
}

impl Subject {
    /// Every way in from outside, the bucket's and its objects'.
    fn open_ways(&self) -> Vec<Exposure> {
        let mut ways = self.judge(&self.facts).exposures;
        ways.extend(self.object_ways(&self.facts, &self.objects));
        ways
    }
}

/// A way in of the plan's scope that can no longer be excluded, though it could when the plan was made: what was not read
/// this time is not closed.
fn new_doubt(subject: &Subject, plan: &BucketPlan, scope: &Scope) -> Option<String> {
    let left = |way: &Exposure| {
        plan.leaves.iter().any(|left| left.audience == way.audience && left.access == way.access)
    };
    let ways = subject.open_ways();
    let new = ways.iter().find(|way| scope.contains(way.audience) && !left(way))?;
    Some(new.because.first().map_or_else(|| "something could not be read".to_owned(), Clone::clone))
}

fn place(bucket: &Bucket) -> Place {
    Place {
        provider: bucket.account.provider,
        account: bucket.account.id.clone(),
        bucket: bucket.name.clone(),
        region: bucket.region.clone(),
    }
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}
