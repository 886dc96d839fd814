//! `spillwatch lock`: how is what is open closed, and opened again?

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use time::OffsetDateTime;

use super::formats::is_human;
use super::targets::CloudArgs;
use crate::cloud::Archive;
use crate::cloud::aws::S3Archive;
use crate::config::{self, Config};
use crate::findings::Severity;
use crate::lockdown::{self, Applied, HazardKind, Journal, Options, Outcome, Plan};

mod auto;
mod door;
mod planning;
mod probe;
mod text;

/// A plan is as long as its policies; no run makes one of this length.
const PLAN_BYTES_MAX: u64 = 256 << 20;

#[derive(clap::Args)]
pub(super) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
}

#[derive(clap::Subcommand)]
enum LockCommand {
    /// Say what would be changed, why that is the least that closes it, and what it may break. Changes nothing.
    Plan(PlanArgs),
    /// Carry out a plan: evidence first, then the changes, then a look whether it is closed.
    Apply(ApplyArgs),
    /// Say how a role, a user or a service account that leaked would be kept from everything. Changes nothing; `apply` does.
    Isolate(IsolateArgs),
    /// Say which buckets may be locked without a person, by `[lockdown.automatic]` of the configuration file; lock them, if told.
    Auto(auto::AutoArgs),
    /// Take back what a journal says was done.
    Undo(UndoArgs),
}

#[derive(clap::Args)]
struct PlanArgs {
    /// A target as for `scan`, or uids of findings (with `--findings`).
    #[arg(required = true, value_name = "TARGET|UID")]
    subjects: Vec<String>,
    /// The findings that the uids are of: a report as JSON Lines.
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// Where the buckets of these findings are: a target as for `scan`.
    #[arg(long = "in", value_name = "TARGET", default_value = "aws")]
    place: String,
    /// Leave out what is less severe; a website that is public on purpose is `informational`.
    #[arg(long, value_name = "SEVERITY", default_value = "low")]
    min_severity: Severity,
    /// Close the ways in of outsiders by name, too.
    #[arg(long)]
    external: bool,
    /// Keep content from everybody but the responders, whether it is open or not.
    #[arg(long, requires = "responders")]
    quarantine: bool,
    /// Who alone may reach content under quarantine: ARNs of roles and users; `*` and `?` may stand in their names.
    #[arg(long, value_name = "ARN", value_delimiter = ',', requires = "quarantine", value_parser = responder)]
    responders: Vec<String>,
    /// `human` (default on a terminal) or `json` (default elsewhere; what `apply` takes).
    #[arg(long, value_name = "FORMAT", value_parser = ["human", "json"])]
    format: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
}

#[derive(clap::Args)]
struct IsolateArgs {
    /// The ARN of a role, a user or a session, or the address of a service account.
    #[arg(value_name = "PRINCIPAL")]
    principal: String,
    /// Only end the sessions that are under way: new ones work. AWS only.
    #[arg(long)]
    sessions_only: bool,
    /// The estate folder that keeps it; without this, it is looked for in its cloud.
    #[arg(long = "in", value_name = "FOLDER")]
    place: Option<PathBuf>,
    /// `human` (default on a terminal) or `json` (default elsewhere; what `apply` takes).
    #[arg(long, value_name = "FORMAT", value_parser = ["human", "json"])]
    format: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
}

#[derive(clap::Args)]
struct ApplyArgs {
    /// The plan, as `lock plan --format json` wrote it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Who approved it; kept in the journal.
    #[arg(long, value_name = "NAME", env = "SPILLWATCH_APPROVER")]
    approver: Option<String>,
    /// What may break: `website`, `cdn`, `cross_account`, `replication`, `log_delivery`.
    #[arg(long, value_name = "HAZARD", value_delimiter = ',')]
    accept: Vec<HazardKind>,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    settings: SettingArgs,
}

#[derive(clap::Args)]
struct UndoArgs {
    /// The journal that `apply` named.
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    settings: SettingArgs,
}

#[derive(clap::Args)]
struct EvidenceArgs {
    /// Where evidence and journals are kept.
    #[arg(long, value_name = "DIR", default_value = "spillwatch-evidence")]
    evidence: PathBuf,
    /// Encrypt the evidence to this age recipient. The journal stays readable: undo needs it.
    #[arg(long, value_name = "age1…")]
    recipient: Option<String>,
    /// Copy evidence and journal to a bucket with object lock, with your own credentials.
    #[arg(long, value_name = "s3://BUCKET[/PREFIX]")]
    evidence_to: Option<String>,
    /// How long the copies are locked.
    #[arg(long, value_name = "DAYS", default_value_t = 365, requires = "evidence_to")]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=36_500))]
    evidence_days: i64,
}

impl EvidenceArgs {
    fn archive(&self, config: &Config) -> anyhow::Result<Option<S3Archive>> {
        let Some(place) = &self.evidence_to else { return Ok(None) };
        let named = place.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        let Some((bucket, prefix)) = named.filter(|(bucket, _)| !bucket.is_empty()) else {
            bail!("`{place}` names no bucket; write `s3://BUCKET[/PREFIX]`");
        };
        let until = OffsetDateTime::now_utc() + time::Duration::days(self.evidence_days);
        Ok(Some(S3Archive::new(config.aws.clone(), bucket, prefix, until)))
    }
}

#[derive(clap::Args)]
struct WaitArgs {
    /// How long a change may take to be seen.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(..=3_600))]
    patience: u64,
}

impl WaitArgs {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

#[derive(clap::Args)]
struct SettingArgs {
    /// Settings in TOML; flags win over it.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// A role or a user: what `aws:PrincipalArn` is compared with.
fn responder(arn: &str) -> Result<String, String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let named = |name: &str| {
        let name = name.strip_prefix("role/").or_else(|| name.strip_prefix("user/"));
        name.is_some_and(|name| name.chars().any(|c| c != '*' && c != '?' && c != '/'))
    };
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, name]
            if partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && named(name)
                && !arn.contains('$') =>
        {
            Ok(arn.to_owned())
        }
        _ => Err("a role or a user, as `arn:aws:iam::111122223333:role/NAME`".to_owned()),
    }
}

impl SettingArgs {
    fn read(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => config::read(path)?,
            None => Config::default(),
        };
        self.cloud.apply(&mut config.aws, &mut config.gcp);
        Ok(config)
    }
}

pub(super) fn run(args: LockArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match args.command {
        LockCommand::Plan(args) => runtime.block_on(plan(args)),
        LockCommand::Apply(args) => runtime.block_on(apply(args)),
        LockCommand::Isolate(args) => runtime.block_on(isolate(args)),
        LockCommand::Auto(args) => runtime.block_on(auto::auto(args)),
        LockCommand::Undo(args) => runtime.block_on(undo(args)),
    }
}

async fn plan(args: PlanArgs) -> anyhow::Result<ExitCode> {
    let config = args.settings.read()?;
    let plan = planning::plan(&args, &config).await?;
    tell(&plan, args.format.as_deref())
}

async fn isolate(args: IsolateArgs) -> anyhow::Result<ExitCode> {
    let config = args.settings.read()?;
    let plan = planning::isolation(&args, &config).await?;
    tell(&plan, args.format.as_deref())
}

fn tell(plan: &Plan, format: Option<&str>) -> anyhow::Result<ExitCode> {
    let human = is_human(format);
    let mut out = anstream::stdout();
    if human {
        text::plan(&mut out, plan)?;
    } else {
        serde_json::to_writer_pretty(&mut out, plan)?;
        writeln!(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn apply(args: ApplyArgs) -> anyhow::Result<ExitCode> {
    let config = args.settings.read()?;
    let name = args.plan.display();
    let size = fs::metadata(&args.plan).with_context(|| format!("could not read `{name}`"))?.len();
    if size > PLAN_BYTES_MAX {
        bail!("`{name}` has {size} bytes; no plan is that long");
    }
    let text = fs::read_to_string(&args.plan).with_context(|| format!("could not read `{name}`"))?;
    let plan: Plan = serde_json::from_str(&text)
        .with_context(|| format!("`{name}` is no plan; make one by `lock plan --format json`"))?;
    let approver = args.approver.clone().or_else(|| std::env::var("USER").ok());
    let Some(approver) = approver else { bail!("say who approved it: `--approver NAME`") };
    if plan.is_empty() {
        writeln!(anstream::stdout(), "the plan changes nothing")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes {
        text::plan(&mut anstream::stdout(), &plan)?;
        if !agreed("apply this plan?")? {
            bail!("not applied");
        }
    }
    let accepted: BTreeSet<HazardKind> = args.accept.iter().copied().collect();
    let archive = args.evidence.archive(&config)?;
    let options = Options {
        approver: &approver,
        accepted: &accepted,
        folder: &args.evidence.evidence,
        recipient: args.evidence.recipient.as_deref(),
        archive: archive.as_ref().map(|archive| archive as &dyn Archive),
        patience: args.wait.patience(),
    };
    carry_out(&plan, &options, &config).await
}

async fn carry_out(plan: &Plan, options: &Options<'_>, config: &Config) -> anyhow::Result<ExitCode> {
    let cloud = door::lockable(&plan.target, &door::Reach::of(plan), config)?;
    let mut applied = lockdown::apply(cloud.as_ref(), plan, options).await?;
    probe::closed(cloud.as_ref(), plan, config, &mut applied).await;
    told(&applied)
}

async fn undo(args: UndoArgs) -> anyhow::Result<ExitCode> {
    let config = args.settings.read()?;
    if !args.journal.is_file() {
        bail!("there is no journal `{}`", args.journal.display());
    }
    let journal = Journal::open(&args.journal)?;
    let Some(target) = journal.target().map(str::to_owned) else {
        bail!("journal `{}` says nothing yet; nothing was changed", args.journal.display());
    };
    let standing = journal.standing();
    if !args.yes {
        let mut out = anstream::stdout();
        for (place, change, _) in standing.iter().rev() {
            writeln!(out, "{}: {} back as it was", place.bucket, change.setting)?;
        }
        if !agreed("take this back?")? {
            bail!("not undone");
        }
    }
    let reach = standing.iter().map(|(place, change, _)| (place.bucket(), &change.setting)).collect();
    let cloud = door::lockable(&target, &reach, &config)?;
    told(&lockdown::undo(cloud.as_ref(), journal, args.wait.patience()).await?)
}

/// Tells what became of each change; the exit code is 0 only if all of it stands as it was to.
fn told(applied: &Applied) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout();
    text::steps(&mut out, &applied.steps)?;
    writeln!(out, "journal: {}", absolute(&applied.journal).display())?;
    let refused = applied.steps.iter().filter(|step| step.outcome == Outcome::Refused).count();
    if refused > 0 {
        tracing::warn!("{refused} refused; the reasons stand beside them");
    }
    Ok(if applied.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Asks on the terminal; without one, only `--yes` counts.
fn agreed(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask on; say `--yes`");
    }
    let mut out = anstream::stdout();
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
