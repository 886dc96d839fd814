//! `spillwatch explain`: who can reach a bucket, why, and what would close it?

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::formats::is_human;
use super::targets::{CloudArgs, open};
use crate::cloud::Cloud;
use crate::cloud::aws::{AwsCloud, AwsSettings, OneBucket};
use crate::cloud::gcp::{self, GcpCloud, GcpSettings};
use crate::estate::history::history;
use crate::estate::{Account, Bucket, Facts, Provider};
use crate::exposure::ObjectAcls;
use crate::exposure::policy::is_account;
use crate::exposure::{self, BucketExposure, Certainty, ZoneOfTrust, quoted};
use crate::lockdown::{self, Opened, Scope};

mod objects;
pub(super) mod probe;
pub(super) mod text;

use probe::Probed;

/// Larger files are no bucket's facts.
const FACTS_BYTES_MAX: u64 = 64 << 20;

/// The account that is assumed where no file says whose the bucket is.
const NO_ACCOUNT: &str = "unknown";

#[derive(clap::Args)]
pub(super) struct ExplainArgs {
    /// A file of facts as an estate keeps them, `s3://BUCKET` or `gs://BUCKET`.
    #[arg(value_name = "FACTS.json|s3://BUCKET|gs://BUCKET")]
    subject: String,
    /// Who belongs to us: a TOML file with the fields of `[zone_of_trust]`, or an `estate.toml`. Without it, the
    /// `estate.toml` above the facts.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// `human` (default on a terminal) or `json` (default elsewhere).
    #[arg(long, value_name = "FORMAT", value_parser = ["human", "json"])]
    format: Option<String>,
    /// The bucket's name, where the facts do not tell it.
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// The id of the account that holds the bucket, where the folder does not tell it.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Prove it: send unsigned requests and compare the answers with the verdict.
    #[arg(long)]
    probe: bool,
    /// With `--probe`: ask for this object; without it, for one that can be listed.
    #[arg(long, value_name = "KEY", requires = "probe")]
    probe_key: Option<String>,
    /// Say who opened it, by the provider's records of the last 90 days; of a file of facts by the `history.json` beside it.
    #[arg(long)]
    opened_by: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// What is known of one bucket.
struct Subject {
    bucket: Bucket,
    facts: Facts,
    account_facts: Facts,
    zone: ZoneOfTrust,
    /// Whether the ACLs of its objects were looked at, or can grant nothing.
    objects_seen: bool,
    /// Who changed it, where that was asked.
    records: Facts,
}

impl Subject {
    fn judge(&self) -> BucketExposure {
        exposure::judge(&self.bucket, &self.facts, &self.account_facts, &self.zone)
    }

    /// Who opened it.
    fn opened(&self) -> Opened {
        let Self { bucket, facts, account_facts, zone, records, .. } = self;
        let subject = lockdown::Subject {
            bucket: bucket.clone(),
            facts: facts.clone(),
            account_facts: account_facts.clone(),
            zone: zone.clone(),
            objects: Vec::new(),
            all_objects: true,
        };
        lockdown::opened_by(&subject, &Scope::public().with_external(), history(bucket, records))
    }

    /// What decides about the ACLs of its objects, if they can grant anything.
    fn object_acls(&self) -> Option<ObjectAcls> {
        let zone = Arc::new(self.zone.clone());
        ObjectAcls::of(&self.bucket, &self.facts, &self.account_facts, &zone)
    }
}

pub(super) fn run(args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut aws, mut gcp) = (AwsSettings::default(), GcpSettings::default());
    args.cloud.apply(&mut aws, &mut gcp);
    let (subject, verdict) = if args.subject.starts_with("s3://") || args.subject.starts_with("gs://") {
        runtime.block_on(from_cloud(&args, &aws, &gcp))?
    } else {
        from_file(&args)?
    };
    let probed = if args.probe {
        let cloud = from_outside(&subject.bucket, aws, gcp)?;
        runtime.block_on(probe::probe(cloud.as_ref(), &subject.bucket, &verdict, args.probe_key.as_deref()))
    } else {
        Vec::new()
    };
    let human = is_human(args.format.as_deref());
    let mut out = anstream::stdout();
    let opened = (args.opened_by && is_open(&verdict)).then(|| subject.opened());
    if human {
        text::write(&mut out, &subject.bucket, &verdict, &probed)?;
        if let Some(opened) = &opened {
            writeln!(out)?;
            let estate = find_estate(Path::new(&args.subject));
            let estate = estate.as_deref().and_then(Path::parent);
            let place = estate.map(|folder| format!(" --in {}", quoted(&folder.display().to_string())));
            text::opened(&mut out, opened, &place.unwrap_or_default())?;
        }
        if !subject.objects_seen {
            writeln!(out, "\nObjects have ACLs of their own here, which this file does not tell.")?;
        }
    } else {
        writeln!(out, "{}", as_json(&verdict, args.probe.then_some(&probed), opened.as_ref())?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether somebody opened it for certain.
fn is_open(verdict: &BucketExposure) -> bool {
    verdict.exposures.iter().any(|way| way.certainty == Certainty::Proven)
}

/// The door to the bucket for whoever has no credentials.
fn from_outside(bucket: &Bucket, aws: AwsSettings, gcp: GcpSettings) -> anyhow::Result<Box<dyn Cloud>> {
    let (name, prefix) = (bucket.name.clone(), String::new());
    Ok(match bucket.account.provider {
        Provider::Aws => Box::new(AwsCloud::connect(AwsSettings {
            sign_requests: false,
            only: Some(OneBucket { name, prefix }),
            ..aws
        })),
        Provider::Gcp => Box::new(GcpCloud::connect(GcpSettings {
            sign_requests: false,
            only: Some(gcp::OneBucket { name, prefix }),
            ..gcp
        })),
        Provider::Local => bail!("`--probe` asks a cloud; `{name}` is a folder"),
    })
}

fn as_json(
    verdict: &BucketExposure,
    probed: Option<&Vec<Probed>>,
    opened: Option<&Opened>,
) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(verdict)?;
    if let (Some(opened), Some(map)) = (opened, value.as_object_mut()) {
        map.insert("opened".to_owned(), json!(opened));
    }
    if let (Some(probed), Some(map)) = (probed, value.as_object_mut()) {
        map.insert("probe".to_owned(), json!(probed));
        let wrong: Vec<Value> =
            probed.iter().filter_map(|probed| probed.gap.as_ref()).map(|gap| json!(gap)).collect();
        if let Some(Value::Array(gaps)) = map.get_mut("gaps") {
            gaps.extend(wrong);
        }
    }
    serde_json::to_string(&value)
}

/// Reads the facts of a file, of the account's file above it, and the zone of trust of the estate above that.
fn from_file(args: &ExplainArgs) -> anyhow::Result<(Subject, BucketExposure)> {
    let path = Path::new(&args.subject);
    let facts: Facts = read_json(path)?;
    let folder = fs::canonicalize(path).ok().and_then(|path| path.parent().map(Path::to_path_buf));
    let folder = folder.unwrap_or_default();
    let above = folder.parent().unwrap_or(&folder);
    let name_of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let in_estate = above.join("account.json").is_file() || find_estate(&folder).is_some();
    let account_facts = match above.join("account.json") {
        file if file.is_file() => read_json(&file)?,
        _ => Facts::default(),
    };
    let folder_name = name_of(&folder).filter(|_| in_estate);
    let named = args.bucket.clone().or(folder_name).or_else(|| named_in_policy(&facts)).or_else(|| {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.filter(|stem| stem != "facts").or_else(|| name_of(&folder))
    });
    let Some(name) = named else {
        bail!("`{}` does not tell which bucket it is about; name it by `--bucket`", args.subject)
    };
    let account = args.account.clone().or_else(|| name_of(above).filter(|name| is_account(name)));
    let is_gcp = facts.iter().any(|(operation, _)| operation.starts_with("storage:"));
    let provider = if is_gcp { Provider::Gcp } else { Provider::Aws };
    let account =
        account.or_else(|| name_of(above).filter(|_| is_gcp)).unwrap_or_else(|| NO_ACCOUNT.to_owned());
    let zone = match args.trust.clone().or_else(|| find_estate(&folder)) {
        Some(file) => read_zone(&file)?,
        None => ZoneOfTrust::default(),
    };
    let bucket = Bucket { account: Account { provider, id: account }, name, region: None };
    let records = match path.with_file_name("history.json") {
        file if args.opened_by && file.is_file() => read_json(&file)?,
        _ => Facts::default(),
    };
    let mut subject = Subject { bucket, facts, account_facts, zone, objects_seen: true, records };
    let mut verdict = subject.judge();
    if let Some(acls) = subject.object_acls() {
        subject.objects_seen = objects::beside(path, &acls, &mut verdict);
    }
    Ok((subject, verdict))
}

/// The one bucket that the policy's statements are about.
fn named_in_policy(facts: &Facts) -> Option<String> {
    let policy = facts.answer("s3:GetBucketPolicy")?.get("Policy")?;
    let text = policy.as_str().map_or_else(|| policy.to_string(), str::to_owned);
    let name = |part: &str| {
        let end =
            part.find(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c))).unwrap_or(part.len());
        part.get(..end).filter(|name| name.len() >= 3).map(str::to_owned)
    };
    let mut names: Vec<String> = text.split(":s3:::").skip(1).filter_map(name).collect();
    names.dedup();
    match names.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// The nearest `estate.toml` above.
fn find_estate(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join("estate.toml")).find(|file| file.is_file())
}

fn read_json(path: &Path) -> anyhow::Result<Facts> {
    let name = path.display();
    let size = fs::metadata(path).with_context(|| format!("could not read `{name}`"))?.len();
    if size > FACTS_BYTES_MAX {
        bail!("`{name}` has {size} bytes; no bucket's facts are that long");
    }
    let text = fs::read_to_string(path).with_context(|| format!("could not read `{name}`"))?;
    serde_json::from_str(&text)
        .with_context(|| format!("`{name}` holds no facts; it is a JSON object by operation"))
}

fn read_zone(path: &Path) -> anyhow::Result<ZoneOfTrust> {
    #[derive(Deserialize)]
    struct Estate {
        zone_of_trust: Option<ZoneOfTrust>,
    }
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("could not read `{name}`"))?;
    let estate: Estate = toml::from_str(&text).with_context(|| format!("`{name}` is no TOML"))?;
    match estate.zone_of_trust {
        Some(zone) => Ok(zone),
        None if path.file_name().is_some_and(|file| file == "estate.toml") => Ok(ZoneOfTrust::default()),
        None => toml::from_str(&text).with_context(|| format!("`{name}` holds no zone of trust")),
    }
}

/// Reads the facts from the bucket's cloud.
async fn from_cloud(
    args: &ExplainArgs,
    aws: &AwsSettings,
    gcp: &GcpSettings,
) -> anyhow::Result<(Subject, BucketExposure)> {
    let target = open(&args.subject, aws, gcp)?;
    let cloud: &dyn Cloud = target.cloud.as_ref();
    let mut zone = match &args.trust {
        Some(file) => read_zone(file)?,
        None => cloud.zone_of_trust().await,
    };
    for account in cloud.accounts().await? {
        let mut buckets = cloud.buckets(&account);
        if let Some(bucket) = buckets.next().await {
            let bucket = bucket?;
            zone.accounts.insert(account.id.clone());
            let (facts, account_facts) =
                futures::join!(cloud.access_facts(&bucket), cloud.account_facts(&account));
            let records = Facts::default();
            let mut subject = Subject { bucket, facts, account_facts, zone, objects_seen: true, records };
            let mut verdict = subject.judge();
            if let Some(acls) = subject.object_acls() {
                objects::asked(cloud, &subject.bucket, &acls, &mut verdict).await;
            }
            if args.opened_by && is_open(&verdict) {
                subject.records = cloud.history(&subject.bucket, &subject.facts).await;
            }
            return Ok((subject, verdict));
        }
    }
    bail!("`{}` was not found; check its name and the credentials", args.subject)
}
