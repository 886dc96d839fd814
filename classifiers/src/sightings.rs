//! Which values that identify people stand in running bytes, whatever the format?

mod context;
mod number;

use std::collections::BTreeMap;

use crate::affected::KeptValues;
use crate::extract::Place;
use crate::mask;
use crate::scan::Candidate;
use crate::sketch::HashKey;
use crate::values::{Digits, contact, finance, national};
use crate::{Distinct, Evidence, Masked};
use context::{Surroundings, is_named};
use number::{continues_fours, follows_plus, group_ends, number_kind};

/// Samples kept of one kind.
const SAMPLES_MAX: usize = 3;
/// Domains of e-mail addresses told apart in one object.
const DOMAINS_MAX: usize = 64;
/// Values of one kind of which the surroundings are looked at for its name.
const NAMED_MAX: u64 = 64;
impl Seen {
    /// The share that stands beside a word that names the kind.
    pub(crate) fn named_share(&self) -> f64 {
        self.named as f64 / self.looked_around.max(1) as f64
    }
}

/// Where the bytes that are looked at stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<'a> {
    pub(crate) place: &'a Place,
    /// What the first byte is.
    pub(crate) start: Start,
}

/// The first byte of some bytes, as a position in their object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// So many bytes into the file.
    Byte(u64),
    /// In a row; bytes within it say nothing to a person.
    Row(u64),
    /// In the part that the place names.
    Part,
}

impl Position<'_> {
    /// The position of the byte at `at`, masked.
    pub(crate) fn masked(&self, at: usize) -> Masked {
        let mut parts: Vec<Masked> = self.place.0.iter().map(|part| mask::label(part)).collect();
        match self.start {
            Start::Byte(first) => parts.push(Masked::byte(first + at as u64)),
            Start::Row(row) => parts.push(Masked::row(row)),
            Start::Part => {}
        }
        Masked::joined(&parts)
    }
}

/// Values of one kind.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How often.
    pub(crate) count: u64,
    /// Of how many the surroundings were looked at, and how many stand beside a word that names the kind.
    looked_around: u64,
    named: u64,
    /// How many different.
    pub(crate) distinct: Distinct,
    /// A few, masked.
    pub(crate) samples: Vec<Evidence>,
}

/// E-mail addresses at one domain.
#[derive(Debug)]
struct Domain {
    hash: u64,
    count: u64,
    free: bool,
}

/// The values that identify people in one object.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    /// By kind: `email`, `phone`, `iban`, `payment_card`, and the kinds of [`national::SCHEMES`].
    pub(crate) kinds: BTreeMap<&'static str, Seen>,
    /// E-mail addresses of people.
    pub(crate) emails: Seen,
    /// E-mail addresses of roles and machines.
    pub(crate) roles: u64,
    /// E-mail addresses at domains that are set aside for examples (RFC 2606, second level).
    pub(crate) examples: u64,
    domains: Vec<Domain>,
    last_domain: (Vec<u8>, usize),
    pub(crate) surroundings: Surroundings,
    /// Filled for [`crate::affected`] alone.
    pub(crate) kept: KeptValues,
}

impl Sightings {
    /// Looks at one candidate.
    pub(crate) fn look(
        &mut self,
        text: &[u8],
        candidate: Candidate,
        at: usize,
        position: Position<'_>,
        key: HashKey,
    ) {
        match candidate {
            Candidate::At => self.email(text, at, position, key),
            Candidate::Number => self.number(text, at, position, key),
            Candidate::Plus => self.international(text, at, position, key),
            Candidate::Code => {
                let rest = text.get(at..).unwrap_or_default();
                if let Some(length) = finance::iban_at(rest) {
                    self.count("iban", text, at..at + length, position, key);
                } else {
                    self.lettered(text, at, position, key);
                }
            }
            Candidate::Token => {}
        }
    }

    /// The share of addresses at the domain that most of them have, if that domain is an organisation's.
    pub(crate) fn main_domain_share(&self) -> f64 {
        let most =
            self.domains.iter().filter(|domain| !domain.free).map(|domain| domain.count).max().unwrap_or(0);
        most as f64 / self.emails.count.max(1) as f64
    }

    fn email(&mut self, text: &[u8], at: usize, position: Position<'_>, key: HashKey) {
        let Some(email) = contact::email_around(text, at) else { return };
        if email.is_role() {
            self.roles += 1;
            return;
        }
        self.domain(&email, key);
        if is_example_domain(email.domain) {
            self.examples += 1;
        }
        self.emails.count += 1;
        self.emails.distinct.insert(key.hash_folded(email.address));
        if key.lists() {
            self.kept.take("email", key.hash_folded(email.address), email.address);
        }
        let start = at - email.local.len();
        self.surroundings.look(text, start);
        if self.emails.samples.len() < SAMPLES_MAX {
            self.emails.samples.push(Evidence {
                kind: "email",
                sample: mask::email(&String::from_utf8_lossy(email.address)),
                at: position.masked(start),
            });
        }
    }

    fn domain(&mut self, email: &contact::Email<'_>, key: HashKey) {
        // Addresses of one domain mostly follow each other.
        if self.last_domain.0 != email.domain {
            let hash = key.hash_folded(email.domain);
            let found = self.domains.iter().position(|domain| domain.hash == hash);
            let index = found.unwrap_or(self.domains.len());
            if found.is_none() && self.domains.len() < DOMAINS_MAX {
                self.domains.push(Domain { hash, count: 0, free: email.is_free_mail() });
            }
            self.last_domain = (email.domain.to_vec(), index);
        }
        if let Some(domain) = self.domains.get_mut(self.last_domain.1) {
            domain.count += 1;
        }
    }

    fn international(&mut self, text: &[u8], at: usize, position: Position<'_>, key: HashKey) {
        if at
            .checked_sub(1)
            .and_then(|before| text.get(before))
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'+')
        {
            return;
        }
        for end in group_ends(text, at + 1) {
            let digits = text.get(at + 1..end).and_then(Digits::of);
            if digits.is_some_and(|digits| contact::is_e164(&digits)) {
                self.count("phone", text, at..end, position, key);
                return;
            }
        }
    }

    fn number(&mut self, text: &[u8], at: usize, position: Position<'_>, key: HashKey) {
        let before = at.checked_sub(1).and_then(|before| text.get(before)).copied().unwrap_or(b' ');
        if before.is_ascii_alphabetic() {
            self.lettered(text, at, position, key);
            return;
        }
        // After `+` it is an international number; after `.`, `_` or `-` the rest of something longer.
        if matches!(before, b'+' | b'.' | b'_' | b'-' | b'=' | b'%') && before != b'=' {
            return;
        }
        let run =
            text.get(at..).unwrap_or_default().iter().take(21).take_while(|b| b.is_ascii_digit()).count();
        if matches!(run, 10 | 13 | 16) && matches!(text.get(at..at + 2), Some([b'1', b'4'..=b'9'])) {
            return; // Seconds, milliseconds or microseconds since 1970.
        }
        // The second group of a card is not the first of something else.
        if run == 4 && continues_fours(text, at) {
            return;
        }
        if matches!(before, b' ' | b'(') && follows_plus(text, at) {
            return;
        }
        if run == 8 && text.get(at + 8).is_some_and(u8::is_ascii_alphabetic) {
            self.lettered(text, at, position, key);
            return;
        }
        if run == 3
            && let Some(value) = text.get(at..at + 11)
            && !text.get(at + 11).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && national::is_dashed_ssn(value)
        {
            self.count("us_ssn", text, at..at + 11, position, key);
            return;
        }
        for end in group_ends(text, at) {
            if let Some(kind) = number_kind(text, at, end, run == end - at) {
                self.count(kind, text, at..end, position, key);
                return;
            }
        }
    }

    /// A number with letters in it: a whole word that a scheme knows, beside a word that names the scheme.
    fn lettered(&mut self, text: &[u8], at: usize, position: Position<'_>, key: HashKey) {
        let is_part = |b: &u8| b.is_ascii_alphanumeric();
        let start = at
            - text
                .get(at.saturating_sub(20)..at)
                .unwrap_or_default()
                .iter()
                .rev()
                .take_while(|b| is_part(b))
                .count();
        let end = at + text.get(at..).unwrap_or_default().iter().take(20).take_while(|b| is_part(b)).count();
        let Some(compact) = text.get(start..end).and_then(national::Compact::of) else { return };
        for scheme in national::SCHEMES {
            if (scheme.is_valid)(&compact)
                && (scheme.certainty >= 1.0 || is_named(text, start, end, scheme.context))
            {
                self.count(scheme.kind, text, start..end, position, key);
                return;
            }
        }
    }

    fn count(
        &mut self,
        kind: &'static str,
        text: &[u8],
        range: std::ops::Range<usize>,
        position: Position<'_>,
        key: HashKey,
    ) {
        let Some(value) = text.get(range.clone()) else { return };
        self.surroundings.look(text, range.start);
        let seen = self.kinds.entry(kind).or_default();
        seen.count += 1;
        if seen.looked_around < NAMED_MAX {
            let context = national::scheme(kind)
                .map_or(&["phone", "tel", "mobile", "iban", "card"][..], |scheme| scheme.context);
            seen.looked_around += 1;
            seen.named += u64::from(is_named(text, range.start, range.end, context));
        }
        seen.distinct.insert(key.hash_folded(value));
        if key.lists() {
            self.kept.take(kind, key.hash_folded(value), value);
        }
        if seen.samples.len() < SAMPLES_MAX {
            let sample = mask::number(&String::from_utf8_lossy(value));
            seen.samples.push(Evidence { kind, sample, at: position.masked(range.start) });
        }
    }
}

/// `example.com`, `.net` and `.org` are nobody's. The top level `.example` is no sign by itself.
fn is_example_domain(domain: &[u8]) -> bool {
    [&b"example.com"[..], b"example.org", b"example.net", b"test.com", b"localhost.localdomain"]
        .iter()
        .any(|example| domain.eq_ignore_ascii_case(example))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan;

    fn seen(text: &str) -> Sightings {
        let mut sightings = Sightings::default();
        let place = Place::default();
        let position = Position { place: &place, start: Start::Byte(0) };
        let text = text.as_bytes();
        scan::candidates(text, 0, scan::Sought::All, |candidate, at| {
            sightings.look(text, candidate, at, position, HashKey::new([3; 32]))
        });
        sightings
    }

    fn kinds(text: &str) -> Vec<(&'static str, u64)> {
        seen(text).kinds.iter().map(|(kind, seen)| (*kind, seen.count)).collect()
    }

    #[test]
    fn values_are_found_in_prose() {
        for (text, expected) in [
            ("Her SSN is 536-22-8941.", ("us_ssn", 1)),
            ("Steuer-ID: 86 095 742 719", ("de_tax_id", 1)),
            ("pay to DE89 3704 0044 0532 0130 00 by Friday", ("iban", 1)),
            ("codice fiscale RSSMRA85T10A562S", ("it_codice_fiscale", 1)),
            ("NI number AB123457C", ("uk_nino", 1)),
            ("DNI 54362315K", ("es_dni", 1)),
            ("card 5425 2334 3010 9903 exp", ("payment_card", 1)),
            ("call +49 30 90182000 today", ("phone", 1)),
            ("ring (415) 555-0132 now", ("phone", 1)),
            ("BSN 111222333", ("nl_bsn", 1)),
            ("PESEL: 44051401359,", ("pl_pesel", 1)),
            ("NHS number 943 476 5919", ("uk_nhs", 1)),
        ] {
            assert_eq!(kinds(text), [expected], "{text}");
        }
        assert_eq!(
            seen("write to jane.doe@acme.example or bob@acme.example, not info@acme.example")
                .emails
                .distinct
                .estimate(),
            2
        );
    }

    #[test]
    fn numbers_of_machines_are_none() {
        for text in [
            "ts=1763877600123 id=4111111111111111",
            "0.123456789012 and 123456789",
            "2026-11-23 10:22:33.123456",
            "192.168.100.200 10.0.0.1",
            "build 20261123060708",
            "test card 4242 4242 4242 4242",
            "a1b2c3d4-111222333-444",
            "41111111-1111-4111-8111-111111111111",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn samples_are_masked_and_say_where() {
        let sightings = seen("Her SSN is 536-22-8941.");
        let sample = &sightings.kinds["us_ssn"].samples[0];
        assert_eq!((sample.sample.as_str(), sample.at.as_str()), ("***941", "byte 11"));
    }
}
