//! Which buckets does a person mean, and what would be done to each?

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail};
use futures::stream::StreamExt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::targets::open;
use super::{IsolateArgs, PlanArgs, door};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::estate::{Bucket, Principal, Provider, Setting};
use crate::exposure::{Access, Certainty, Exposure, ZoneOfTrust};
use crate::findings::{Finding, Reach, Severity, of_access};
use crate::lockdown::{
    BucketPlan, HazardKind, Plan, Scope, Subject, opened, plan_bucket, plan_principal, usage,
};
use crate::scan;

/// Buckets that are read at one time.
const AT_ONCE: usize = 16;
/// The fewest digits of a uid that are taken for one.
const UID_DIGITS_MIN: usize = 8;

/// A bucket as findings name it.
pub(super) type Name = (Provider, String, String);

pub(super) async fn plan(args: &PlanArgs, config: &Config) -> anyhow::Result<Plan> {
    let scope = if args.external { Scope::public().with_external() } else { Scope::public() };
    let scope = scope.with_quarantine_but_for(args.responders.iter().cloned().collect());
    let is_uid = |word: &String| {
        word.len() >= UID_DIGITS_MIN
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !Path::new(word).exists()
    };
    let (uids, targets): (Vec<String>, Vec<String>) = args.subjects.iter().cloned().partition(is_uid);
    let (target, wanted) = match (&args.findings, uids.is_empty(), targets.as_slice()) {
        (Some(file), false, []) => (args.place.clone(), Some(named(file, &uids, args.min_severity)?)),
        (Some(file), true, [target]) => (target.clone(), Some(named(file, &[], args.min_severity)?)),
        (None, true, [target]) => (target.clone(), None),
        (None, false, _) => bail!("uids need the report that they stand in: `--findings FILE`"),
        _ => bail!("name one target, or uids of one report"),
    };
    let survey = of_target(&target, config, &scope, wanted.as_ref()).await?;
    // Nobody means to quarantine whatever else an account holds.
    let named = wanted.is_some() || ["s3://", "gs://"].iter().any(|scheme| target.starts_with(scheme));
    let meant = |plan: &BucketPlan, severity: Severity| {
        let open = !plan.closes.is_empty() && severity >= args.min_severity;
        open || wanted.is_some() || (named && args.quarantine)
    };
    let plans = survey.plans.into_iter().filter(|(plan, severity)| meant(plan, *severity));
    let plans = plans.map(|(plan, _)| plan).collect();
    Ok(Plan::new(survey.target, now()?, scope, survey.zone, plans))
}

pub(super) fn now() -> anyhow::Result<String> {
    Ok(OffsetDateTime::now_utc().format(&Rfc3339)?)
}

/// What can be done about the buckets of a target.
pub(super) struct Survey {
    /// The target, so that it means the same from anywhere.
    pub(super) target: String,
    pub(super) zone: ZoneOfTrust,
    /// With how bad it is, whatever is inside.
    pub(super) plans: Vec<(BucketPlan, Severity)>,
}

/// Plans for the buckets of a target, or for those that are `wanted` alone.
pub(super) async fn of_target(
    target: &str,
    config: &Config,
    scope: &Scope,
    wanted: Option<&BTreeSet<Name>>,
) -> anyhow::Result<Survey> {
    let target = if Path::new(target).is_dir() {
        std::fs::canonicalize(target)?.display().to_string()
    } else {
        target.to_owned()
    };
    let door = open(&target, &config.aws, &config.gcp)?;
    let cloud = door.cloud.as_ref();
    let accounts = cloud.accounts().await?;
    let zone = scan::zone(cloud, &accounts, &config.scan.zone).await;
    let mut buckets = Vec::new();
    for account in &accounts {
        let mut listed = cloud.buckets(account);
        while let Some(bucket) = listed.next().await {
            match bucket {
                Ok(bucket) if wanted.is_none_or(|names| names.contains(&name(&bucket))) => {
                    buckets.push(bucket);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!("{error}"),
            }
        }
    }
    let planned = futures::stream::iter(buckets)
        .map(|bucket| one(cloud, bucket, &zone, scope))
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    Ok(Survey { target, zone, plans: planned.into_iter().flatten().collect() })
}

/// A plan to isolate somebody, from what is asked of their account.
pub(super) async fn isolation(args: &IsolateArgs, config: &Config) -> anyhow::Result<Plan> {
    let (account, principal) = Principal::parse(&args.principal)
        .map_err(|why| anyhow::anyhow!("`{}`: {why}", args.principal.escape_default()))?;
    if account.provider == Provider::Gcp && args.sessions_only {
        bail!("Google Cloud cannot end sessions alone; leave out `--sessions-only`");
    }
    let target = match (&args.place, account.provider) {
        (Some(folder), _) => std::fs::canonicalize(folder)
            .with_context(|| format!("could not open `{}`", folder.display()))?
            .display()
            .to_string(),
        (None, Provider::Gcp) => "gcp".to_owned(),
        (None, _) => "aws".to_owned(),
    };
    let own = match &principal {
        Principal::Role(name) => config.lockdown_role.as_ref().is_some_and(|role| role.name == *name),
        Principal::User(_) => false,
        Principal::ServiceAccount(email) => config.lockdown_service_account.as_ref() == Some(email),
    };
    if own {
        bail!("{principal} is the one that would have to take it back; isolate it by hand");
    }
    let places = [(
        Bucket { account: account.clone(), name: String::new(), region: None },
        &Setting::Isolation(principal.clone()),
    )];
    let cloud = door::lockable(&target, &places.into_iter().collect(), config)?;
    let made = OffsetDateTime::now_utc().replace_nanosecond(0)?.format(&Rfc3339)?;
    let planned = plan_principal(cloud.as_ref(), &account, &principal, args.sessions_only, &made).await;
    let planned = planned.map_err(|error| anyhow::anyhow!(error.told_to(&cloud.identity())))?;
    Ok(Plan::isolating(target, made, planned))
}

async fn one(
    cloud: &dyn Cloud,
    bucket: Bucket,
    zone: &ZoneOfTrust,
    scope: &Scope,
) -> Option<(BucketPlan, Severity)> {
    let subject = Subject::read(cloud, bucket, zone.clone()).await;
    let mut plan = plan_bucket(&subject, scope)?;
    plan.used_by = usage(cloud, &subject, OffsetDateTime::now_utc().date()).await;
    if !plan.closes.is_empty() {
        plan.opened = Some(opened(cloud, &subject, scope).await);
    }
    let website = plan.hazards.iter().any(|hazard| hazard.kind == HazardKind::Website);
    let severity = severity(&plan.closes, website);
    Some((plan, severity))
}

/// How bad it is that a bucket is open, whatever is inside.
fn severity(closes: &[Exposure<String>], website: bool) -> Severity {
    let open = closes.iter().any(|way| way.certainty == Certainty::Proven);
    let reach = if open { Reach::Anyone } else { Reach::Possible };
    let writes = closes
        .iter()
        .any(|way| way.access.contains(&Access::Write) || way.access.contains(&Access::Administer));
    of_access(if writes { "write" } else { "read" }, reach, website).0
}

pub(super) fn name(bucket: &Bucket) -> Name {
    (bucket.account.provider, bucket.account.id.clone(), bucket.name.clone())
}

/// The bucket that a finding is of.
pub(super) fn place_of(finding: &Finding) -> Name {
    (finding.provider, finding.account.clone(), finding.bucket.clone())
}

/// The findings of a report.
pub(super) fn findings(file: &Path) -> anyhow::Result<Vec<Finding>> {
    let shown = file.display();
    let lines =
        BufReader::new(File::open(file).with_context(|| format!("could not read `{shown}`"))?).lines();
    let mut findings = Vec::new();
    for line in lines {
        let line = line.with_context(|| format!("could not read `{shown}`"))?;
        // The last line is the coverage.
        findings.extend(serde_json::from_str::<Finding>(&line));
    }
    Ok(findings)
}

/// The buckets of the findings with these uids (all, where none is named) that are at least so severe.
fn named(file: &Path, uids: &[String], least: Severity) -> anyhow::Result<BTreeSet<Name>> {
    let (mut names, mut found) = (BTreeSet::new(), BTreeSet::new());
    for finding in findings(file)? {
        let meant = uids.iter().find(|uid| finding.uid.starts_with(&uid.to_ascii_lowercase()));
        found.extend(meant.cloned());
        if meant.is_some() || (uids.is_empty() && finding.severity >= least) {
            names.insert(place_of(&finding));
        }
    }
    if let Some(missing) = uids.iter().find(|uid| !found.contains(*uid)) {
        bail!("`{}` holds no finding `{missing}`", file.display());
    }
    Ok(names)
}
