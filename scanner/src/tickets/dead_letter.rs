//! What becomes of a ticket that could not be delivered? A line in a file of its owner's, which a later run sends again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::findings::Finding;

/// Letters that are kept; a sink that was away so long is no longer waited for.
const LETTERS_MAX: usize = 20_000;
/// A finding has at most a few kilobytes.
const LETTER_BYTES_MAX: u64 = 1 << 20;

/// One delivery that failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Letter {
    /// Always `spillwatch.dead_letter/1`.
    pub(super) schema: String,
    /// The sink by its name.
    pub(super) sink: String,
    /// When it failed, RFC 3339.
    pub(super) at: String,
    /// Why.
    pub(super) why: String,
    /// What was to be told, with samples only where the sink may tell them.
    pub(super) finding: Finding,
}

/// The file.
pub(super) struct DeadLetters {
    path: PathBuf,
    count: usize,
}

impl DeadLetters {
    /// Names the file; nothing is read or made yet.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), count: 0 }
    }

    /// All that waits, oldest first. A line that cannot be read is dropped and said: it was cut off by a kill.
    pub(super) fn read(&mut self) -> io::Result<Vec<Letter>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let (mut letters, mut unread, mut reader) = (Vec::new(), 0, BufReader::new(file));
        loop {
            let mut line = Vec::new();
            if reader.by_ref().take(LETTER_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            match serde_json::from_slice::<Letter>(&line) {
                Ok(letter) if letters.len() < LETTERS_MAX => letters.push(letter),
                _ => unread += 1,
            }
        }
        if unread > 0 {
            tracing::warn!("{unread} lines of `{}` could not be read and are left out", self.path.display());
        }
        self.count = letters.len();
        Ok(letters)
    }

    /// Keeps one more, flushed.
    pub(super) fn add(&mut self, letter: &Letter) -> io::Result<()> {
        if self.count >= LETTERS_MAX {
            return Err(io::Error::other(format!("it holds {LETTERS_MAX} letters already")));
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        file.write_all(&line(letter)?)?;
        file.sync_data()?;
        self.count += 1;
        Ok(())
    }

    /// Leaves only these. The file is there as before or as after, never half.
    pub(super) fn replace(&mut self, letters: &[Letter]) -> io::Result<()> {
        self.count = letters.len();
        if letters.is_empty() {
            return fs::remove_file(&self.path);
        }
        let beside = self.path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        for letter in letters {
            file.write_all(&line(letter)?)?;
        }
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

fn line(letter: &Letter) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(letter)?;
    line.push(b'\n');
    Ok(line)
}
