//! `spillwatch scan`: what can somebody outside reach, and what is inside?

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use tokio::sync::watch;

use super::formats::FormatArgs;
use super::known::KnownArgs;
use super::progress::Bar;
use super::targets::{CloudArgs, open};
use crate::config::{self, Config};
use crate::findings::Severity;
use crate::scan::{self, Coverage, Progress};
use crate::store;

#[derive(clap::Args)]
pub(super) struct ScanArgs {
    /// `aws` or `gcp` (every bucket that the configuration reaches), `s3://BUCKET[/PREFIX]`, `gs://BUCKET[/PREFIX]`, an
    /// estate folder, or a plain folder (one bucket whose exposure is unknown).
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// Remember findings between runs in this file, or in a database that scanners share (`postgres://…`).
    #[arg(long, value_name = "FILE|URL", env = "SPILLWATCH_STATE", hide_env_values = true)]
    state: Option<String>,
    /// Settings in TOML; flags win over it.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: Option<PathBuf>,
    /// Exit with 3 if a finding is at least this severe.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// Exit with 4 if anything could not be seen.
    #[arg(long)]
    require_full_coverage: bool,
    /// Read every object, also those that nobody outside can reach; by default they are sampled.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    formats: FormatArgs,
    #[command(flatten)]
    known: KnownArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

pub(super) fn run(args: ScanArgs) -> anyhow::Result<ExitCode> {
    let mut config = match &args.config {
        Some(path) => config::read(path)?,
        None => Config::default(),
    };
    config.scan.all |= args.all;
    config.fail_on = args.fail_on.or(config.fail_on);
    config.ledger = args.state.clone().or(config.ledger);
    config.require_full_coverage |= args.require_full_coverage;
    args.cloud.apply(&mut config.aws, &mut config.gcp);
    config.scan.index = args.known.index(&config)?;
    let targets = args
        .targets
        .iter()
        .map(|word| open(word, &config.aws, &config.gcp))
        .collect::<anyhow::Result<Vec<_>>>()?;

    let mut reports = args.formats.open()?;
    let mut worst = None;

    let progress = Progress::default();
    let bar = Bar::start(&progress);
    let runtime = tokio_runtime()?;
    let ledger = config.ledger.as_deref().map(|word| runtime.block_on(store::open(word))).transpose()?;
    let coverage = runtime.block_on(async {
        let stop = stop_when_asked();
        scan::scan(&targets, &config.scan, &progress, stop, ledger.as_deref(), &mut |finding| {
            if finding.status.is_open() {
                worst = worst.max(Some(finding.severity));
            }
            reports.finding(finding);
        })
        .await
    });
    bar.end();
    let is_table = reports.is_table;
    reports.end(&coverage)?;
    // The table ends with the same.
    if !is_table {
        tracing::info!("{}", summary(&coverage));
    }
    if coverage.buckets == 0 && coverage.gaps.is_empty() && !coverage.interrupted {
        tracing::warn!(
            "nothing to scan: the account holds no bucket that these credentials may list; check which they are"
        );
    }
    if let Some(error) = nothing_seen(&coverage) {
        bail!(error);
    }
    Ok(if coverage.interrupted {
        tracing::warn!("interrupted: what was found so far is in the report");
        ExitCode::from(1)
    } else if coverage.ledger.as_ref().is_some_and(|ledger| ledger.failed) {
        ExitCode::from(1)
    } else if config.fail_on.is_some() && worst >= config.fail_on {
        ExitCode::from(3)
    } else if config.require_full_coverage && !coverage.complete {
        ExitCode::from(4)
    } else {
        ExitCode::SUCCESS
    })
}

pub(super) fn tokio_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// A run that reached no account or no bucket at all, and was told why, could not run: its one sentence is the first gap's.
fn nothing_seen(coverage: &Coverage) -> Option<String> {
    let gap = coverage.gaps.first()?;
    (coverage.buckets == 0 && !coverage.interrupted).then(|| gap.detail().to_owned())
}

fn summary(coverage: &Coverage) -> String {
    let gaps: u64 = coverage.gaps_by_reason.values().sum();
    format!(
        "{} findings; {} of {} buckets exposed, {} of {} objects read ({} bytes), {gaps} gaps, {} ms",
        coverage.findings,
        coverage.buckets_exposed,
        coverage.buckets,
        coverage.objects.read,
        coverage.objects.listed,
        coverage.bytes.read,
        coverage.elapsed_ms
    )
}

/// Turns true when the process is asked to end.
pub(super) fn stop_when_asked() -> watch::Receiver<bool> {
    let (send, stop) = watch::channel(false);
    tokio::spawn(async move {
        stop_asked().await;
        let _ = send.send(true);
    });
    stop
}

async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
