//! Who can reach what? Pure judgement over the facts of an estate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::estate::{Bucket, Facts, Gap, Object, Provider};

pub mod aws;
mod bits;
pub mod gcp;
pub mod pattern;
pub mod policy;
pub mod ranges;
mod shell;
mod ways;

pub use shell::quoted;

use pattern::Pattern;

/// Who is outside, from the widest to the narrowest circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everyone on the internet, without credentials.
    Anyone,
    /// Anyone who has an account with the provider, which is anyone.
    AnyAuthenticated,
    /// Named others outside the zone of trust: accounts, identity providers, services without a source.
    External,
    /// Everyone on the internet, but only through a content delivery network.
    Cdn,
    /// Others inside the organization.
    Organization,
}

/// What an audience can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// See names, sizes and dates.
    List,
    /// Read the content of objects as they are now.
    Read,
    /// Read the content of older versions too, also of objects that were deleted.
    ReadVersions,
    /// Add, replace or delete objects.
    Write,
    /// Change who may do what.
    Administer,
}

/// Whether an exposure follows from what was read, or could not be excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// A witness request is allowed by the facts.
    Proven,
    /// A fact is unread or beyond exact reasoning, so it cannot be excluded.
    Possible,
}

/// A set of keys, as patterns with `*` (any run) and `?` (any one character).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keys {
    /// A key is in the set if one of these matches it …
    pub include: BTreeSet<String>,
    /// … and none of these does.
    pub exclude: BTreeSet<String>,
}

impl ZoneOfTrust {
    /// Adds everyone whom `other` trusts.
    pub fn extend(&mut self, other: &Self) {
        self.accounts.extend(other.accounts.iter().cloned());
        self.organizations.extend(other.organizations.iter().cloned());
        self.canonical_ids.extend(other.canonical_ids.iter().cloned());
        self.networks.extend(other.networks.iter().cloned());
        self.cidrs.extend(other.cidrs.iter().cloned());
        self.domains.extend(other.domains.iter().cloned());
    }
}

/// Judges one bucket by the rules of its provider. Of a provider without rules here, nothing is known.
pub fn judge(bucket: &Bucket, facts: &Facts, account_facts: &Facts, zone: &ZoneOfTrust) -> BucketExposure {
    match bucket.account.provider {
        Provider::Aws => aws::bucket_exposure(bucket, facts, account_facts, zone),
        Provider::Gcp => gcp::bucket_exposure(bucket, facts, account_facts, zone),
        // A plain folder has no access facts, and so no exposure that could be proven or excluded.
        Provider::Local => BucketExposure::unknown(bucket),
    }
}

/// What decides about the ACLs of a bucket's objects.
#[derive(Debug, Clone)]
pub enum ObjectAcls {
    /// Of an S3 bucket.
    Aws(aws::ObjectAcls),
    /// Of a Google Cloud Storage bucket.
    Gcp(gcp::ObjectAcls),
}

impl ObjectAcls {
    /// `None` where ACLs of objects grant nothing to anybody.
    pub fn of(
        bucket: &Bucket,
        facts: &Facts,
        account_facts: &Facts,
        zone: &Arc<ZoneOfTrust>,
    ) -> Option<Self> {
        match bucket.account.provider {
            Provider::Aws => aws::ObjectAcls::of(bucket, facts, account_facts, zone).map(Self::Aws),
            Provider::Gcp => gcp::ObjectAcls::of(bucket, facts, account_facts, zone).map(Self::Gcp),
            Provider::Local => None,
        }
    }

    /// The canonical id of an S3 bucket's owner, where its own ACL states it; else empty.
    pub fn owner(&self) -> String {
        match self {
            Self::Aws(acls) => acls.owner(),
            Self::Gcp(_) => String::new(),
        }
    }

    /// Who outside can reach one object, or one version of it, through its own ACL. One that could not be read is a gap.
    pub fn exposure(&self, object: &Object, object_facts: &Facts) -> BucketExposure {
        let mut verdict = match self {
            Self::Aws(acls) => acls.exposure(object, object_facts),
            Self::Gcp(acls) => acls.exposure(object, object_facts),
        };
        // "Permissions are set at the version level": the ACL opens no other version (S3 User Guide, "Configuring versioned object
        // permissions"), and on Google Cloud no other generation.
        let others = if object.is_current() { Access::ReadVersions } else { Access::Read };
        verdict.exposures.retain(|way| !way.access.contains(&others));
        verdict
    }
}

impl BucketExposure {
    /// Nothing said yet.
    pub fn unknown(bucket: &Bucket) -> Self {
        Self {
            bucket: bucket.name.clone(),
            policy_status_public: None,
            exposures: Vec::new(),
            closed_because: Vec::new(),
            latent: Vec::new(),
            website: false,
            gaps: Vec::new(),
        }
    }
}

impl Keys {
    /// Every key.
    pub fn all() -> Self {
        Self { include: BTreeSet::from(["*".to_owned()]), exclude: BTreeSet::new() }
    }

    /// Whether `key` is in the set.
    pub fn contains(&self, key: &str) -> bool {
        let any = |set: &BTreeSet<String>| set.iter().any(|pattern| pattern::matches(pattern, key));
        any(&self.include) && !any(&self.exclude)
    }

    /// Whether `prefix` may be the start of a key in the set: a listing below it can matter. Errs on the side of yes.
    pub fn may_start_with(&self, prefix: &str) -> bool {
        self.include.iter().any(|pattern| !Pattern::wildcard(pattern).after(prefix).is_empty())
    }

    /// The keys that match one pattern.
    pub fn matching(pattern: impl Into<String>) -> Self {
        Self { include: BTreeSet::from([pattern.into()]), exclude: BTreeSet::new() }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        f.write_str(&join(&self.include))?;
        if !self.exclude.is_empty() {
            write!(f, " except {}", join(&self.exclude))?;
        }
        Ok(())
    }
}

impl Serialize for Keys {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A request that the facts allow: the proof of an exposure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Who sends it: `anonymous`, or a principal's name made up for the audience.
    pub principal: String,
    /// The action in the provider's words, for example `s3:GetObject`.
    pub action: String,
    /// The resource in the provider's words, for example an ARN.
    pub resource: String,
    /// What the request must carry or come from, by condition key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Vec<String>>,
    /// A command to paste that sends it.
    pub command: String,
}

/// One audience's way in. Its keys are a set to reason with, or, once told, words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure<K = Keys> {
    /// Who.
    pub audience: Audience,
    /// Can do what.
    pub access: BTreeSet<Access>,
    /// With which keys.
    pub keys: K,
    /// How surely.
    pub certainty: Certainty,
    /// The proof, where proven.
    pub witness: Option<Witness>,
    /// The statements, grants and flags that decide it, in words.
    pub because: Vec<String>,
    /// What closing it would take, the least far-reaching step first.
    pub closing: Vec<String>,
}

impl Exposure {
    /// The same with its keys in words.
    pub fn told(&self) -> Exposure<String> {
        let Self { audience, access, keys, certainty, witness, because, closing } = self.clone();
        Exposure { audience, access, keys: keys.to_string(), certainty, witness, because, closing }
    }
}

/// Everything that can be said of who reaches one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BucketExposure {
    /// The bucket's name.
    pub bucket: String,
    /// The provider's own, documented verdict on the policy: its answer where it was read, else our computation.
    pub policy_status_public: Option<bool>,
    /// Who can reach it, widest audience first.
    pub exposures: Vec<Exposure>,
    /// Why others cannot: the deciding statement, flag or grant for every no.
    pub closed_because: Vec<String>,
    /// Grants without effect today that a single change would open again.
    pub latent: Vec<String>,
    /// Whether it looks public on purpose (a website configuration stands).
    pub website: bool,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Who belongs to us: everyone else is outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZoneOfTrust {
    /// Account and project ids.
    pub accounts: BTreeSet<String>,
    /// Organization ids (`o-…`, or a Google organization's number).
    pub organizations: BTreeSet<String>,
    /// Canonical user ids of trusted S3 accounts.
    pub canonical_ids: BTreeSet<String>,
    /// VPC and VPC endpoint ids (`vpc-…`, `vpce-…`).
    pub networks: BTreeSet<String>,
    /// CIDR blocks of our own networks.
    pub cidrs: BTreeSet<String>,
    /// Domains of our own identities.
    pub domains: BTreeSet<String>,
}

#[cfg(test)]
mod tests;
