//! How far is a running scan? Counters that the engine adds to and anyone may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Shared counters; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    buckets: AtomicU64,
    buckets_done: AtomicU64,
    objects_listed: AtomicU64,
    objects_read: AtomicU64,
    bytes_read: AtomicU64,
    findings: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Buckets judged so far.
    pub buckets: u64,
    /// Buckets whose objects are done.
    pub buckets_done: u64,
    /// Objects in the listings so far.
    pub objects_listed: u64,
    /// Objects read to their end.
    pub objects_read: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Findings reported.
    pub findings: u64,
}

impl Progress {
    /// The counters now.
    pub fn now(&self) -> Snapshot {
        let Counters { buckets, buckets_done, objects_listed, objects_read, bytes_read, findings } = &*self.0;
        Snapshot {
            // Read in this order, so that done never exceeds the whole.
            buckets_done: buckets_done.load(Relaxed),
            buckets: buckets.load(Relaxed),
            objects_read: objects_read.load(Relaxed),
            objects_listed: objects_listed.load(Relaxed),
            bytes_read: bytes_read.load(Relaxed),
            findings: findings.load(Relaxed),
        }
    }

    pub(super) fn judged(&self, buckets: usize) {
        self.0.buckets.fetch_add(buckets as u64, Relaxed);
    }

    pub(super) fn bucket_done(&self, findings: usize) {
        self.0.buckets_done.fetch_add(1, Relaxed);
        self.0.findings.fetch_add(findings as u64, Relaxed);
    }

    pub(super) fn listed(&self, objects: usize) {
        self.0.objects_listed.fetch_add(objects as u64, Relaxed);
    }

    pub(super) fn object_done(&self) {
        self.0.objects_read.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self, bytes: usize) {
        self.0.bytes_read.fetch_add(bytes as u64, Relaxed);
    }
}
