//! What does the user want? Commands, flags and exit codes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod classify;
mod explain;
mod findings;
mod fingerprint;
mod formats;
mod known;
mod lock;
mod log;
mod progress;
mod report;
mod scan;
mod schema;
mod sweep;
mod targets;
mod tickets;
mod verify;
mod watch;

/// Finds what somebody outside can reach in cloud storage and says what is inside.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines are written to stderr.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
    /// Log every bucket; twice: every gap too.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    /// Scan estates, folders and clouds for exposed content.
    Scan(Box<scan::ScanArgs>),
    /// Say who can reach a bucket, why, and what would close it.
    Explain(Box<explain::ExplainArgs>),
    /// Make documents known, so that their copies are found: an index of keyed hashes.
    Fingerprint(fingerprint::FingerprintArgs),
    /// Find every copy of known documents, whole or in part.
    Sweep(Box<sweep::SweepArgs>),
    /// Say which known documents are intact, modified or missing in what was restored.
    Verify(Box<verify::VerifyArgs>),
    /// Look into the ledger: what is open, what changed, what may be put aside, whom it is about.
    Findings(findings::FindingsArgs),
    /// Write a stored report (JSON Lines) in other formats.
    Report(report::ReportArgs),
    /// File findings as tickets without a scan.
    Tickets(tickets::TicketsArgs),
    /// Print the JSON Schema of an output.
    Schema(schema::SchemaArgs),
    /// Close what is open: plan, apply, undo.
    Lock(Box<lock::LockArgs>),
    /// Say what is inside local files, one JSON line each.
    Classify(classify::ClassifyArgs),
}

/// How a run ended, as an exit code: 0 done, 1 could not run or was interrupted, 2 usage, 3 findings at or above
/// `--fail-on`, 4 coverage incomplete where full coverage was required.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.log_format == "json";
    log::start(json, cli.verbose);
    let ended = match cli.command {
        Command::Scan(args) => scan::run(*args),
        Command::Explain(args) => explain::run(*args),
        Command::Fingerprint(args) => fingerprint::run(args),
        Command::Sweep(args) => sweep::run(*args),
        Command::Verify(args) => verify::run(*args),
        Command::Findings(args) => findings::run(args),
        Command::Report(args) => report::run(&args),
        Command::Tickets(args) => tickets::run(args),
        Command::Schema(args) => schema::run(&args),
        Command::Lock(args) => lock::run(*args),
        Command::Classify(args) => classify::run(args),
    };
    ended.unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        log::failure(json, &error);
        ExitCode::FAILURE
    })
}

/// Whether the reader of our output has seen enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let written = cause.downcast_ref().map(std::io::Error::kind);
        let serialised = cause.downcast_ref().and_then(serde_json::Error::io_error_kind);
        written == Some(BrokenPipe) || serialised == Some(BrokenPipe)
    })
}
