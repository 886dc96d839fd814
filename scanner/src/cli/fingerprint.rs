//! `spillwatch fingerprint`: which documents must not get out?

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use spillwatch_classifiers::copies::{Index, IndexBuilder, IndexKey};

use super::known::KeyArgs;
use super::progress::Bar;
use super::scan::tokio_runtime;
use super::targets::{CloudArgs, open};
use crate::cloud::local::LocalCloud;
use crate::config::{self, Config};
use crate::estate::Gap;
use crate::scan::fingerprint::{Fingerprint, fingerprint};
use crate::scan::{Progress, Target};
use crate::store::index;

#[derive(clap::Args)]
pub(super) struct FingerprintArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a key in a new file. Keep it apart from the index: with both, whoever has them can look documents up.
    Key {
        /// The file to make.
        file: PathBuf,
    },
    /// Read documents and add what they are known by to an index, made where there is none.
    Add(Box<AddArgs>),
    /// Print the documents of an index, one JSON line each.
    List {
        /// The index.
        #[arg(long, value_name = "FILE", env = "SPILLWATCH_INDEX")]
        index: PathBuf,
        #[command(flatten)]
        key: KeyArgs,
    },
}

#[derive(clap::Args)]
struct AddArgs {
    /// Files, folders, `s3://BUCKET[/PREFIX]`, `gs://BUCKET[/PREFIX]`: their objects are the documents, known by their keys.
    #[arg(required = true, value_name = "PATH|TARGET")]
    documents: Vec<String>,
    /// The index.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_INDEX")]
    index: PathBuf,
    /// What many documents share (templates, signatures, disclaimers): nothing is known by it.
    #[arg(long, value_name = "PATH|TARGET")]
    boilerplate: Vec<String>,
    #[command(flatten)]
    key: KeyArgs,
    /// Settings in TOML; flags win over it.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// One line of `fingerprint list`: `spillwatch.known/1`.
#[derive(serde::Serialize)]
struct Line {
    schema: &'static str,
    document: String,
    size_bytes: u64,
    words: u32,
    rows: u32,
    pieces: u32,
}

pub(super) fn run(args: FingerprintArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Key { file } => index::make_key(&file)?,
        Command::Add(args) => return add(*args),
        Command::List { index: path, key } => list(&path, &key)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(args: AddArgs) -> anyhow::Result<ExitCode> {
    let mut config = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    args.cloud.apply(&mut config.aws, &mut config.gcp);
    let key = args.key.key(&config)?;
    let mut builder = match args.index.exists() {
        true => all_of(&index::open(&args.index, &key)?)?,
        false => IndexBuilder::new(key.clone()),
    };
    let mut gaps = Vec::new();
    for word in &args.boilerplate {
        gaps.extend(read(word, &config, &key, &mut |read| {
            builder.add_boilerplate(&read.collected);
            Ok(())
        })?);
    }
    let (mut added, mut opaque) = (0_u64, 0_u64);
    for word in &args.documents {
        gaps.extend(read(word, &config, &key, &mut |read| {
            let new = builder.add(&read.name, read.size_bytes, read.digests, &read.collected)?;
            added += u64::from(new);
            opaque += u64::from(new && read.collected.is_empty());
            Ok(())
        })?);
    }
    for gap in &gaps {
        tracing::warn!(resource = ?gap.resource, "{}", gap.detail);
    }
    let documents = builder.len();
    index::write(&args.index, builder)?;
    let mut out = anstream::stdout();
    writeln!(out, "{added} documents added, {documents} known")?;
    if opaque > 0 {
        writeln!(out, "{opaque} of them by their digests alone: too little text, and no rows")?;
    }
    if !gaps.is_empty() {
        writeln!(out, "{} gaps: what could not be read is not known by its content", gaps.len())?;
        return Ok(ExitCode::from(4));
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that an index holds. What cannot be read of it would be missing from the index that takes its place.
fn all_of(index: &Index) -> anyhow::Result<IndexBuilder> {
    let builder = IndexBuilder::from_index(index);
    index.health()?;
    Ok(builder)
}

/// Reads the documents that a word names.
pub(super) fn read(
    word: &str,
    config: &Config,
    key: &IndexKey,
    take: &mut dyn FnMut(Fingerprint) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Gap>> {
    let progress = Progress::default();
    let target = documents(word, config)?;
    let bar = Bar::start(&progress);
    let (mut found, mut taken) = (false, Ok(()));
    let gaps = tokio_runtime()?.block_on(fingerprint(&target, &config.scan, key, &progress, &mut |read| {
        found = true;
        if taken.is_ok() {
            taken = take(read);
        }
    }));
    bar.end();
    taken?;
    if !found && gaps.is_empty() {
        bail!("`{word}` holds no document");
    }
    Ok(gaps)
}

/// The target that a word names; of a single file, the file alone.
fn documents(word: &str, config: &Config) -> anyhow::Result<Target> {
    if !Path::new(word).is_file() {
        return open(word, &config.aws, &config.gcp);
    }
    let cloud = Arc::new(LocalCloud::open_file(Path::new(word))?);
    Ok(Target { word: word.to_owned(), cloud, prefix: String::new() })
}

fn list(path: &Path, key: &KeyArgs) -> anyhow::Result<()> {
    let index = index::open(path, &key.key(&Config::default())?)?;
    let mut out = std::io::BufWriter::new(anstream::stdout());
    for document in index.documents() {
        let line = Line {
            schema: "spillwatch.known/1",
            document: spillwatch_classifiers::screen(&document.name).to_string(),
            size_bytes: document.size_bytes,
            words: document.words,
            rows: document.rows,
            pieces: document.pieces,
        };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    index.health()?;
    Ok(())
}
