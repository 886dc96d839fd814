//! `spillwatch scan`: what can somebody outside reach, and what is inside?

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::bail;
use tokio::runtime::Runtime;
use tokio::sync::watch::{Receiver, channel};

use super::formats::FormatArgs;
use super::known::KnownArgs;
use super::progress::Bar;
use super::targets::{CloudArgs, open_all};
use super::watch;
use crate::config::{self, Config};
use crate::findings::Severity;
use crate::metrics;
use crate::scan::{self, Coverage, Progress};
use crate::store;
use crate::tickets::{Desk, Printer};

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
    /// Read every object, also those that nobody outside can reach, and their older versions; by default the former are sampled,
    /// and the latter are not listed.
    #[arg(long)]
    all: bool,
    /// Print the requests that would make tickets to stderr, and send none of them. No ledger is read or written.
    #[arg(long)]
    dry_run: bool,
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
    if config.tickets.dead_letter.is_none() {
        config.tickets.dead_letter = beside_ledger(config.ledger.as_deref());
    }
    if args.dry_run {
        config.metrics = metrics::Settings::default();
    }
    let runtime = tokio_runtime()?;
    watch::watched(&config.metrics, &runtime, || scanned(&args, &config, &runtime))
}

fn scanned(args: &ScanArgs, config: &Config, runtime: &Runtime) -> anyhow::Result<ExitCode> {
    let targets = open_all(&args.targets, config)?;

    let mut reports = args.formats.open()?;
    let mut worst = None;

    let progress = Progress::default();
    let bar = Bar::start(&progress);
    // What a dry run did not tell must not be known for told.
    let ledger = config.ledger.as_deref().filter(|_| !args.dry_run);
    let ledger = ledger.map(|word| runtime.block_on(store::open(word))).transpose()?;
    let stop = stop_when_asked(runtime);
    let printer = args.dry_run.then(|| Arc::new(Mutex::new(io::stderr())) as Printer);
    let desk = Desk::open(&config.tickets, printer, stop.clone())?;
    let coverage = runtime.block_on(async {
        let filing = desk.map(Desk::start);
        let mut coverage =
            scan::scan(&targets, &config.scan, &progress, stop, ledger.as_deref(), &mut |finding| {
                if finding.status.is_open() {
                    worst = worst.max(Some(finding.severity));
                }
                reports.finding(finding);
                if let Some(filing) = &filing {
                    filing.take(finding);
                }
            })
            .await;
        if let Some(filing) = filing {
            coverage.tickets = filing.end().await;
        }
        coverage
    });
    bar.end();
    let is_table = reports.is_table;
    reports.end(&coverage)?;
    // The table ends with the same.
    if !is_table {
        tracing::info!("{}", summary(&coverage));
    }
    coverage.tickets.iter().for_each(|delivery| tracing::info!("{delivery}"));
    if coverage.buckets == 0 && coverage.gaps.is_empty() && !coverage.interrupted {
        tracing::warn!(
            "nothing to scan: the account holds no bucket that these credentials may list; check which they are"
        );
    }
    let nothing_seen = nothing_seen(&coverage);
    let failed = coverage.interrupted
        || coverage.ledger.as_ref().is_some_and(|ledger| ledger.failed)
        || coverage.tickets.iter().any(|sink| sink.lost > 0)
        || config.scan.index.as_ref().is_some_and(|index| index.health().is_err());
    watch::tell(&config.metrics, runtime, &coverage, !failed && nothing_seen.is_none());
    if let Some(error) = nothing_seen {
        bail!(error);
    }
    if coverage.interrupted {
        tracing::warn!("interrupted: what was found so far is in the report");
    }
    Ok(if failed {
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

/// Where tickets wait that could not be delivered: beside a ledger that is a file.
pub(super) fn beside_ledger(ledger: Option<&str>) -> Option<PathBuf> {
    let file = ledger.filter(|word| !word.contains("://"))?;
    Some(PathBuf::from(format!("{file}.undelivered.jsonl")))
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
pub(super) fn stop_when_asked(runtime: &Runtime) -> Receiver<bool> {
    let (send, stop) = channel(false);
    runtime.spawn(async move {
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
