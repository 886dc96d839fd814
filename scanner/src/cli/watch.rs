//! Who is told that a run began, how it ended, and what it came to? A failure to tell is said and changes nothing else.

use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::metrics::{self, Heartbeat, MetricsError, Settings};
use crate::scan::Coverage;

/// Runs something under the eyes of the watchdog, if there is one.
pub(super) fn watched(
    settings: &Settings,
    runtime: &Runtime,
    run: impl FnOnce() -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let Some(heartbeat) = Heartbeat::new(settings)? else { return run() };
    said(runtime.block_on(heartbeat.start()));
    let ended = run();
    // Findings and gaps end with other codes: the run itself went well.
    let well = ended.as_ref().is_ok_and(|code| *code != ExitCode::FAILURE);
    said(runtime.block_on(heartbeat.end(well)));
    ended
}

/// Tells the figures of a run wherever they are awaited.
pub(super) fn tell(settings: &Settings, runtime: &Runtime, coverage: &Coverage, well: bool) {
    let figures = coverage.figures();
    if let Some(path) = &settings.textfile {
        said(metrics::write(path, &figures, well.then(|| coverage.ended_seconds())));
    }
    said(runtime.block_on(metrics::send(settings, &figures)));
}

fn said(told: Result<(), MetricsError>) {
    if let Err(error) = told {
        tracing::warn!("{error}");
    }
}
