//! What was seen in one object, over everything nested in it?

use crate::copies::Tracker;
use crate::credential::Secrets;
use crate::encrypted::Verdict;
use crate::extract::Place;
use crate::planning::{Judgement, Planning};
use crate::scan::{self, Candidate, Sought};
use crate::sightings::{Position, Sightings};
use crate::sketch::HashKey;
use crate::table::Table;
use crate::{Gap, GapReason, encrypted, mask};

/// Tables kept of one object; the rows of further ones are scanned as running bytes only.
const TABLES_MAX: usize = 64;
/// Gaps told apart.
const GAPS_MAX: usize = 32;
/// Plans and policies told apart.
const DOCUMENTS_MAX: usize = 64;
/// Encrypted parts told apart.
const ENCRYPTED_MAX: usize = 32;

/// An encrypted part of the object.
#[derive(Debug)]
pub(crate) struct EncryptedPart {
    pub(crate) verdict: Verdict,
    pub(crate) at: crate::Masked,
    pub(crate) count: u64,
    /// Where it was seen last.
    place: u64,
}

/// Everything that the detectors judge in the end.
#[derive(Debug)]
pub(crate) struct Gather {
    pub(crate) key: HashKey,
    pub(crate) sightings: Sightings,
    pub(crate) secrets: Secrets,
    pub(crate) tables: Vec<Table>,
    pub(crate) encrypted: Vec<EncryptedPart>,
    /// The running text of the file that is being read.
    pub(crate) planning: Planning,
    pub(crate) documents: Vec<Document>,
    /// What of it goes into an index of known documents, or is sought in one.
    pub(crate) copies: Option<Box<Tracker>>,
    pub(crate) gaps: Vec<Gap>,
}

/// A document that was judged to be a plan or a policy.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) judgement: Judgement,
    pub(crate) at: crate::Masked,
    pub(crate) hash: u64,
}

impl Gather {
    /// Nothing yet.
    pub(crate) fn new(key: HashKey) -> Self {
        Self {
            key,
            sightings: Sightings::default(),
            secrets: Secrets::default(),
            tables: Vec::new(),
            encrypted: Vec::new(),
            planning: Planning::new(),
            documents: Vec::new(),
            copies: None,
            gaps: Vec::new(),
        }
    }

    /// Scans running bytes for everything that needs no structure.
    pub(crate) fn scan(&mut self, text: &[u8], from: usize, position: Position<'_>, sought: Sought) {
        let Self { sightings, secrets, key, .. } = self;
        let has_urls = memchr::memmem::find(text, b"://").is_some();
        scan::candidates(text, from, sought, |candidate, at| {
            if candidate == Candidate::Token || (candidate == Candidate::At && has_urls) {
                secrets.look(text, candidate, at, position, *key);
            }
            if sought == Sought::All && candidate != Candidate::Token {
                sightings.look(text, candidate, at, position, *key);
            }
        });
        self.secrets.armored(text, from, position, self.key);
    }

    /// Looks for what a record is or holds besides being a row: a secret under a telling name, a key, a sealed message.
    pub(crate) fn record(&mut self, place: &Place, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            self.secrets.assignment(name, value, place, self.key);
        }
        self.secrets.key_record(fields, place, self.key);
        if let Some(verdict) = encrypted::by_fields(fields) {
            self.encrypted(place, verdict);
        }
        if let Some(copies) = &mut self.copies {
            copies.row(place, fields.iter().map(|(_, value)| *value));
        }
    }

    /// The table at a place, made where it is new; none where there are too many.
    pub(crate) fn table(&mut self, place: &Place) -> Option<&mut Table> {
        let at = match self.tables.iter().rposition(|table| table.place == *place) {
            Some(at) => at,
            None if self.tables.len() < TABLES_MAX => {
                self.tables.push(Table::new(place.clone()));
                self.tables.len() - 1
            }
            None => return None,
        };
        self.tables.get_mut(at)
    }

    /// Takes a table that was filled elsewhere.
    pub(crate) fn keep(&mut self, table: Table) {
        if self.tables.len() < TABLES_MAX && table.rows > 0 {
            self.tables.push(table);
        }
    }

    /// Notes that a part of the object is encrypted. What a header says and its reader finds again is one part.
    pub(crate) fn encrypted(&mut self, at: &Place, verdict: Verdict) {
        let place = self.key.hash(at.0.join("/").as_bytes());
        let mut known = self.encrypted.iter_mut();
        if let Some(known) = known.find(|part| part.verdict.scheme == verdict.scheme || part.place == place) {
            known.count += u64::from(known.place != place);
            known.place = place;
        } else if self.encrypted.len() < ENCRYPTED_MAX {
            let parts: Vec<_> = at.0.iter().map(|part| mask::label(part)).collect();
            self.encrypted.push(EncryptedPart {
                verdict,
                at: crate::Masked::joined(&parts),
                count: 1,
                place,
            });
        }
    }

    /// Judges the running text of a file that has ended.
    pub(crate) fn document(&mut self, planning: Planning, place: &Place) {
        let reading = planning.finish();
        let at = crate::Masked::joined(&place.0.iter().map(|part| mask::label(part)).collect::<Vec<_>>());
        if let Some(reserve) = reading.reserve {
            self.gap(Gap { reason: GapReason::Unsupported, detail: reserve.to_owned() });
        }
        for judgement in reading.judgements {
            if self.documents.len() < DOCUMENTS_MAX {
                let hash = self.key.hash(place.0.join("/").as_bytes());
                self.documents.push(Document { judgement, at: at.clone(), hash });
            }
        }
    }

    /// Notes that something could not be looked at; equal gaps once.
    pub(crate) fn gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) && self.gaps.len() < GAPS_MAX {
            self.gaps.push(gap);
        }
    }
}
