//! What did a run see of one bucket, and which findings may it therefore call gone?

use std::borrow::Cow;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::estate::Object;

/// Objects kept of one finding, and of those that one run left unseen in one bucket.
const HOLDERS_MAX: usize = 16_384;

/// The first byte of what is kept.
const ALL_KNOWN: u8 = 1;
const VERSIONS: u8 = 2;

/// The objects that hold something, by digests of their keys: enough to recognise them, and no key that must be screened.
///
/// Beyond the limit they are not all known, and every object might be one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holders {
    digests: BTreeSet<u64>,
    all_known: bool,
    /// Whether older versions are among them; of what is unseen, whether any may be.
    versions: bool,
}

impl Default for Holders {
    fn default() -> Self {
        Self { digests: BTreeSet::new(), all_known: true, versions: false }
    }
}

impl Holders {
    /// Adds an object of a bucket.
    pub fn insert(&mut self, bucket: &str, key: &str) {
        // Full: of millions of objects, no more digests are made.
        if !self.all_known && self.digests.len() == HOLDERS_MAX {
            return;
        }
        self.insert_digest(digest(bucket, key));
    }

    /// Adds an object as it was listed: an older version is another than the current one.
    pub fn insert_object(&mut self, bucket: &str, object: &Object) {
        self.insert(bucket, &name(object));
    }

    /// Adds older versions, whichever there are.
    pub fn insert_versions(&mut self) {
        self.versions = true;
    }

    /// Whether older versions are among them.
    pub fn has_versions(&self) -> bool {
        self.versions
    }

    /// Adds those of `other`.
    pub fn extend(&mut self, other: &Self) {
        other.digests.iter().for_each(|digest| self.insert_digest(*digest));
        self.all_known &= other.all_known;
        self.versions |= other.versions;
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all_known && self.digests.is_empty() && !self.versions
    }

    /// Whether an object of a bucket may be one of them.
    pub fn may_hold(&self, bucket: &str, object: &Object) -> bool {
        !self.all_known || self.digests.contains(&digest(bucket, &name(object)))
    }

    /// Whether both may have an object in common.
    pub fn may_meet(&self, other: &Self) -> bool {
        let (any, all_known) = (|of: &Self| !of.digests.is_empty(), self.all_known && other.all_known);
        if self.versions && other.versions {
            true
        } else if all_known {
            !self.digests.is_disjoint(&other.digests)
        } else {
            // What overflowed was not empty.
            (!self.all_known || any(self)) && (!other.all_known || any(other))
        }
    }

    /// As bytes, to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let digests = self.digests.iter().flat_map(|digest| digest.to_be_bytes());
        let flags = (u8::from(self.all_known) * ALL_KNOWN) | (u8::from(self.versions) * VERSIONS);
        std::iter::once(flags).chain(digests).collect()
    }

    /// From [`Self::to_bytes`]; from anything else, nothing is known.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let unknown = Self { digests: BTreeSet::new(), all_known: false, versions: true };
        let Some((flags, rest)) = bytes.split_first() else { return unknown };
        let (digests, cut) = rest.as_chunks::<8>();
        if !cut.is_empty() {
            return unknown;
        }
        Self {
            digests: digests.iter().map(|digest| u64::from_be_bytes(*digest)).collect(),
            all_known: flags & ALL_KNOWN != 0,
            versions: flags & VERSIONS != 0,
        }
    }

    fn insert_digest(&mut self, digest: u64) {
        if self.digests.len() < HOLDERS_MAX {
            self.digests.insert(digest);
        } else {
            self.all_known &= self.digests.contains(&digest);
        }
    }
}

/// Keys hold no zero byte between them and a version, so that no key is taken for one.
fn name(object: &Object) -> Cow<'_, str> {
    match object.version.as_ref().filter(|_| !object.is_current()) {
        Some(version) => format!("{}\0{version}", object.key).into(),
        None => object.key.as_str().into(),
    }
}

fn digest(bucket: &str, key: &str) -> u64 {
    let digest = Sha256::digest(format!("spillwatch.object/1|{bucket}|{key}").as_bytes());
    digest.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// What a run saw of one bucket. Nothing else closes a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// When it looked, RFC 3339.
    pub at: String,
    /// Every fact that decides who can reach the bucket was read.
    pub facts: bool,
    /// Every object's own ACL was read that could grant something.
    pub object_acls: bool,
    /// Given the facts and ACLs, nobody outside reads any object.
    pub closed: bool,
    /// Every object was listed.
    pub listing: bool,
    /// Objects that outsiders reach and that were not read in full.
    pub unseen_outside: Holders,
    /// Objects that nobody outside reaches and that were not read in full.
    pub unseen_inside: Holders,
    /// Copies of known documents were sought.
    pub copies: bool,
    /// Detections that are less sure made no finding.
    pub confidence_min: f64,
    /// The bucket no longer stands in the complete list of its account's buckets.
    pub gone: bool,
}

impl Examined {
    /// A bucket that its account does not list any more.
    pub fn gone(at: String) -> Self {
        Self { gone: true, ..Self::nothing(at) }
    }

    /// A bucket of which nothing was seen.
    pub fn nothing(at: String) -> Self {
        Self {
            at,
            facts: false,
            object_acls: false,
            closed: false,
            listing: false,
            unseen_outside: Holders::default(),
            unseen_inside: Holders::default(),
            copies: false,
            confidence_min: 1.0,
            gone: false,
        }
    }

    /// Whether everything was seen that there is to see.
    pub fn is_whole(&self) -> bool {
        self.facts
            && self.object_acls
            && self.listing
            && self.unseen_outside.is_empty()
            && self.unseen_inside.is_empty()
    }

    /// Whether a finding of this rule, last seen in `holders` with this least confidence, is gone if it was not found.
    pub fn settles(&self, rule: &str, holders: &Holders, confidence_min: f64) -> bool {
        let access = self.facts && self.object_acls;
        let content = |unseen: &Holders| {
            self.listing && !holders.may_meet(unseen) && self.confidence_min <= confidence_min
        };
        self.gone
            || access
                && match rule {
                    "unread_bucket" | "exposed_bucket" => true,
                    "exposed_content" => self.closed || content(&self.unseen_outside),
                    "sensitive_content" => content(&self.unseen_inside),
                    "exposed_copy" => self.closed || self.copies && content(&self.unseen_outside),
                    "known_copy" => self.copies && content(&self.unseen_inside),
                    // Of a rule that another command or version made, absence says nothing.
                    _ => false,
                }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::State;

    #[test]
    fn holders_beyond_the_limit_may_be_any_object() {
        let mut holders = Holders::default();
        (0..HOLDERS_MAX).for_each(|number| holders.insert("b", &number.to_string()));
        let may_hold = |holders: &Holders, key: &str| holders.may_hold("b", &object(key));
        assert!(may_hold(&holders, "7") && !may_hold(&holders, "x"));
        holders.insert("b", "7");
        assert!(!may_hold(&holders, "x"));
        holders.insert("b", "y");
        assert!(may_hold(&holders, "x"));
        assert_eq!(Holders::from_bytes(&holders.to_bytes()), holders);
        let mut one = Holders::default();
        assert!(!one.may_meet(&holders));
        one.insert("b", "z");
        assert!(one.may_meet(&holders) && holders.may_meet(&one));
    }

    #[test]
    fn bytes_that_are_no_holders_know_nothing() {
        for bytes in [&[][..], &[1, 2, 3]] {
            assert!(Holders::from_bytes(bytes).may_hold("b", &object("x")));
        }
    }

    fn object(key: &str) -> Object {
        Object { key: key.to_owned(), ..Object::default() }
    }

    fn version(key: &str, version: &str) -> Object {
        Object { version: Some(version.to_owned()), state: State::Noncurrent, ..object(key) }
    }

    #[test]
    fn an_older_version_is_another_object_and_unlisted_ones_may_be_any_of_them() {
        let mut holders = Holders::default();
        holders.insert_object("b", &version("x", "1"));
        holders.insert_versions();
        assert!(holders.may_hold("b", &version("x", "1")) && !holders.may_hold("b", &object("x")));
        let mut unseen = Holders::default();
        unseen.insert_object("b", &object("x"));
        unseen.insert_object("b", &version("x", "2"));
        assert!(!holders.may_meet(&unseen) && !unseen.may_meet(&holders));
        unseen.insert_versions();
        assert!(holders.may_meet(&unseen) && unseen.may_meet(&holders));
        let mut current = Holders::default();
        current.insert_object("b", &object("y"));
        assert!(!current.may_meet(&unseen), "what is current was seen");
        assert_eq!(Holders::from_bytes(&holders.to_bytes()), holders);
    }
}
