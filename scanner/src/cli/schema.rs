//! `spillwatch schema`: what may stand in an output, as JSON Schema?

use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(super) struct SchemaArgs {
    /// `finding` and `coverage` are the lines of `scan --format jsonl`, `difference` those of `findings diff`, `copy` and `sweep`
    /// those of `sweep`, `verified` and `verification` those of `verify`.
    #[arg(value_name = "OUTPUT")]
    output: Output,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Output {
    Finding,
    Coverage,
    Difference,
    Copy,
    Sweep,
    Verified,
    Verification,
}

pub(super) fn run(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    let schema = match args.output {
        Output::Finding => include_str!("../../schemas/finding-1.json"),
        Output::Coverage => include_str!("../../schemas/coverage-1.json"),
        Output::Difference => include_str!("../../schemas/difference-1.json"),
        Output::Copy => include_str!("../../schemas/copy-1.json"),
        Output::Sweep => include_str!("../../schemas/sweep-1.json"),
        Output::Verified => include_str!("../../schemas/verified-1.json"),
        Output::Verification => include_str!("../../schemas/verification-1.json"),
    };
    anstream::stdout().write_all(schema.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
