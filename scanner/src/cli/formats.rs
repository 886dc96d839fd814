//! In which formats is a report written, and where to?

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::findings::Finding;
use crate::report::{Format, Product, Report};
use crate::scan::Coverage;

#[derive(clap::Args)]
pub(super) struct FormatArgs {
    /// How findings are written; by default `human` on a terminal and `jsonl` elsewhere.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Word>,
    /// Write the report to this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the report in this format to this file, too; may be given several times.
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<Also>,
    /// The account and region that `asff` findings are imported in, for example `111122223333/eu-west-1`.
    #[arg(long, value_name = "ACCOUNT/REGION", env = "SPILLWATCH_SECURITY_HUB")]
    security_hub: Option<Product>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Word {
    /// A table, most severe first.
    Human,
    /// JSON Lines, as `spillwatch schema` says.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
    /// One page for the incident room, below 2 MB.
    Html,
    /// OCSF 1.8: Data Security Finding and IAM Analysis Finding.
    Ocsf,
    /// OCSF 1.8: Detection Finding only.
    OcsfDetection,
    /// SARIF 2.1.0.
    Sarif,
    /// AWS Security Finding Format, JSON Lines.
    Asff,
}

#[derive(Debug, Clone)]
struct Also {
    format: Word,
    path: PathBuf,
}

impl FromStr for Also {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (format, path) =
            word.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or("write FORMAT=FILE")?;
        Ok(Self { format: Word::from_str(format, false)?, path: path.into() })
    }
}

/// All reports of one run, being written.
pub(super) struct Reports {
    all: Vec<Started>,
    /// Whether a person reads one of them on the terminal: it ends with what the log would say.
    pub is_table: bool,
}

struct Started {
    report: Report,
    /// None is standard output.
    to: Option<PathBuf>,
    written: io::Result<()>,
}

/// Whether a person is to read the output: what was asked for, else whether it goes to a terminal.
pub(super) fn is_human(format: Option<&str>) -> bool {
    format.map_or_else(|| io::stdout().is_terminal(), |format| format == "human")
}

impl FormatArgs {
    /// Starts the reports. What cannot be written is told before the work begins.
    pub(super) fn open(&self) -> anyhow::Result<Reports> {
        let terminal = self.output.is_none() && io::stdout().is_terminal();
        let word = self.format.unwrap_or(if terminal { Word::Human } else { Word::Jsonl });
        let mut all = vec![self.start(word, self.output.as_deref())?];
        for Also { format, path } in &self.reports {
            all.push(self.start(*format, Some(path))?);
        }
        Ok(Reports { all, is_table: word == Word::Human })
    }

    fn start(&self, word: Word, to: Option<&Path>) -> anyhow::Result<Started> {
        let format = self.meant(word)?;
        let out: Box<dyn Write> = match to {
            Some(path) => file(path)?,
            None => Box::new(anstream::stdout()),
        };
        Ok(Started { report: Report::new(format, out)?, to: to.map(Path::to_owned), written: Ok(()) })
    }

    fn meant(&self, word: Word) -> anyhow::Result<Format> {
        Ok(match word {
            Word::Human => Format::Human,
            Word::Jsonl => Format::Jsonl,
            Word::Csv => Format::Csv,
            Word::Html => Format::Html,
            Word::Ocsf => Format::Ocsf,
            Word::OcsfDetection => Format::OcsfDetection,
            Word::Sarif => Format::Sarif,
            Word::Asff => match &self.security_hub {
                Some(product) => Format::Asff(product.clone()),
                None => bail!(
                    "`asff` needs `--security-hub ACCOUNT/REGION`: the account and region that findings are imported in"
                ),
            },
        })
    }
}

fn file(path: &Path) -> anyhow::Result<Box<dyn Write>> {
    let file = File::create(path).with_context(|| format!("could not write `{}`", path.display()))?;
    Ok(Box::new(anstream::StripStream::new(file)))
}

impl Reports {
    /// Takes the next finding. A failure is told by [`Self::end`].
    pub(super) fn finding(&mut self, finding: &Finding) {
        for Started { report, written, .. } in &mut self.all {
            if written.is_ok() {
                *written = report.finding(finding);
            }
        }
    }

    /// Ends the reports. One that failed does not keep the others from being whole; the first failure is returned.
    pub(super) fn end(self, coverage: &Coverage) -> anyhow::Result<()> {
        let mut first = Ok(());
        for Started { report, to, written } in self.all {
            let ended = written.and_then(|()| report.end(coverage));
            let to = to.map_or("standard output".to_owned(), |path| format!("`{}`", path.display()));
            first = first.and(ended.with_context(|| format!("could not write {to}")));
        }
        first
    }
}
