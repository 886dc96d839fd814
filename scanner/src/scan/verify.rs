//! Is what was restored what there was? Known documents are looked for in a target, and each is intact, modified or missing.

use std::collections::{BTreeMap, HashMap};

use futures::stream::{self, StreamExt};
use serde::Serialize;
use spillwatch_classifiers::copies::Index;
use tokio::sync::watch;

use super::copies::{Exact, exact};
use super::{Coverage, Engine, Progress, Settings, Target};
use crate::estate::{Bucket, Gap, Object};

/// What became of a known document; the better state comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No object has its name or its content.
    Missing,
    /// Something that may be it could not be listed or read.
    Unread,
    /// An object has its name, and not its content.
    Modified,
    /// Its content stands under other names only.
    Moved,
    /// It stands there, byte for byte.
    Intact,
}

impl State {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unread => "unread",
            Self::Modified => "modified",
            Self::Moved => "moved",
            Self::Intact => "intact",
        }
    }
}

/// What became of one document: `spillwatch.verified/1`. Names are screened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Always `spillwatch.verified/1`.
    pub schema: &'static str,
    /// The known document's name.
    pub document: String,
    /// What became of it.
    pub state: State,
    /// The object that says so, `BUCKET/KEY`; none for what is missing.
    pub object: Option<String>,
    /// How much of it still stands in what is modified, 0..=1, as far as its content is known.
    pub share: Option<f64>,
}

/// What was verified: the last line, `spillwatch.verification/1`.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// Always `spillwatch.verification/1`.
    pub schema: &'static str,
    /// Documents by what became of them.
    pub documents: BTreeMap<State, u64>,
    /// Objects that had to be read.
    pub objects_read: u64,
    /// What was seen and what was not.
    pub coverage: Coverage,
}

impl Verification {
    /// Whether every document is intact where it was.
    pub fn is_intact(&self) -> bool {
        self.documents.keys().all(|state| *state == State::Intact)
    }
}

/// The best that was seen of a document.
#[derive(Debug, Clone)]
struct Best {
    state: State,
    object: Option<String>,
    share: Option<f64>,
}

/// Looks for every document of the settings' index in the targets, and hands what became of each to `tell`, in the order of their names.
pub async fn verify(
    targets: &[Target],
    settings: &Settings,
    progress: &Progress,
    stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(&Verified),
) -> Verification {
    let engine = Engine::new(settings, progress, stop);
    let Some(index) = settings.index.as_deref() else { return Verifying::default().end(tell) };
    let mut verifying = Verifying::begin(index);
    for target in targets {
        let accounts = match target.cloud.accounts().await {
            Ok(accounts) => accounts,
            Err(error) => {
                verifying.not_listed(&error.gap());
                continue;
            }
        };
        for account in &accounts {
            verifying.coverage.accounts += 1;
            let mut buckets = target.cloud.buckets(account);
            while let Some(bucket) = buckets.next().await {
                match bucket {
                    Ok(bucket) => engine.verify_bucket(target, &bucket, index, &mut verifying).await,
                    Err(error) => verifying.not_listed(&error.gap()),
                }
            }
        }
    }
    verifying.coverage.interrupted = engine.stopped();
    verifying.end(tell)
}

/// What an object turned out to be.
struct Seen {
    exact: Vec<u32>,
    /// Documents of its name, and how much of each is in it.
    modified: Vec<(u32, Option<f64>)>,
    /// It has the size of a document, and could not be compared.
    undecided: bool,
    read: bool,
    gaps: Vec<Gap>,
}

impl Engine<'_> {
    async fn verify_bucket(
        &self,
        target: &Target,
        bucket: &Bucket,
        index: &Index,
        verifying: &mut Verifying,
    ) {
        verifying.coverage.buckets += 1;
        self.progress.judged(1);
        let mut pages = target.cloud.objects(bucket, &target.prefix);
        while let Some(page) = pages.next().await {
            if self.stopped() {
                return;
            }
            let objects = match page {
                Ok(objects) => objects,
                Err(error) => {
                    verifying.not_listed(&error.gap());
                    continue;
                }
            };
            self.progress.listed(objects.len());
            let looks: Vec<(Object, Vec<u32>)> = objects
                .into_iter()
                .map(|object| {
                    let named = verifying.named(&object.key);
                    (object, named)
                })
                .collect();
            let looks = stream::iter(looks).map(|(object, named)| async {
                let seen = self.look(target, bucket, &object, index, &named).await;
                (object, named, seen)
            });
            let mut looks = std::pin::pin!(looks.buffer_unordered(self.settings.reads_in_flight_max));
            while let Some((object, named, seen)) = looks.next().await {
                verifying.take(bucket, &object, &named, seen);
            }
        }
        self.progress.bucket_done(0);
    }

    /// Compares an object; one that has a document's name and not its content is read, to tell how much of it is left.
    async fn look(
        &self,
        target: &Target,
        bucket: &Bucket,
        object: &Object,
        index: &Index,
        named: &[u32],
    ) -> Seen {
        let nothing =
            Seen { exact: Vec::new(), modified: Vec::new(), undecided: false, read: false, gaps: Vec::new() };
        match exact(index, target, bucket, object, self.settings.bytes_per_object_max).await {
            Ok(Exact::Copy { documents, read, .. }) => Seen { exact: documents, read, ..nothing },
            Ok(Exact::Other(_)) if named.is_empty() => nothing,
            Ok(Exact::Other(_)) => {
                let read = self.object(target, bucket, object).await;
                let copies = read.classification.map(|found| found.copies).unwrap_or_default();
                let share =
                    |number: u32| copies.iter().find(|copy| copy.number == number).map(|copy| copy.share);
                let modified = named.iter().map(|number| (*number, share(*number))).collect();
                Seen { modified, read: true, gaps: read.gaps, ..nothing }
            }
            Err(gap) => Seen { undecided: true, gaps: vec![gap], ..nothing },
        }
    }
}

/// What was seen of every document so far.
#[derive(Default)]
struct Verifying {
    names: HashMap<String, Vec<u32>>,
    told: Vec<String>,
    best: Vec<Best>,
    read: u64,
    /// Something that may be one of the documents was not seen: what was not found may stand there.
    unseen: bool,
    coverage: Coverage,
}

impl Verifying {
    fn begin(index: &Index) -> Self {
        let mut names: HashMap<String, Vec<u32>> = HashMap::new();
        let mut told = Vec::new();
        for (number, document) in (0..).zip(index.documents()) {
            told.push(spillwatch_classifiers::screen(&document.name).to_string());
            names.entry(document.name).or_default().push(number);
        }
        let best = vec![Best { state: State::Missing, object: None, share: None }; told.len()];
        Self { names, told, best, read: 0, unseen: false, coverage: Coverage::begin() }
    }

    fn not_listed(&mut self, gap: &Gap) {
        self.unseen = true;
        self.coverage.gap(gap);
    }

    /// The documents that an object of this key may be: restored buckets have other prefixes.
    fn named(&self, key: &str) -> Vec<u32> {
        let ends = key.match_indices('/').filter_map(|(at, _)| key.get(at + 1..));
        std::iter::once(key).chain(ends).find_map(|name| self.names.get(name)).cloned().unwrap_or_default()
    }

    fn take(&mut self, bucket: &Bucket, object: &Object, named: &[u32], seen: Seen) {
        self.coverage.objects.listed += 1;
        self.coverage.bytes.listed += object.size_bytes;
        if seen.read {
            self.read += 1;
            self.coverage.objects.read += 1;
            self.coverage.bytes.read += object.size_bytes;
        }
        seen.gaps.iter().for_each(|gap| self.coverage.gap(gap));
        let place = format!("{}/{}", bucket.name, spillwatch_classifiers::screen(&object.key));
        for number in &seen.exact {
            let state = if named.contains(number) { State::Intact } else { State::Moved };
            self.better(*number, Best { state, object: Some(place.clone()), share: Some(1.0) });
        }
        for (number, share) in seen.modified {
            self.better(number, Best { state: State::Modified, object: Some(place.clone()), share });
        }
        if seen.undecided {
            self.unseen = true;
            for number in named {
                self.better(*number, Best { state: State::Unread, object: Some(place.clone()), share: None });
            }
        }
    }

    fn better(&mut self, number: u32, seen: Best) {
        let Some(best) = usize::try_from(number).ok().and_then(|at| self.best.get_mut(at)) else { return };
        if (seen.state, seen.share.unwrap_or(0.0)) > (best.state, best.share.unwrap_or(0.0)) {
            *best = seen;
        }
    }

    fn end(self, tell: &mut dyn FnMut(&Verified)) -> Verification {
        let mut documents: BTreeMap<State, u64> = BTreeMap::new();
        let unseen = self.unseen || self.coverage.interrupted;
        let mut all: Vec<(String, Best)> = self.told.into_iter().zip(self.best).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (document, Best { state, object, share }) in all {
            // What was not found is missing only where everything was looked at.
            let state = if unseen { state.max(State::Unread) } else { state };
            *documents.entry(state).or_default() += 1;
            tell(&Verified { schema: "spillwatch.verified/1", document, state, object, share });
        }
        let coverage = self.coverage.end();
        Verification { schema: "spillwatch.verification/1", documents, objects_read: self.read, coverage }
    }
}
