//! How are log lines written? To stderr, as text or JSON; only our own, since an SDK's may carry content.

use std::io::Write;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Starts logging: the run's summary and warnings, with `verbose` every bucket, twice every object's gap.
pub(super) fn start(json: bool, verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("spillwatch", level);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_target(false);
    let registry = tracing_subscriber::registry();
    if json {
        registry.with(lines.json().flatten_event(true).with_filter(ours)).init();
    } else {
        registry.with(lines.with_filter(ours)).init();
    }
}

/// Says why the command could not run, in one sentence.
pub(super) fn failure(json: bool, error: &anyhow::Error) {
    if json {
        tracing::error!("{error:#}");
    } else {
        let _ = writeln!(std::io::stderr(), "spillwatch: {error:#}");
    }
}
