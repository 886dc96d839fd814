//! What does the user want? Commands, flags and exit codes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod classify;
mod scan;

/// Finds what somebody outside can reach in cloud storage and says what is inside.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Scan estates, folders and clouds for exposed content.
    Scan(scan::ScanArgs),
    /// Say what is inside local files, one JSON line each.
    Classify(classify::ClassifyArgs),
}

/// How a run ended, as an exit code: 0 done, 1 could not run, 2 usage, 3 findings at or above `--fail-on`, 4 coverage
/// incomplete where full coverage was required.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        Command::Scan(args) => scan::run(args),
        Command::Classify(args) => classify::run(args),
    };
    ended.unwrap_or_else(|error| {
        // A closed pipe is a reader who has seen enough.
        let closed = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe;
        if error.downcast_ref().is_some_and(closed) {
            return ExitCode::SUCCESS;
        }
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("spillwatch: {error:#}\n"));
        ExitCode::FAILURE
    })
}
