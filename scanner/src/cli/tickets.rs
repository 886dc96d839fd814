//! `spillwatch tickets`: how do findings become tickets without a scan?

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::sync::watch;

use super::scan::{beside_ledger, tokio_runtime};
use crate::config;
use crate::findings::{Finding, SCHEMA};
use crate::tickets::{Delivery, Desk, Filing, Printer};

/// A finding has at most a few kilobytes.
const LINE_BYTES_MAX: u64 = 4 << 20;

#[derive(clap::Args)]
pub(super) struct TicketsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// File the findings of a stored report, after what earlier runs could not deliver.
    Send(SendArgs),
}

#[derive(clap::Args)]
struct SendArgs {
    /// A report of `scan --format jsonl`; `-` reads from stdin. Without one, only what could not be delivered is sent.
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// Settings in TOML; they name the sinks.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: PathBuf,
    /// The ledger of the scans, beside which waits what could not be delivered.
    #[arg(long, value_name = "FILE|URL", env = "SPILLWATCH_STATE", hide_env_values = true)]
    state: Option<String>,
    /// Print the requests, and send none of them.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: TicketsArgs) -> anyhow::Result<ExitCode> {
    let Command::Send(args) = args.command;
    let config = config::read(&args.config)?;
    let mut settings = config.tickets;
    let ledger = args.state.or(config.ledger);
    settings.dead_letter = settings.dead_letter.or_else(|| beside_ledger(ledger.as_deref()));
    let runtime = tokio_runtime()?;
    let printer = args.dry_run.then(|| Arc::new(Mutex::new(io::stdout())) as Printer);
    let (_send, stop) = watch::channel(false);
    let Some(desk) = Desk::open(&settings, printer, stop)? else {
        bail!("no sink is configured in `{}`; add a section `[[tickets]]`", args.config.display());
    };
    let deliveries = runtime.block_on(async {
        let filing = desk.start();
        let read = args.findings.as_deref().map_or(Ok(()), |path| file(path, &filing));
        let deliveries = filing.end().await;
        read.map(|()| deliveries)
    })?;
    if !args.dry_run {
        deliveries.iter().try_for_each(told)?;
    }
    let is_lost = deliveries.iter().any(|delivery| delivery.lost > 0);
    Ok(if is_lost { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Hands every finding of a report to the desk. Lines of other schemas, such as the coverage, are none.
fn file(path: &Path, filing: &Filing) -> anyhow::Result<()> {
    let name = path.display();
    let input: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path).with_context(|| format!("could not read `{name}`"))?),
    };
    let mut reader = BufReader::new(input);
    for number in 1.. {
        let mut line = Vec::new();
        if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let value: Value =
            serde_json::from_slice(&line).with_context(|| format!("`{name}` line {number} is no JSON"))?;
        if value.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
            continue;
        }
        let finding: Finding =
            serde_json::from_value(value).with_context(|| format!("`{name}` line {number} is no finding"))?;
        // It becomes a part of searches and addresses.
        let is_uid = finding.uid.len() == 64 && finding.uid.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_uid {
            bail!("`{name}` line {number} has a `uid` that is none; it is 64 hexadecimal digits");
        }
        filing.take(&finding);
    }
    Ok(())
}

fn told(delivery: &Delivery) -> io::Result<()> {
    let mut out = anstream::stdout();
    serde_json::to_writer(&mut out, delivery)?;
    out.write_all(b"\n")
}
