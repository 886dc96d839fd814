//! Who has to be told? Their names go into one file that only the recipient can open, and nowhere else.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use age::x25519::Recipient;
use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use spillwatch_classifiers::affected::Person;
use spillwatch_classifiers::{Classifier, Limits};
use zeroize::Zeroizing;

use super::super::targets::{CloudArgs, open};
use crate::config::Config;
use crate::estate::Gap;
use crate::findings::Record;
use crate::scan::{affected, random_key};
use crate::store::Store;

/// People of one finding; a list beyond is no list that somebody writes letters by.
const PEOPLE_MAX: usize = 5_000_000;

#[derive(clap::Args)]
pub(super) struct AffectedArgs {
    /// The findings, by the beginnings of their uids.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    uids: Vec<String>,
    /// Every finding of exposed content that is about people, also those that are resolved: closing a leak untells nobody.
    #[arg(long)]
    all: bool,
    /// Who can open the file: the public key of an age identity (`age1…`). May be given several times.
    #[arg(long, value_name = "AGE1…", required = true)]
    recipient: Vec<String>,
    /// The file to write; it must not exist.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    cloud: Box<CloudArgs>,
}

/// One line of the list: `spillwatch.affected/1`. Its fields are borrowed from what is overwritten when it is dropped.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    finding: &'a str,
    name: Option<&'a str>,
    email: Option<&'a str>,
    id: Option<&'a str>,
    exposed: Vec<&'static str>,
    objects: Vec<&'a str>,
}

/// The line after a finding's people: `spillwatch.affected_summary/1`.
#[derive(Serialize)]
struct Summary<'a> {
    schema: &'static str,
    finding: &'a str,
    bucket: &'a str,
    people: usize,
    objects: u64,
    not_seen: &'a [Gap],
}

/// Everybody of one finding, with the objects in which they stand.
#[derive(Default)]
struct List {
    people: BTreeMap<u64, (Person, Vec<usize>)>,
    keys: Vec<Zeroizing<String>>,
    overflowed: bool,
}

impl List {
    fn take(&mut self, key: &str, person: Person) {
        if self.keys.last().is_none_or(|last| last.as_str() != key) {
            self.keys.push(Zeroizing::new(key.to_owned()));
        }
        let object = self.keys.len() - 1;
        let full = self.people.len() == PEOPLE_MAX;
        match self.people.get_mut(&person.key()) {
            Some((known, objects)) => {
                known.merge(person);
                objects.push(object);
            }
            None if full => self.overflowed = true,
            None => {
                self.people.insert(person.key(), (person, vec![object]));
            }
        }
    }
}

pub(super) async fn run(
    store: &dyn Store,
    args: &AffectedArgs,
    mut config: Config,
) -> anyhow::Result<ExitCode> {
    args.cloud.apply(&mut config.aws, &mut config.gcp);
    let recipients = args
        .recipient
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|_| anyhow!("`{text}` is no age recipient; `age-keygen` prints one (`age1…`)"))
        })
        .collect::<anyhow::Result<Vec<Recipient>>>()?;
    let records = chosen(store, args).await?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.output);
    let file = made.with_context(|| format!("could not make `{}`", args.output.display()))?;
    let written = write(file, &recipients, &records, &config).await;
    if written.is_err() {
        // Half a list looks like a whole one.
        let _ = std::fs::remove_file(&args.output);
    }
    let (people, gaps) = written?;
    tell(&args.output, people, gaps)?;
    Ok(if gaps == 0 { ExitCode::SUCCESS } else { ExitCode::from(4) })
}

async fn chosen(store: &dyn Store, args: &AffectedArgs) -> anyhow::Result<Vec<Record>> {
    if args.all {
        return exposed_people(store).await;
    }
    let mut records = Vec::new();
    for uid in &args.uids {
        let record = super::named(store, uid).await?;
        if affected::category(&record).is_none() {
            bail!("the finding `{uid}` is about `{}`, not about people", record.finding.class);
        }
        records.push(record);
    }
    Ok(records)
}

async fn exposed_people(store: &dyn Store) -> anyhow::Result<Vec<Record>> {
    let (mut records, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.records(&after).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.finding.uid);
        records.extend(page.into_iter().filter(|record| {
            record.finding.rule == "exposed_content" && affected::category(record).is_some()
        }));
    }
    if records.is_empty() {
        bail!("the ledger holds no finding of exposed content that is about people");
    }
    Ok(records)
}

/// Writes the list; says how many people it names, and how much could not be seen.
async fn write(
    file: File,
    recipients: &[Recipient],
    records: &[Record],
    config: &Config,
) -> anyhow::Result<(usize, usize)> {
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let mut out = age::Encryptor::with_recipients(recipients)?.wrap_output(file)?;
    let classifier = Classifier::new(Limits::default(), random_key());
    let (mut people, mut not_seen) = (0, 0);
    for record in records {
        let target = open(&record.target, &config.aws, &config.gcp)?;
        let mut list = List::default();
        let take = &mut |key: &str, person| list.take(key, person);
        let mut looked = affected::look_again(&target, record, &classifier, &config.scan, take).await;
        if list.overflowed {
            bail!("the finding `{}` names more than {PEOPLE_MAX} people", record.finding.uid);
        }
        for (person, objects) in list.people.values() {
            line(
                &mut out,
                &Line {
                    schema: "spillwatch.affected/1",
                    finding: &record.finding.uid,
                    name: person.name(),
                    email: person.email(),
                    id: person.id(),
                    exposed: person.exposed().collect(),
                    objects: objects
                        .iter()
                        .filter_map(|at| list.keys.get(*at))
                        .map(|key| key.as_str())
                        .collect(),
                },
            )?;
        }
        looked.gaps.sort();
        looked.gaps.dedup();
        line(
            &mut out,
            &Summary {
                schema: "spillwatch.affected_summary/1",
                finding: &record.finding.uid,
                bucket: &record.finding.bucket,
                people: list.people.len(),
                objects: looked.objects,
                not_seen: &looked.gaps,
            },
        )?;
        people += list.people.len();
        not_seen += looked.gaps.len();
    }
    out.finish()?.sync_all()?;
    Ok((people, not_seen))
}

/// One JSON line; what it was made of is overwritten.
fn line(out: &mut impl Write, line: &impl Serialize) -> anyhow::Result<()> {
    let mut bytes = Zeroizing::new(Vec::new());
    serde_json::to_writer(&mut *bytes, line)?;
    bytes.push(b'\n');
    out.write_all(&bytes)?;
    Ok(())
}

fn tell(path: &Path, people: usize, gaps: usize) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{people} people in `{}`", path.display())?;
    if gaps > 0 {
        writeln!(out, "not everything could be seen ({gaps} gaps, named in the file): there may be more")?;
    }
    Ok(())
}
