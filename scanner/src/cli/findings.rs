//! `spillwatch findings`: what does the ledger know?

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::scan::tokio_runtime;
use crate::config;
use crate::findings::{Record, Suppression, Transition, holds};
use crate::store::{self, Store};

mod affected;
mod diff;
mod list;
mod show;
mod suppress;

/// Fewer characters of a uid name too many findings.
const UID_CHARS_MIN: usize = 4;

#[derive(clap::Args)]
pub(super) struct FindingsArgs {
    #[command(subcommand)]
    command: Command,
    /// The ledger: a file, or `postgres://…`.
    #[arg(long, global = true, value_name = "FILE|URL", env = "SPILLWATCH_STATE", hide_env_values = true)]
    state: Option<String>,
    /// Settings in TOML; flags win over it.
    #[arg(long, global = true, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// The findings that are not resolved, worst first.
    List(list::ListArgs),
    /// Everything about one finding.
    Show(show::ShowArgs),
    /// Put a finding aside until a date.
    Suppress(suppress::SuppressArgs),
    /// End a suppression before its date.
    Unsuppress(suppress::UnsuppressArgs),
    /// The runs that are remembered, newest first.
    Runs,
    /// What differs between two runs.
    Diff(diff::DiffArgs),
    /// Read the objects of findings again, and write who stands in them, sealed for those who will tell them.
    Affected(affected::AffectedArgs),
}

pub(super) fn run(args: FindingsArgs) -> anyhow::Result<ExitCode> {
    let config = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    let Some(word) = args.state.or_else(|| config.ledger.clone()) else {
        bail!("no ledger is named; pass `--state FILE|URL`, or set `ledger` in the section `[state]`");
    };
    tokio_runtime()?.block_on(async {
        let is_url = word.contains("://");
        if !is_url && !std::path::Path::new(&word).exists() {
            bail!("there is no ledger `{word}`; `spillwatch scan --state` makes one");
        }
        let store = store::open(&word).await?;
        let store = store.as_ref();
        match args.command {
            Command::List(args) => list::run(store, &args).await,
            Command::Show(args) => show::run(store, &args).await,
            Command::Suppress(args) => suppress::run(store, args).await,
            Command::Unsuppress(args) => suppress::end(store, &args).await,
            Command::Runs => diff::runs(store).await,
            Command::Diff(args) => diff::run(store, &args).await,
            Command::Affected(args) => return affected::run(store, &args, config).await,
        }?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The one finding whose uid begins so.
async fn named(store: &dyn Store, prefix: &str) -> anyhow::Result<Record> {
    let hex = prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if prefix.len() < UID_CHARS_MIN || !hex {
        bail!(
            "`{prefix}` is no uid; give at least its first {UID_CHARS_MIN} characters, as `findings list` shows them"
        );
    }
    let mut found = store.find(prefix).await?;
    match (found.pop(), found.is_empty()) {
        (Some(record), true) => Ok(record),
        (None, _) => bail!("the ledger knows no finding `{prefix}`; `findings list --status all` shows all"),
        (Some(_), false) => bail!("more than one finding begins with `{prefix}`; give more of its uid"),
    }
}

/// What a finding's state is at this moment: suppressions begin and end between runs.
fn as_of(mut record: Record, suppressions: &[Suppression], now: &str) -> Record {
    let held = suppressions.iter().find(|held| held.uid == record.finding.uid && holds(held, now));
    let finding = &mut record.finding;
    match (held, finding.status) {
        (_, Transition::Resolved) => {}
        (Some(held), _) => {
            finding.status = Transition::Suppressed;
            finding.suppression = Some(held.clone());
        }
        (None, Transition::Suppressed) => {
            finding.status = Transition::Reopened;
            finding.suppression = None;
        }
        (None, _) => {}
    }
    record
}

fn now() -> anyhow::Result<String> {
    OffsetDateTime::now_utc().format(&Rfc3339).context("the clock cannot be read")
}

/// Names and reasons are written by others: control characters would drive the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}
