//! What may be said about tickets: where they go, whose they are, until when?

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use super::http::Manners;
use super::secret::SecretSource;
use crate::findings::{Finding, Reach, Severity, Transition};

/// Everything about tickets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where tickets go.
    pub sinks: Vec<SinkSettings>,
    /// What could not be delivered is kept here, and sent again by a later run.
    pub dead_letter: Option<PathBuf>,
    /// A link to the report, told in every ticket.
    pub link: Option<String>,
    /// Whose a finding is.
    pub ownership: Ownership,
    /// Until when it should be closed.
    pub due: DueDays,
    /// How long one sink is waited for in a run, all its answers together.
    pub time_max: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sinks: Vec::new(),
            dead_letter: None,
            link: None,
            ownership: Ownership::default(),
            due: DueDays::default(),
            time_max: Duration::from_secs(1_800),
        }
    }
}

/// One place where tickets go.
#[derive(Debug, Clone)]
pub struct SinkSettings {
    /// Its name in coverage, logs and dead letters.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// Where it is reached, without a slash at its end; none where the address itself is a secret.
    pub url: Option<String>,
    /// Its token, key or secret address.
    pub secret: Option<SecretSource>,
    /// Who sends, where the token alone does not say it.
    pub user: Option<String>,
    /// Findings below this make no ticket.
    pub min_severity: Severity,
    /// Whether masked samples may stand in a ticket.
    pub evidence: bool,
    /// Fields that every ticket of it gets as they stand here.
    pub fields: Map<String, Value>,
    /// How it is treated.
    pub manners: Manners,
}

/// The kinds of sinks, with what each of them needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A signed POST of our own.
    Webhook,
    /// Jira Cloud or Data Center.
    Jira {
        /// The project's key.
        project: String,
        /// The name of the issue type.
        issue_type: String,
        /// Whether it is Atlassian's own, whose search is another.
        cloud: bool,
        /// The transition that closes, where not the first that leads to a done status.
        close_transition: Option<String>,
        /// The transition that opens again.
        reopen_transition: Option<String>,
    },
    /// Records of ServiceNow.
    ServiceNow {
        /// The table; it has the states of an incident.
        table: String,
        /// What a resolved record is closed with.
        close_code: String,
    },
    /// Issues of GitHub.
    GitHub {
        /// `OWNER/NAME`.
        repository: String,
    },
    /// Issues of GitLab.
    GitLab {
        /// Its number, or `GROUP/NAME`.
        project: String,
    },
    /// Messages in a channel of Slack; the secret is the webhook's address.
    Slack,
    /// Incidents of PagerDuty; the secret is the routing key.
    PagerDuty,
    /// Findings of AWS Security Hub, imported with the caller's own credentials.
    SecurityHub {
        /// The region of the hub.
        region: String,
        /// The account of the hub.
        account: String,
    },
}

/// Which tags say whose a bucket is.
#[derive(Debug, Clone)]
pub struct Ownership {
    /// Tags that name the owner, the first that is there counts; compared without regard to case.
    pub owner_tags: Vec<String>,
    /// Tags that name the team.
    pub team_tags: Vec<String>,
    /// Tags that say how they are reached.
    pub contact_tags: Vec<String>,
    /// Whose it is where no tag says it.
    pub default_owner: Option<String>,
}

impl Default for Ownership {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            owner_tags: words(&["owner"]),
            team_tags: words(&["team"]),
            contact_tags: words(&["contact", "email"]),
            default_owner: None,
        }
    }
}

impl Ownership {
    /// The value of the first of `names` that the tags hold.
    pub(super) fn tagged<'t>(tags: &'t BTreeMap<String, String>, names: &[String]) -> Option<&'t str> {
        let held = |name: &String| {
            let tag = tags.iter().find(|(tag, value)| tag.eq_ignore_ascii_case(name) && !value.is_empty());
            tag.map(|(_, value)| value.as_str())
        };
        names.iter().find_map(held)
    }
}

/// Days until a finding should be closed, by severity × exposure; none where there is no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDays(pub BTreeMap<Severity, [u32; 3]>);

impl Default for DueDays {
    fn default() -> Self {
        Self(BTreeMap::from([
            (Severity::Critical, [1, 3, 14]),
            (Severity::High, [3, 7, 30]),
            (Severity::Medium, [14, 30, 60]),
            (Severity::Low, [30, 60, 90]),
        ]))
    }
}

impl DueDays {
    /// The day, counted from when it was first seen, or seen again.
    pub(super) fn date(&self, finding: &Finding) -> Option<Date> {
        let [anyone, outside, inside] = self.0.get(&finding.severity)?;
        let days = match reach(finding) {
            Reach::Anyone => anyone,
            Reach::External | Reach::Possible => outside,
            Reach::Unknown | Reach::Inside => inside,
        };
        let from =
            if finding.status == Transition::Reopened { &finding.last_seen } else { &finding.first_seen };
        let from = OffsetDateTime::parse(from, &Rfc3339).ok()?;
        Some(from.checked_add(time::Duration::days(i64::from(*days)))?.date())
    }
}

/// How far a finding's content can be reached.
fn reach(finding: &Finding) -> Reach {
    use crate::exposure::{Audience, Certainty};
    let of = |way: &crate::exposure::Exposure<String>| match (way.audience, way.certainty) {
        (Audience::Organization, _) => Reach::Inside,
        (_, Certainty::Possible) => Reach::Possible,
        (Audience::Anyone | Audience::AnyAuthenticated, Certainty::Proven) => Reach::Anyone,
        _ => Reach::External,
    };
    finding.exposures.iter().map(of).max().unwrap_or(Reach::Inside)
}

impl SinkSettings {
    /// A sink of a kind with everything else by default.
    pub fn new(kind: Kind) -> Self {
        Self {
            name: String::new(),
            kind,
            url: None,
            secret: None,
            user: None,
            min_severity: Severity::Medium,
            evidence: false,
            fields: Map::new(),
            manners: Manners::default(),
        }
    }
}
