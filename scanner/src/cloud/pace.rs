//! How many requests a second does one account get?

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Requests that may go out at once after a pause, as a share of a second.
const BURST: Duration = Duration::from_millis(100);

/// Spreads requests evenly: each takes the next slot of a timetable.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most `per_second` requests a second, and at least one.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / per_second.max(1), next: Mutex::new(None) }
    }

    /// Waits for the turn of one request.
    pub(crate) async fn turn(&self) {
        let slot = self.slot(Instant::now());
        tokio::time::sleep_until(slot).await;
    }

    fn slot(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let slot = next.map_or(now, |next| next.max(earliest));
        *next = Some(slot + self.interval);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_keep_to_the_rate_after_a_bounded_burst() {
        let pace = Pace::new(100);
        let start = Instant::now();
        let slots: Vec<_> = (0..200).map(|_| pace.slot(start)).collect();
        assert_eq!(slots[0], start);
        assert_eq!(slots[199] - start, Duration::from_millis(1990));
        let later = start + Duration::from_secs(60);
        let burst = (0..200).filter(|_| pace.slot(later) <= later).count();
        assert_eq!(burst, 11, "a pause earns a tenth of a second's requests, not a minute's");
    }
}
