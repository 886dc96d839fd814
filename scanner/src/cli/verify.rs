//! `spillwatch verify`: is what was restored what there was?

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::formats::is_human;
use super::known::KeyArgs;
use super::progress::Bar;
use super::scan::{stop_when_asked, tokio_runtime};
use super::targets::{CloudArgs, open_all};
use crate::config;
use crate::scan::Progress;
use crate::scan::verify::{State, Verification, verify};
use crate::store::index;

#[derive(clap::Args)]
pub(super) struct VerifyArgs {
    /// What was restored: as `scan` takes it. Current objects alone count.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// The index that `fingerprint add` made of what there was.
    #[arg(long, value_name = "INDEX")]
    baseline: PathBuf,
    /// `human` (default on a terminal: what is not intact, and counts) or `jsonl` (default elsewhere: every document).
    #[arg(long, value_name = "FORMAT", value_parser = ["human", "jsonl"])]
    format: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
    /// Settings in TOML; flags win over it.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    cloud: CloudArgs,
}

pub(super) fn run(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let mut config = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    args.cloud.apply(&mut config.aws, &mut config.gcp);
    let index = Arc::new(index::open(&args.baseline, &args.key.key(&config)?)?);
    config.scan.index = Some(Arc::clone(&index));
    let targets = open_all(&args.targets, &config)?;
    let human = is_human(args.format.as_deref());
    let (progress, mut out) = (Progress::default(), io::BufWriter::new(anstream::stdout()));
    let runtime = tokio_runtime()?;
    let stop = stop_when_asked(&runtime);
    let bar = Bar::start(&progress);
    let mut written = Ok(());
    let verification = runtime.block_on(async {
        verify(&targets, &config.scan, &progress, stop, &mut |verified| {
            if written.is_err() {
                return;
            }
            if !human {
                written = serde_json::to_writer(&mut out, verified).map_err(io::Error::from);
                written = std::mem::replace(&mut written, Ok(())).and_then(|()| out.write_all(b"\n"));
            } else if verified.state != State::Intact {
                let object = verified.object.as_deref().unwrap_or("-");
                let share =
                    verified.share.map_or_else(String::new, |share| format!(" ({:.1} %)", share * 100.0));
                let state = verified.state.as_str();
                written = writeln!(out, "{state:8}  {}  {object}{share}", verified.document);
            }
        })
        .await
    });
    bar.end();
    written?;
    if human {
        summary(&mut out, &verification)?;
    } else {
        serde_json::to_writer(&mut out, &verification)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    index.health()?;
    Ok(if verification.coverage.interrupted {
        ExitCode::from(1)
    } else if verification.is_intact() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}

fn summary(out: &mut impl Write, verification: &Verification) -> io::Result<()> {
    let counts = verification.documents.iter().rev();
    let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    let Verification { objects_read, coverage, .. } = verification;
    writeln!(out, "{}; {objects_read} of {} objects read", counts.join(", "), coverage.objects.listed)?;
    let unseen: Vec<String> =
        coverage.gaps_by_reason.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
    if !unseen.is_empty() {
        writeln!(out, "not seen: {}", unseen.join(", "))?;
    }
    Ok(())
}
