//! `spillwatch scan`: what can somebody outside reach, and what is inside?

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::sync::watch;

use crate::cloud::local::LocalCloud;
use crate::findings::Severity;
use crate::report::{Format, Report};
use crate::scan::{self, Settings, Target};

#[derive(clap::Args)]
pub(super) struct ScanArgs {
    /// Estate folders, or plain folders (each is one bucket whose exposure is unknown).
    #[arg(required = true)]
    targets: Vec<PathBuf>,
    /// `jsonl` (default on a pipe) or `human` (default on a terminal).
    #[arg(long, value_parser = ["jsonl", "human"])]
    format: Option<String>,
    /// Write the report to this file.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Exit with 3 if a finding is at least this severe.
    #[arg(long)]
    fail_on: Option<Severity>,
    /// Exit with 4 if anything could not be seen.
    #[arg(long)]
    require_full_coverage: bool,
    /// Read buckets that nobody outside can reach in full too.
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: ScanArgs) -> anyhow::Result<ExitCode> {
    let mut targets = Vec::new();
    for path in &args.targets {
        if !path.exists() {
            bail!("unknown target `{}`: neither a folder nor an estate", path.display());
        }
        targets.push(Target { cloud: Arc::new(LocalCloud::open(path)?), prefix: String::new() });
    }
    let settings = Settings { all: args.all, ..Settings::default() };
    let out: Box<dyn Write> = match &args.output {
        Some(path) => {
            Box::new(File::create(path).with_context(|| format!("could not write `{}`", path.display()))?)
        }
        None => Box::new(anstream::stdout()),
    };
    let on_terminal = args.output.is_none() && io::stdout().is_terminal();
    let format = match args.format.as_deref() {
        Some("human") => Format::Human,
        None if on_terminal => Format::Human,
        _ => Format::Jsonl,
    };
    let mut report = Report::new(format, out);
    let mut worst = None;
    let mut written = Ok(());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let coverage = runtime.block_on(async {
        let (send, stop) = watch::channel(false);
        tokio::spawn(async move {
            let _ = stop_asked().await;
            let _ = send.send(true);
        });
        scan::scan(&targets, &settings, stop, &mut |finding| {
            worst = worst.max(Some(finding.severity));
            if written.is_ok() {
                written = report.finding(finding);
            }
        })
        .await
    });
    written?;
    report.end(&coverage)?;
    Ok(if coverage.interrupted {
        ExitCode::from(1)
    } else if args.fail_on.is_some() && worst >= args.fail_on {
        ExitCode::from(3)
    } else if args.require_full_coverage && !coverage.complete {
        ExitCode::from(4)
    } else {
        ExitCode::SUCCESS
    })
}

async fn stop_asked() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
