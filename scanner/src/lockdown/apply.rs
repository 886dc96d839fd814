//! How is a plan carried out, so that nothing is lost wherever it ends?

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::journal::{Entry, Journal, JournalError, Place};
use super::plan::{BucketPlan, HazardKind, Plan, Scope, Subject, state_hash};
use super::run::{Run, now};
use super::{PrincipalPlan, evidence, plan_bucket};
use crate::cloud::{Archive, CloudError, Lockable};
use crate::estate::Bucket;
use crate::exposure::Exposure;

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
pub struct Options<'a> {
    /// Who approved it.
    pub approver: &'a str,
    /// What may break.
    pub accepted: &'a BTreeSet<HazardKind>,
    /// The folder for evidence and journal; a plan has its own inside.
    pub folder: &'a Path,
    /// An age recipient for the evidence.
    pub recipient: Option<&'a str>,
    /// Where evidence and journal are copied to.
    pub archive: Option<&'a dyn Archive>,
    /// How long a change may take to be seen: settings spread within seconds.
    pub patience: Duration,
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
    /// The evidence is on disk, but was not copied: nothing was changed.
    #[error("the evidence could not be copied, so nothing was changed: {0}")]
    Copy(CloudError),
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
    let mut journal = Journal::open(&folder.join("journal.jsonl"))?;
    if journal.entries().is_empty() {
        let opened = Entry::Opened {
            plan: plan.id.clone(),
            target: plan.target.clone(),
            approver: options.approver.to_owned(),
        };
        journal.append(&now(), opened)?;
    }
    let mut run = Run::new(cloud, journal, options.patience);
    let mut subjects = Vec::new();
    for bucket in &plan.buckets {
        let subject = Subject::read(cloud, bucket.bucket(), plan.zone_of_trust.clone()).await;
        let why_not = run.why_not(bucket, &subject, options);
        subjects.push((bucket, subject, why_not));
    }
    // What was not changed yet is kept as it is now.
    let fresh = subjects.iter().filter(|(bucket, _, why_not)| why_not.is_none() && !run.has_begun(bucket));
    let fresh: Vec<&Subject> = fresh.map(|(_, subject, _)| subject).collect();
    let new = |principal: &PrincipalPlan| !run.has_begun_at(&place(&principal.address()));
    if !fresh.is_empty() || plan.principals.iter().any(new) {
        let name = run.journal.next_evidence();
        let bundle = folder.join(&name);
        let kept = evidence::keep(cloud, plan, &fresh, &bundle, options.recipient).await;
        let manifest_sha256 = kept.map_err(evidence)?;
        if let Some(archive) = options.archive {
            let files = evidence::files(&bundle).map_err(evidence)?;
            for (path, bytes) in files {
                let kept = archive.keep(&format!("{}/{name}/{path}", plan.id), bytes.into()).await;
                kept.map_err(ApplyError::Copy)?;
            }
        }
        run.journal.append(&now(), Entry::Evidence { folder: name, manifest_sha256 })?;
    }
    for (bucket, _, why_not) in subjects {
        run.bucket(bucket, why_not).await?;
        run.verify(bucket, plan).await?;
    }
    for principal in &plan.principals {
        let place = place(&principal.address());
        for change in &principal.changes {
            run.change(&place, change, &[]).await?;
        }
    }
    let mut applied = run.closed()?;
    if let Some(archive) = options.archive {
        applied.steps.push(copy_of_journal(archive, plan, &applied.journal).await);
    }
    Ok(applied)
}

/// The changes stand whether their journal could be copied or not.
async fn copy_of_journal(archive: &dyn Archive, plan: &Plan, journal: &Path) -> Step {
    let name = format!("{}/journal.jsonl", plan.id);
    let copied = match std::fs::read(journal) {
        Ok(bytes) => archive.keep(&name, bytes.into()).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let (outcome, detail) = match copied {
        Ok(()) => (Outcome::Applied, String::new()),
        Err(why) => (Outcome::Failed, why),
    };
    Step { bucket: String::new(), setting: "copy of the journal".to_owned(), outcome, detail }
}

impl Run<'_> {
    async fn bucket(&mut self, plan: &BucketPlan, why_not: Option<String>) -> Result<(), ApplyError> {
        let place = place(&plan.bucket());
        if let Some(why) = why_not {
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

    /// Whether a change of the bucket may have been made by an earlier run.
    fn has_begun(&self, plan: &BucketPlan) -> bool {
        self.has_begun_at(&place(&plan.bucket()))
    }

    fn has_begun_at(&self, place: &Place) -> bool {
        // What was taken back is as if it had not been.
        self.journal.standing().iter().any(|(at, ..)| at == place)
    }

    /// Why nothing of the plan for a bucket may be done.
    fn why_not(&self, plan: &BucketPlan, subject: &Subject, options: &Options<'_>) -> Option<String> {
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
        // Once our own changes have begun, each setting is compared by itself.
        let same = self.has_begun(plan) || state_hash(subject, &plan.changes) == plan.state_sha256;
        (!same).then(|| "its state is not the one that the plan was made from; make a new plan".to_owned())
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
