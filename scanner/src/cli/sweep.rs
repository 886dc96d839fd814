//! `spillwatch sweep`: where else is it?

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use spillwatch_classifiers::copies::{Index, IndexBuilder, IndexKey};

use super::formats::is_human;
use super::known::KnownArgs;
use super::progress::Bar;
use super::scan::{stop_when_asked, tokio_runtime};
use super::targets::{CloudArgs, open_all};
use crate::config::{self, Config};
use crate::estate::State;
use crate::scan::sweep::{Depth, FoundCopy, Swept, sweep};
use crate::scan::{Progress, random_key};

#[derive(clap::Args)]
pub(super) struct SweepArgs {
    /// Where to look: as `scan` takes it.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// A document (file, folder, `s3://…`, `gs://…`) of which copies are sought; may be given several times.
    #[arg(long, value_name = "PATH|TARGET")]
    like: Vec<String>,
    /// Exact copies only: objects are compared by their listings, and read only where these leave it open.
    #[arg(long)]
    exact: bool,
    /// Current objects only: by default older versions, and on Google Cloud what is soft-deleted, are looked through as well,
    /// which takes listings of their own.
    #[arg(long)]
    current: bool,
    /// `human` (a table; default on a terminal) or `jsonl` (default elsewhere).
    #[arg(long, value_name = "FORMAT", value_parser = ["human", "jsonl"])]
    format: Option<String>,
    #[command(flatten)]
    known: KnownArgs,
    /// Settings in TOML; flags win over it.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    cloud: CloudArgs,
}

pub(super) fn run(args: SweepArgs) -> anyhow::Result<ExitCode> {
    let mut config = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    args.cloud.apply(&mut config.aws, &mut config.gcp);
    let (index, sought_whole) = match (args.like.as_slice(), args.known.index(&config)?) {
        ([], Some(index)) => (index, true),
        ([], None) => bail!("say what is sought: `--like PATH`, or `--index FILE` with its `--index-key`"),
        (like, _) => {
            let (index, whole) = like_these(like, &config)?;
            (Arc::new(index), whole)
        }
    };
    config.scan.index = Some(Arc::clone(&index));
    let targets = open_all(&args.targets, &config)?;
    let human = is_human(args.format.as_deref());
    let depth = Depth { contents: !args.exact, versions: !args.current };
    let (progress, mut out) = (Progress::default(), io::BufWriter::new(anstream::stdout()));
    let runtime = tokio_runtime()?;
    let stop = stop_when_asked(&runtime);
    let bar = Bar::start(&progress);
    let (mut rows, mut written) = (Vec::new(), Ok(()));
    let swept = runtime.block_on(async {
        sweep(&targets, &config.scan, depth, &progress, stop, &mut |copy| {
            if human {
                rows.push(row(copy));
            } else if written.is_ok() {
                written = line(&mut out, copy);
            }
        })
        .await
    });
    bar.end();
    written?;
    if human {
        table(&mut out, rows, &swept)?;
    } else {
        line(&mut out, &swept)?;
    }
    out.flush()?;
    index.health()?;
    if let Some(gap) = swept.coverage.gaps.first()
        && swept.coverage.buckets == 0
    {
        bail!("{}", gap.detail());
    }
    Ok(match (swept.coverage.interrupted, swept.coverage.complete && sought_whole) {
        (true, _) => ExitCode::from(1),
        // Copies may stand where nobody looked, or be of what could not be read: an incident must not take that for an answer.
        (false, false) => ExitCode::from(4),
        (false, true) => ExitCode::SUCCESS,
    })
}

/// An index of these documents alone, with a key that nobody keeps; whether all of them could be read.
fn like_these(words: &[String], config: &Config) -> anyhow::Result<(Index, bool)> {
    let mut whole = true;
    let key = IndexKey::new(&random_key());
    let mut builder = IndexBuilder::new(key.clone());
    for word in words {
        let gaps = super::fingerprint::read(word, config, &key, &mut |read| {
            builder.add(&read.name, read.size_bytes, read.digests, &read.collected)?;
            Ok(())
        })?;
        whole &= gaps.is_empty();
        for gap in gaps {
            tracing::warn!(resource = ?gap.resource, "{}", gap.detail);
        }
    }
    let mut file = Vec::new();
    builder.write([0; 16], &mut file)?;
    Ok((Index::open(Box::new(file), key)?, whole))
}

fn line(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn row(copy: &FoundCopy) -> [String; 4] {
    let share = if copy.exact { "exact".to_owned() } else { format!("{:.1} %", copy.share * 100.0) };
    let mut place = format!("{}/{}", copy.bucket, copy.key);
    if let Some(version) = &copy.version_id {
        let state = if copy.state == State::SoftDeleted { "soft-deleted" } else { "older version" };
        place.push_str(&format!(" ({state} {version})"));
    }
    if !copy.at.is_empty() {
        place.push_str(" › ");
        place.push_str(&copy.at);
    }
    [share, copy.how.to_owned(), copy.document.clone(), place]
}

fn table(out: &mut impl Write, mut rows: Vec<[String; 4]>, swept: &Swept) -> io::Result<()> {
    rows.sort_by(|a, b| a[2..].cmp(&b[2..]));
    let head = ["SHARE", "BY", "DOCUMENT", "WHERE"].map(str::to_owned);
    let mut widths = [0; 4];
    for row in std::iter::once(&head).chain(&rows) {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
    }
    if !rows.is_empty() {
        rows.insert(0, head);
    }
    for [share, how, document, place] in &rows {
        let [first, second, third, _] = widths;
        writeln!(out, "{share:>first$}  {how:second$}  {document:third$}  {place}")?;
    }
    let Swept { documents, copies, objects_with_copies, coverage, .. } = swept;
    let versions = match coverage.versions.listed {
        0 => String::new(),
        1 => " and 1 older version".to_owned(),
        versions => format!(" and {versions} older versions"),
    };
    writeln!(
        out,
        "{copies} copies of {documents} known documents, in {objects_with_copies} of {} objects{versions}",
        coverage.objects.listed
    )?;
    writeln!(
        out,
        "{} objects read; {} are no exact copy by their size, {} by a digest, {} are one by their listing alone",
        swept.objects_read, swept.ruled_out_by_size, swept.ruled_out_by_digest, swept.told_by_listing
    )?;
    let unseen: Vec<String> =
        coverage.gaps_by_reason.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
    if !unseen.is_empty() {
        writeln!(out, "not seen: {}", unseen.join(", "))?;
    }
    Ok(())
}
