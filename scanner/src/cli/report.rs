//! `spillwatch report`: what does a run that is stored as JSON Lines look like in another format?

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::formats::FormatArgs;
use crate::report;
use crate::scan::Coverage;

#[derive(clap::Args)]
pub(super) struct ReportArgs {
    /// What `scan --format jsonl` wrote; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    formats: FormatArgs,
}

pub(super) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let shown = args.file.display();
    let from: Box<dyn BufRead> = if args.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(&args.file).with_context(|| format!("could not read `{shown}`"))?;
        Box::new(BufReader::new(file))
    };
    let mut reports = args.formats.open()?;
    let coverage = report::read(from, &mut |finding| reports.finding(finding))
        .with_context(|| format!("could not read `{shown}`"))?;
    let broken_off = coverage.is_none();
    let coverage = coverage.unwrap_or_else(|| {
        Coverage::broken_off("the report breaks off before its coverage: what else was seen is not known")
    });
    reports.end(&coverage)?;
    if broken_off {
        tracing::warn!("`{shown}` breaks off before its coverage: what else was seen is not known");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
