//! What was done, in which order, and what was there before? Each line is on disk before and after what it speaks of.
//!
//! A journal is JSON lines, each with the SHA-256 of the line before it, so that a line that was changed or taken out
//! shows. The last line may be torn where a run was killed; it then says nothing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::apply::Outcome;
use crate::estate::{Account, Bucket, Change, Provider};
use crate::findings::sha256;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("journal `{path}`: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// Another run is at work by it.
    #[error("journal `{path}` is in use by another run; wait until it has ended")]
    InUse {
        /// The file.
        path: String,
    },
    /// A line is not what was written.
    #[error("journal `{path}` was altered at line {line}; nothing is undone by it")]
    Altered {
        /// The file.
        path: String,
        /// The first line that does not fit.
        line: usize,
    },
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Entry {
    /// A plan was begun.
    Opened {
        /// The plan's id.
        plan: String,
        /// Its target, as it was named.
        target: String,
        /// Who approved it.
        approver: String,
    },
    /// What was there before is on disk.
    Evidence {
        /// The folder beside the journal.
        folder: String,
        /// The SHA-256 of the last line of its manifest, which stands for all of it.
        manifest_sha256: String,
    },
    /// The next line's change is about to be made.
    Begun {
        /// Where.
        place: Place,
        /// What.
        change: Change,
        /// The texts of what is there before.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        verbatim: BTreeMap<String, String>,
    },
    /// What became of it.
    Ended {
        /// Where.
        place: Place,
        /// Of which setting, in words.
        setting: String,
        /// What.
        outcome: Outcome,
        /// Why, where it needs one.
        detail: String,
    },
    /// It is about to be taken back.
    Undoing {
        /// Where.
        place: Place,
        /// The change that takes it back.
        change: Change,
    },
    /// All changes were made or refused.
    Closed,
}

/// A bucket in a journal; where somebody was isolated, their name stands for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Whose cloud.
    pub provider: Provider,
    /// Account or project id.
    pub account: String,
    /// The bucket's name.
    pub bucket: String,
    /// Its region, where known.
    pub region: Option<String>,
}

impl Place {
    /// The bucket.
    pub fn bucket(&self) -> Bucket {
        let account = Account { provider: self.provider, id: self.account.clone() };
        Bucket { account, name: self.bucket.clone(), region: self.region.clone() }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    previous: String,
    at: String,
    #[serde(flatten)]
    entry: Entry,
}

/// A journal on disk, private to its owner.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    previous: String,
    entries: Vec<Entry>,
}

/// A process that is being started at this moment holds a copy of the file, and would hold its lock.
impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Journal {
    /// Opens a journal for one run at a time, and makes it where there is none. A torn last line is cut off.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.display().to_string(), source };
        let file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(io)?;
        // Held until the journal is dropped, or its process ends.
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse { path: path.display().to_string() },
            TryLockError::Error(source) => io(source),
        })?;
        let text = std::fs::read(path).map_err(io)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(io)?;
        }
        let mut journal = Self { path: path.to_owned(), file, previous: String::new(), entries: Vec::new() };
        let lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        for (number, line) in lines.filter(|line| !line.is_empty()).enumerate() {
            let altered = || JournalError::Altered { path: path.display().to_string(), line: number + 1 };
            let read: Line = serde_json::from_slice(line).map_err(|_| altered())?;
            if read.previous != journal.previous {
                return Err(altered());
            }
            journal.previous = sha256(line);
            journal.entries.push(read.entry);
        }
        Ok(journal)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds what happened at `at` (RFC 3339); it is on disk when this returns.
    pub fn append(&mut self, at: &str, entry: Entry) -> Result<(), JournalError> {
        let io = |source| JournalError::Io { path: self.path.display().to_string(), source };
        let line = Line { previous: self.previous.clone(), at: at.to_owned(), entry };
        let mut text = serde_json::to_vec(&line).map_err(|error| io(error.into()))?;
        let hash = sha256(&text);
        text.push(b'\n');
        self.file.write_all(&text).map_err(io)?;
        self.file.sync_all().map_err(io)?;
        self.previous = hash;
        self.entries.push(line.entry);
        Ok(())
    }

    /// The target that the journal's plan was made for.
    pub fn target(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Opened { target, .. } => Some(target.as_str()),
            _ => None,
        })
    }

    /// The folder for what is to be kept next.
    pub(super) fn next_evidence(&self) -> String {
        let kept = self.entries.iter().filter(|entry| matches!(entry, Entry::Evidence { .. })).count();
        if kept == 0 { "evidence".to_owned() } else { format!("evidence-{}", kept + 1) }
    }

    /// The changes that were made and not taken back, with the texts of what was there before, in their order. One that
    /// was begun and not ended may have been made.
    pub fn standing(&self) -> Vec<(Place, Change, BTreeMap<String, String>)> {
        let mut standing: Vec<(Place, Change, BTreeMap<String, String>)> = Vec::new();
        let mut undoing: Option<(Place, Change)> = None;
        for entry in &self.entries {
            match entry {
                Entry::Begun { place, change, verbatim } => {
                    let known = standing.iter().any(|(at, made, _)| (at, made) == (place, change));
                    if !known {
                        standing.push((place.clone(), change.clone(), verbatim.clone()));
                    }
                }
                Entry::Undoing { place, change } => undoing = Some((place.clone(), change.clone())),
                Entry::Ended { outcome, .. } => {
                    let done = matches!(outcome, Outcome::Applied | Outcome::AlreadySo);
                    match undoing.take() {
                        Some((place, back)) if done => {
                            standing.retain(|(at, made, _)| (at, &made.undone()) != (&place, &back))
                        }
                        _ => {}
                    }
                }
                Entry::Opened { .. } | Entry::Evidence { .. } | Entry::Closed => {}
            }
        }
        standing
    }
}
