//! Which keys and tokens stand in these bytes? Only the common ones, and only where structure or checksum makes it certain.

mod assignment;
mod key_file;
mod key_store;
mod tokens;

use std::collections::BTreeMap;

use crate::extract::Place;
use crate::mask;
use crate::scan::Candidate;
use crate::sightings::{Position, Start};
use crate::sketch::HashKey;
use crate::{Category, Detection, Distinct, Evidence};

pub(crate) use assignment::could_name_a_secret;
pub(crate) use key_file::key_file;

/// Samples kept in all.
const SAMPLES_MAX: usize = 5;

/// A secret that was recognised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Secret {
    /// The stable word for it.
    pub(crate) kind: &'static str,
    /// How sure its structure makes it.
    pub(crate) confidence: f64,
    /// How many bytes it has.
    pub(crate) length: usize,
}

/// The secrets of one object.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    kinds: BTreeMap<&'static str, u64>,
    distinct: Distinct,
    samples: Vec<Evidence>,
    confidence: f64,
    occurrences: u64,
}

/// Stable words of secrets with which encrypted content can be read, rather than a service be used.
pub(crate) const KEY_MATERIAL: &[&str] = &[
    "private_key",
    "encrypted_private_key",
    "gcp_service_account",
    "symmetric_key",
    "keyset",
    "age_secret_key",
    "keepass_key_file",
    "key_store",
];

impl Secrets {
    /// Looks at a token, or at the address part of a URL.
    pub(crate) fn look(
        &mut self,
        text: &[u8],
        candidate: Candidate,
        at: usize,
        position: Position<'_>,
        key: HashKey,
    ) {
        match candidate {
            Candidate::Token => {
                if let Some(secret) = tokens::recognise(text, at) {
                    self.count(text, at, secret, position, key);
                }
            }
            Candidate::At => {
                if let Some((start, length)) = assignment::url_password(text, at) {
                    self.count(
                        text,
                        start,
                        Secret { kind: "url_password", confidence: 0.85, length },
                        position,
                        key,
                    );
                }
            }
            _ => {}
        }
    }

    /// Looks for armored keys that begin at or after `from`.
    pub(crate) fn armored(&mut self, text: &[u8], from: usize, position: Position<'_>, key: HashKey) {
        let mut from = from;
        while let Some(found) = text.get(from..).and_then(|rest| memchr::memmem::find(rest, b"-----BEGIN ")) {
            let at = from + found;
            from = at + 11;
            if let Some(secret) = tokens::armored_key(text, at) {
                self.count(text, at, secret, position, key);
            }
        }
    }

    /// Looks at a value that a name was given to, in configuration or JSON.
    pub(crate) fn assignment(&mut self, name: &str, value: &str, place: &Place, key: HashKey) {
        if let Some(secret) = assignment::recognise(name, value) {
            let start = value.find(|c: char| !c.is_whitespace() && c != '"' && c != '\'').unwrap_or(0);
            let position = Position { place, start: Start::Part };
            self.count(value.as_bytes(), start, secret, position, key);
        }
    }

    /// Looks whether a record is a private or symmetric key by itself (JSON Web Key, RFC 7517).
    pub(crate) fn key_record(&mut self, fields: &[(&str, &str)], place: &Place, key: HashKey) {
        if let Some((value, secret)) = key_file::web_key(fields) {
            let position = Position { place, start: Start::Part };
            self.count(value.as_bytes(), 0, secret, position, key);
        }
    }

    /// Notes a secret that is a whole object.
    pub(crate) fn whole(&mut self, bytes: &[u8], secret: Secret, place: &Place, key: HashKey) {
        self.count(bytes, 0, secret, Position { place, start: Start::Byte(0) }, key);
    }

    fn count(&mut self, text: &[u8], at: usize, secret: Secret, position: Position<'_>, key: HashKey) {
        let value = text.get(at..at + secret.length).unwrap_or_default();
        let before = self.distinct.estimate();
        self.distinct.insert(key.hash(value));
        // The same secret, seen as a token and as an assignment, is one.
        if self.distinct.estimate() == before
            && !self.distinct.is_empty()
            && self.kinds.contains_key(secret.kind)
        {
            self.occurrences += 1;
            return;
        }
        self.occurrences += 1;
        *self.kinds.entry(secret.kind).or_default() += 1;
        self.confidence = self.confidence.max(secret.confidence);
        if self.samples.len() < SAMPLES_MAX {
            let sample = mask::secret(secret.kind, &String::from_utf8_lossy(value));
            self.samples.push(Evidence { kind: secret.kind, sample, at: position.masked(at) });
        }
    }

    /// The verdict.
    pub(crate) fn detection(self) -> Option<Detection> {
        if self.kinds.is_empty() {
            return None;
        }
        let mut because: Vec<String> =
            self.kinds.iter().map(|(kind, count)| format!("{count} × {}", kind.replace('_', " "))).collect();
        if self.kinds.keys().any(|kind| KEY_MATERIAL.contains(kind)) {
            because.push("holds key material that could open encrypted content".to_owned());
        }
        Some(Detection {
            category: Category::Credential,
            confidence: self.confidence,
            occurrences: self.occurrences,
            distinct: self.distinct,
            kinds: self.kinds,
            evidence: self.samples,
            because,
        })
    }
}
