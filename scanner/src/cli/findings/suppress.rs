//! Who put a finding aside, why, and until when?

use std::io::Write;

use anyhow::bail;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time};

use crate::findings::Suppression;
use crate::store::Store;

/// Whoever accepts a risk looks at it again once a year.
const LONGEST: Duration = Duration::days(366);

#[derive(clap::Args)]
pub(super) struct SuppressArgs {
    /// The finding, by the beginning of its uid.
    uid: String,
    /// Why it need not be told.
    #[arg(long)]
    reason: String,
    /// Who says so.
    #[arg(long, env = "SPILLWATCH_AUTHOR")]
    author: String,
    /// The last day on which it holds (`2027-01-31`, in UTC), or a moment (RFC 3339); a year away at most.
    #[arg(long, value_name = "DATE")]
    until: String,
}

#[derive(clap::Args)]
pub(super) struct UnsuppressArgs {
    /// The finding, by the beginning of its uid.
    uid: String,
}

pub(super) async fn run(store: &dyn Store, args: SuppressArgs) -> anyhow::Result<()> {
    let now = OffsetDateTime::now_utc();
    let until = moment(&args.until)?;
    if until <= now {
        bail!("`--until {}` is over already; name a day to come", args.until);
    }
    if until - now > LONGEST {
        bail!("`--until {}` is more than a year away; name a day within it", args.until);
    }
    if args.reason.trim().is_empty() || args.author.trim().is_empty() {
        bail!("a suppression needs a reason and an author");
    }
    let record = super::named(store, &args.uid).await?;
    let suppression = Suppression {
        uid: record.finding.uid.clone(),
        reason: args.reason,
        author: args.author,
        created: now.replace_nanosecond(0)?.format(&Rfc3339)?,
        until: until.format(&Rfc3339)?,
    };
    store.suppress(&suppression).await?;
    let said = format!(
        "suppressed until {}: {} {} of {}",
        suppression.until, record.finding.rule, record.finding.class, record.finding.bucket
    );
    writeln!(anstream::stdout(), "{}", super::plain(&said))?;
    Ok(())
}

pub(super) async fn end(store: &dyn Store, args: &UnsuppressArgs) -> anyhow::Result<()> {
    let record = super::named(store, &args.uid).await?;
    if !store.unsuppress(&record.finding.uid).await? {
        bail!("the finding `{}` is not suppressed", args.uid);
    }
    writeln!(anstream::stdout(), "no longer suppressed; the next scan tells it again")?;
    Ok(())
}

/// A moment, or the end of a day.
fn moment(text: &str) -> anyhow::Result<OffsetDateTime> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(moment);
    }
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok().and_then(Date::next_day);
    match day {
        Some(next) => Ok(next.with_time(Time::MIDNIGHT).assume_utc()),
        None => bail!("`{text}` is no date; write one as `2027-01-31` or as RFC 3339"),
    }
}
