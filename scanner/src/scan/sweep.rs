//! Where else is it? Every copy of known documents in the targets, most of them without a byte being read.

use futures::stream::{self, StreamExt};
use serde::Serialize;
use spillwatch_classifiers::copies::Index;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use super::copies::{CopyOf, Exact, RuledOut, exact};
use super::{Coverage, Engine, Progress, Settings, Target};
use crate::estate::{Account, Bucket, Gap, Object, Provider, State};

/// How deep a sweep looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// For parts and altered copies too: what is not an exact copy is read. Else objects are compared by their listings, and read
    /// only where these leave it open.
    pub contents: bool,
    /// At older versions and what is soft-deleted too.
    pub versions: bool,
}

/// A copy that was found: `spillwatch.copy/1`. Names are screened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundCopy {
    /// Always `spillwatch.copy/1`.
    pub schema: &'static str,
    /// The known document's name.
    pub document: String,
    /// Whose cloud.
    pub provider: Provider,
    /// Account or project id.
    pub account: String,
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Which version, where it is not the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Whether it is what its key stands for now.
    pub state: State,
    /// The object's size in bytes.
    pub size_bytes: u64,
    /// When the object was last written, RFC 3339.
    pub modified: Option<String>,
    /// The digest it was recognised by (`md5`, `multipart_etag`, `sha256`, …), or `words`, `rows`, `pieces`.
    pub how: &'static str,
    /// Whether the object is the document, byte for byte.
    pub exact: bool,
    /// How much of the document is there, 0..=1.
    pub share: f64,
    /// Where in the object: path inside archives, masked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// From which word, row or byte on, up to which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
}

/// A stretch of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Within {
    /// `words`, `rows` or `bytes`.
    pub unit: &'static str,
    /// The first.
    pub from: u64,
    /// Behind the last.
    pub to: u64,
}

/// What a sweep saw: the last line of its output, `spillwatch.sweep/1`.
#[derive(Debug, Serialize)]
pub struct Swept {
    /// Always `spillwatch.sweep/1`.
    pub schema: &'static str,
    /// Documents that were sought.
    pub documents: u32,
    /// Copies that were found.
    pub copies: u64,
    /// Objects that are or hold copies.
    pub objects_with_copies: u64,
    /// Objects that cannot be exact copies by their size.
    pub ruled_out_by_size: u64,
    /// Of a known size, but not by a digest that the provider states.
    pub ruled_out_by_digest: u64,
    /// Exact copies that were told without a byte being read.
    pub told_by_listing: u64,
    /// Objects that were read, to compare them or to look into them.
    pub objects_read: u64,
    /// What was seen and what was not.
    pub coverage: Coverage,
}

/// What became of one object.
struct Compared {
    copies: Vec<CopyOf>,
    ruled_out: Option<RuledOut>,
    bytes_read: Option<u64>,
    gaps: Vec<Gap>,
}

/// A sweep on its way.
struct Sweeping<'a> {
    index: &'a Index,
    depth: Depth,
    swept: Swept,
    tell: &'a mut dyn FnMut(&FoundCopy),
}

/// Looks for copies of the documents of the settings' index in every object of the targets, and hands each to `tell`.
pub async fn sweep(
    targets: &[Target],
    settings: &Settings,
    depth: Depth,
    progress: &Progress,
    stop: watch::Receiver<bool>,
    tell: &mut dyn FnMut(&FoundCopy),
) -> Swept {
    let engine = Engine::new(settings, progress, stop);
    let mut swept = Swept::begin();
    let Some(index) = settings.index.as_deref() else { return swept };
    swept.documents = index.len();
    let mut sweeping = Sweeping { index, depth, swept, tell };
    for target in targets {
        let accounts = match target.cloud.accounts().await {
            Ok(accounts) => accounts,
            Err(error) => {
                sweeping.swept.coverage.gap(&error.gap());
                continue;
            }
        };
        for account in &accounts {
            sweeping.swept.coverage.accounts += 1;
            engine.sweep_account(target, account, &mut sweeping).await;
        }
    }
    let mut swept = sweeping.swept;
    swept.coverage.interrupted = engine.stopped();
    swept.coverage = std::mem::take(&mut swept.coverage).end();
    swept
}

impl Engine<'_> {
    async fn sweep_account(&self, target: &Target, account: &Account, sweeping: &mut Sweeping<'_>) {
        let mut buckets = target.cloud.buckets(account);
        while let Some(bucket) = buckets.next().await {
            let bucket = match bucket {
                Ok(bucket) => bucket,
                Err(error) => {
                    sweeping.swept.coverage.gap(&error.gap());
                    continue;
                }
            };
            sweeping.swept.coverage.buckets += 1;
            self.progress.judged(1);
            self.sweep_bucket(target, &bucket, sweeping).await;
            self.progress.bucket_done(0);
        }
    }

    async fn sweep_bucket(&self, target: &Target, bucket: &Bucket, sweeping: &mut Sweeping<'_>) {
        let (index, depth) = (sweeping.index, sweeping.depth);
        let (cloud, prefix) = (&target.cloud, &target.prefix);
        let listings = match depth.versions {
            true => vec![
                cloud.objects(bucket, prefix),
                cloud.older_versions(bucket, prefix),
                cloud.soft_deleted(bucket, prefix),
            ],
            false => vec![cloud.objects(bucket, prefix)],
        };
        let mut pages = stream::iter(listings).flatten();
        while let Some(page) = pages.next().await {
            if self.stopped() {
                return;
            }
            let objects = match page {
                Ok(objects) => objects,
                Err(error) => {
                    sweeping.swept.coverage.gap(&error.gap());
                    continue;
                }
            };
            self.progress.listed(objects.len());
            let compared = stream::iter(objects).map(|object| async {
                let compared = self.compare(target, bucket, &object, index, depth).await;
                (object, compared)
            });
            let mut compared = std::pin::pin!(compared.buffer_unordered(self.settings.reads_in_flight_max));
            while let Some((object, compared)) = compared.next().await {
                sweeping.swept.take(bucket, &object, compared, sweeping.tell);
            }
        }
    }

    async fn compare(
        &self,
        target: &Target,
        bucket: &Bucket,
        object: &Object,
        index: &Index,
        depth: Depth,
    ) -> Compared {
        let mut gaps = Vec::new();
        let compared = exact(index, target, bucket, object, self.settings.bytes_per_object_max).await;
        let ruled_out = match compared {
            Ok(Exact::Copy { documents, digest, read }) => {
                let copies = CopyOf::exact(index, &documents, digest);
                return Compared {
                    copies,
                    ruled_out: None,
                    bytes_read: read.then_some(object.size_bytes),
                    gaps,
                };
            }
            Ok(Exact::Other(ruled_out)) => Some(ruled_out),
            Err(gap) => {
                gaps.push(gap);
                None
            }
        };
        let by_reading = (ruled_out == Some(RuledOut::Reading)).then_some(object.size_bytes);
        if !depth.contents || !gaps.is_empty() {
            return Compared { copies: Vec::new(), ruled_out, bytes_read: by_reading, gaps };
        }
        let read = self.object(target, bucket, object).await;
        gaps.extend(read.gaps);
        let copies =
            read.classification.iter().flat_map(|found| found.copies.iter().map(CopyOf::inside)).collect();
        let bytes_read = read.classification.map(|found| found.bytes_read).or(by_reading);
        Compared { copies, ruled_out, bytes_read, gaps }
    }
}

impl Swept {
    fn begin() -> Self {
        Self {
            schema: "spillwatch.sweep/1",
            documents: 0,
            copies: 0,
            objects_with_copies: 0,
            ruled_out_by_size: 0,
            ruled_out_by_digest: 0,
            told_by_listing: 0,
            objects_read: 0,
            coverage: Coverage::begin(),
        }
    }

    fn take(
        &mut self,
        bucket: &Bucket,
        object: &Object,
        compared: Compared,
        tell: &mut dyn FnMut(&FoundCopy),
    ) {
        let Compared { copies, ruled_out, bytes_read, gaps } = compared;
        self.coverage.counts_of(object).listed += 1;
        self.coverage.bytes.listed += object.size_bytes;
        gaps.iter().for_each(|gap| self.coverage.gap(gap));
        match bytes_read {
            Some(bytes) => {
                self.coverage.counts_of(object).read += 1;
                self.coverage.bytes.read += bytes;
                self.objects_read += 1;
            }
            None => self.told_by_listing += u64::from(copies.iter().any(|copy| copy.exact)),
        }
        match ruled_out {
            Some(RuledOut::Size) => self.ruled_out_by_size += 1,
            Some(RuledOut::Digest) => self.ruled_out_by_digest += 1,
            Some(RuledOut::Reading) | None => {}
        }
        self.objects_with_copies += u64::from(!copies.is_empty());
        for copy in copies {
            self.copies += 1;
            tell(&FoundCopy {
                schema: "spillwatch.copy/1",
                provider: bucket.account.provider,
                account: bucket.account.id.clone(),
                bucket: bucket.name.clone(),
                key: spillwatch_classifiers::screen(&object.key).to_string(),
                version_id: object.version.clone().filter(|_| !object.is_current()),
                state: object.state,
                size_bytes: object.size_bytes,
                modified: object.modified.and_then(|at| at.format(&Rfc3339).ok()),
                how: copy.how,
                exact: copy.exact,
                share: copy.share,
                within: copy.within.map(|(from, to)| Within { unit: copy.unit(), from, to }),
                document: copy.document,
                at: copy.at,
            });
        }
    }
}
