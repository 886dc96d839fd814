//! What would be changed, what would that close, and what would it break?

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::estate::{Account, Bucket, Change, Facts, Object, Provider, Setting};
use crate::exposure::{self, Audience, BucketExposure, Certainty, Exposure, ObjectAcls, ZoneOfTrust};
use crate::findings::sha256;

use super::{Opened, PrincipalPlan, User, gcp, s3};

/// The schema of a plan's JSON.
pub const SCHEMA: &str = "spillwatch.plan/1";

/// Everything that was read of one bucket to plan with.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The bucket.
    pub bucket: Bucket,
    /// Its facts.
    pub facts: Facts,
    /// Those of its account.
    pub account_facts: Facts,
    /// Who belongs to us.
    pub zone: ZoneOfTrust,
    /// Objects whose own ACL was read.
    pub objects: Vec<(Object, Facts)>,
    /// Whether these are all objects whose ACL could open them.
    pub all_objects: bool,
}

impl Subject {
    /// Who can reach the bucket, were its facts these.
    pub(super) fn judge(&self, facts: &Facts) -> BucketExposure {
        exposure::judge(&self.bucket, facts, &self.account_facts, &self.zone)
    }

    /// Every way in from outside, the bucket's and its objects'.
    pub(super) fn open_ways(&self) -> Vec<Exposure> {
        let mut ways = self.judge(&self.facts).exposures;
        ways.extend(self.object_ways(&self.facts, &self.objects));
        ways
    }

    /// The ways in that objects add by their own ACLs, were the bucket's facts and theirs these.
    pub(super) fn object_ways(&self, facts: &Facts, objects: &[(Object, Facts)]) -> Vec<Exposure> {
        let zone = Arc::new(self.zone.clone());
        let acls = ObjectAcls::of(&self.bucket, facts, &self.account_facts, &zone);
        let Some(acls) = acls else { return Vec::new() };
        objects.iter().flat_map(|(object, facts)| acls.exposure(object, facts).exposures).collect()
    }
}

/// Whose ways in are to be closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    audiences: BTreeSet<Audience>,
    /// Who alone is to reach content, by ARN, where the buckets are quarantined.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) responders: BTreeSet<String>,
}

impl Scope {
    /// Everybody's: anonymous callers and whoever has an account.
    pub fn public() -> Self {
        let audiences = BTreeSet::from([Audience::Anyone, Audience::AnyAuthenticated]);
        Self { audiences, responders: BTreeSet::new() }
    }

    /// Those of named outsiders too.
    pub fn with_external(mut self) -> Self {
        self.audiences.insert(Audience::External);
        self
    }

    /// Content is kept from everybody but these roles and users, too.
    pub fn with_quarantine_but_for(mut self, responders: BTreeSet<String>) -> Self {
        self.responders = responders;
        self
    }

    /// The ways in that are proven and to be closed.
    pub(super) fn open<'a>(&self, ways: &'a [Exposure]) -> Vec<&'a Exposure> {
        ways.iter()
            .filter(|way| way.certainty == Certainty::Proven && self.audiences.contains(&way.audience))
            .collect()
    }

    pub(super) fn contains(&self, audience: Audience) -> bool {
        self.audiences.contains(&audience)
    }
}

/// What a change could break; each must be accepted by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HazardKind {
    /// A website is served from the bucket.
    Website,
    /// A CDN reads it as everybody does, without an identity of its own.
    Cdn,
    /// Others, named, lose access that they have today.
    CrossAccount,
    /// Replication writes through what is removed.
    Replication,
    /// Logs are delivered through what is removed.
    LogDelivery,
}

impl HazardKind {
    /// The word to accept it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Cdn => "cdn",
            Self::CrossAccount => "cross_account",
            Self::Replication => "replication",
            Self::LogDelivery => "log_delivery",
        }
    }
}

impl std::str::FromStr for HazardKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Website, Self::Cdn, Self::CrossAccount, Self::Replication, Self::LogDelivery]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| {
                "one of `website`, `cdn`, `cross_account`, `replication`, `log_delivery`".to_owned()
            })
    }
}

/// One thing that could break.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hazard {
    /// Its kind.
    pub kind: HazardKind,
    /// What it is, in words.
    pub detail: String,
}

/// What would be done to one bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BucketPlan {
    /// Whose cloud.
    pub provider: Provider,
    /// Account or project id.
    pub account: String,
    /// The bucket's name.
    pub bucket: String,
    /// Its region, where known.
    pub region: Option<String>,
    /// SHA-256 of the facts that the plan was made from; it is not applied to any other.
    pub state_sha256: String,
    /// The ways in that the changes close.
    pub closes: Vec<Exposure<String>>,
    /// The changes, in their order.
    pub changes: Vec<Change>,
    /// What they could break.
    pub hazards: Vec<Hazard>,
    /// The ways in that stay: others' by name, a CDN's, or those that could not be settled.
    pub leaves: Vec<Exposure<String>>,
    /// Why nothing is done, where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The commands of the provider that the changes equal.
    pub commands: Vec<String>,
    /// Who used the bucket in the last days, where its access logs could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Vec<User>>,
    /// Who opened it, as far as the provider's records tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
}

/// What would be done to all buckets of a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// The first 16 hexadecimal digits of the SHA-256 of everything below but the date.
    pub id: String,
    /// When it was made, RFC 3339.
    pub made: String,
    /// The target, as it was named.
    pub target: String,
    /// Whose ways in it closes.
    pub scope: Scope,
    /// Who belonged to us when it was made.
    pub zone_of_trust: ZoneOfTrust,
    /// One plan per bucket, those to which nothing is done left out.
    pub buckets: Vec<BucketPlan>,
    /// Who is isolated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<PrincipalPlan>,
}

impl Plan {
    /// Puts the plans of buckets together.
    pub fn new(
        target: String,
        made: String,
        scope: Scope,
        zone_of_trust: ZoneOfTrust,
        mut buckets: Vec<BucketPlan>,
    ) -> Self {
        buckets.sort_by(|a, b| (a.provider, &a.account, &a.bucket).cmp(&(b.provider, &b.account, &b.bucket)));
        let mut plan = Self {
            schema: SCHEMA.to_owned(),
            id: String::new(),
            made,
            target,
            scope,
            zone_of_trust,
            buckets,
            principals: Vec::new(),
        };
        plan.id = plan.identity();
        plan
    }

    /// A plan to isolate somebody.
    pub fn isolating(target: String, made: String, principal: PrincipalPlan) -> Self {
        let mut plan = Self::new(target, made, Scope::public(), ZoneOfTrust::default(), Vec::new());
        plan.principals.push(principal);
        plan.id = plan.identity();
        plan
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.principals.iter().all(|principal| principal.changes.is_empty())
    }

    /// The id that its content has: another than the one it states means that somebody edited it.
    pub fn identity(&self) -> String {
        let told =
            serde_json::json!([self.target, self.scope, self.zone_of_trust, self.buckets, self.principals]);
        let mut id = sha256(told.to_string().as_bytes());
        id.truncate(16);
        id
    }
}

/// Plans for one bucket; `None` where nothing in scope is open.
pub fn plan_bucket(subject: &Subject, scope: &Scope) -> Option<BucketPlan> {
    let made = match subject.bucket.account.provider {
        Provider::Aws => s3::plan(subject, scope)?,
        Provider::Gcp => gcp::plan(subject, scope)?,
        Provider::Local => return None,
    };
    let Bucket { account, name, region } = &subject.bucket;
    let (changes, commands) = match made.refused {
        // What was not proved is not even told as commands.
        Some(_) => (Vec::new(), Vec::new()),
        None => (made.changes, made.commands),
    };
    Some(BucketPlan {
        provider: account.provider,
        account: account.id.clone(),
        bucket: name.clone(),
        region: region.clone(),
        state_sha256: state_hash(subject, &changes),
        closes: told(&made.closes),
        changes,
        hazards: made.hazards.into_iter().collect(),
        leaves: told(&made.leaves),
        refused: made.refused,
        commands,
        used_by: None,
        opened: None,
    })
}

/// Ways in as a person is told them.
fn told(ways: &[Exposure]) -> Vec<Exposure<String>> {
    ways.iter().map(|way| way.screened().told()).collect()
}

impl BucketPlan {
    /// The bucket.
    pub fn bucket(&self) -> Bucket {
        let account = Account { provider: self.provider, id: self.account.clone() };
        Bucket { account, name: self.bucket.clone(), region: self.region.clone() }
    }
}

/// What a provider's planner hands back.
pub(super) struct Made {
    pub(super) closes: Vec<Exposure>,
    pub(super) changes: Vec<Change>,
    pub(super) hazards: BTreeSet<Hazard>,
    pub(super) leaves: Vec<Exposure>,
    pub(super) refused: Option<String>,
    pub(super) commands: Vec<String>,
}

/// The hash of the facts of a bucket and of its account, and of those answers about its objects that the changes are of.
/// Objects that come and go meanwhile do not matter.
pub fn state_hash(subject: &Subject, changes: &[Change]) -> String {
    let facts: Vec<_> = subject.facts.iter().collect();
    let account: Vec<_> = subject.account_facts.iter().collect();
    let touched = |object: &Object| {
        changes.iter().any(|change| {
            matches!(&change.setting,
                Setting::ObjectAcl { key, version } | Setting::ObjectAccessList { key, version }
                if *key == object.key && *version == object.version)
        })
    };
    let objects: Vec<_> = subject.objects.iter().filter(|(object, _)| touched(object)).collect();
    let objects: Vec<_> = objects.iter().map(|(object, facts)| (&object.key, facts)).collect();
    sha256(serde_json::json!([facts, account, objects]).to_string().as_bytes())
}
