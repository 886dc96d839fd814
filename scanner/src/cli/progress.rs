//! How far is the scan? A line on a terminal's stderr, nothing elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::scan::Progress;

const REFRESH: Duration = Duration::from_millis(200);

/// Draws until it is ended.
pub(super) struct Bar {
    drawing: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Bar {
    pub(super) fn start(progress: &Progress) -> Self {
        if !stderr().is_terminal() {
            return Self { drawing: None };
        }
        let (progress, ended) = (progress.clone(), Arc::new(AtomicBool::new(false)));
        let end = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            let started = Instant::now();
            while !end.load(Relaxed) {
                bar.set_message(line(&progress, started.elapsed()));
                bar.tick();
                std::thread::park_timeout(REFRESH);
            }
            bar.finish_and_clear();
        });
        Self { drawing: Some((ended, thread)) }
    }

    /// Clears the line.
    pub(super) fn end(self) {
        if let Some((ended, thread)) = self.drawing {
            ended.store(true, Relaxed);
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let now = progress.now();
    let rate = now.bytes_read as f64 / elapsed.as_secs_f64().max(0.001);
    let left = if now.buckets_done > 0 {
        let left = elapsed.mul_f64((now.buckets - now.buckets_done) as f64 / now.buckets_done as f64);
        format!(", about {} left", HumanDuration(left))
    } else {
        String::new()
    };
    format!(
        "{}/{} buckets, {} of {} objects, {} ({}/s), {} findings{left}",
        now.buckets_done,
        now.buckets,
        HumanCount(now.objects_read),
        HumanCount(now.objects_listed),
        HumanBytes(now.bytes_read),
        HumanBytes(rate as u64),
        now.findings
    )
}
