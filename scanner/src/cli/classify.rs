//! `spillwatch classify`: what is inside local files?

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use spillwatch_classifiers::{Classifier, Hints, Limits};
use walkdir::WalkDir;

#[derive(clap::Args)]
pub(super) struct ClassifyArgs {
    /// Files, or folders whose files are classified.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

#[derive(serde::Serialize)]
struct Line<'a> {
    path: String,
    #[serde(flatten)]
    classification: &'a spillwatch_classifiers::Classification,
}

pub(super) fn run(args: ClassifyArgs) -> anyhow::Result<ExitCode> {
    let classifier = Classifier::new(Limits::default(), [0; 32]);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for path in &args.paths {
        if !path.exists() {
            bail!("`{}` does not exist", path.display());
        }
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() {
                let classification = classify(&classifier, entry.path())
                    .with_context(|| format!("could not read `{}`", entry.path().display()))?;
                let line = Line { path: entry.path().display().to_string(), classification: &classification };
                serde_json::to_writer(&mut out, &line)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn classify(classifier: &Classifier, path: &Path) -> std::io::Result<spillwatch_classifiers::Classification> {
    let mut file = std::fs::File::open(path)?;
    let name = path.to_string_lossy();
    let size_bytes = Some(file.metadata()?.len());
    let mut session = classifier.begin(Hints { name: &name, size_bytes, ..Hints::default() });
    let mut chunk = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut chunk)?;
        match chunk.get(..count) {
            None | Some([]) => break,
            Some(bytes) => session.push(bytes),
        };
    }
    Ok(session.finish())
}
