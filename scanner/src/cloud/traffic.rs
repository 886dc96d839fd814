//! How many requests were answered, and how many of the answers asked for fewer? Counted over all doors of the process.

use std::sync::atomic::{AtomicU64, Ordering};

static ANSWERED: AtomicU64 = AtomicU64::new(0);
static THROTTLED: AtomicU64 = AtomicU64::new(0);

/// Requests so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Answered by a provider: on AWS each attempt, on Google Cloud without those that its library repeats.
    pub requests: u64,
    /// Of these, answered with the request to ask less often.
    pub throttled: u64,
}

/// What was counted since the process began.
pub fn traffic() -> Traffic {
    Traffic { requests: ANSWERED.load(Ordering::Relaxed), throttled: THROTTLED.load(Ordering::Relaxed) }
}

/// Counts one answer.
pub(in crate::cloud) fn answered(is_throttled: bool) {
    ANSWERED.fetch_add(1, Ordering::Relaxed);
    THROTTLED.fetch_add(u64::from(is_throttled), Ordering::Relaxed);
}
