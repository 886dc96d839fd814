//! Where is an index of known documents kept, and its key?

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use spillwatch_classifiers::copies::{Index, IndexBuilder, IndexError, IndexKey, KEY_BYTES, Source};
use zeroize::Zeroizing;

/// A key's file is never longer.
const KEY_FILE_BYTES_MAX: u64 = 1024;

/// Why an index or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexFileError {
    /// The file cannot be read or written.
    #[error("could not use `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What is in it cannot be used.
    #[error("`{}`: {source}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: IndexError,
    },
    /// The key's file holds no key.
    #[error("`{}` holds no key: 64 hexadecimal digits; make one with `fingerprint key`", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

struct Opened(File, u64);

impl Source for Opened {
    fn size_bytes(&self) -> u64 {
        self.1
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(into, at)
    }
}

/// Opens an index; its parts are read when they are needed.
pub fn open(path: &Path, key: &IndexKey) -> Result<Index, IndexFileError> {
    let failed = |source| IndexFileError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let size_bytes = file.metadata().map_err(failed)?.len();
    Index::open(Box::new(Opened(file, size_bytes)), key.clone())
        .map_err(|source| IndexFileError::Index { path: path.to_owned(), source })
}

/// Writes an index, readable by its owner alone: whole, or not at all.
pub fn write(path: &Path, builder: IndexBuilder) -> Result<(), IndexFileError> {
    let failed = |source| IndexFileError::File { path: path.to_owned(), source };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = (|| {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let mut salt = [0; 16];
        random(&mut salt)?;
        let mut out = BufWriter::new(file);
        builder.write(salt, &mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.map_err(failed)
}

/// Reads a key from its file.
pub fn read_key(path: &Path) -> Result<IndexKey, IndexFileError> {
    let failed = |source| IndexFileError::File { path: path.to_owned(), source };
    let size_bytes = fs::metadata(path).map_err(failed)?.len();
    let no_key = || IndexFileError::NoKey { path: path.to_owned() };
    if size_bytes > KEY_FILE_BYTES_MAX {
        return Err(no_key());
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    IndexKey::from_hex(&text).ok_or_else(no_key)
}

/// Makes a key in a new file, readable by its owner alone.
pub fn make_key(path: &Path) -> Result<(), IndexFileError> {
    let failed = |source| IndexFileError::File { path: path.to_owned(), source };
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    random(&mut *secret).map_err(failed)?;
    let digits = secret.iter().map(|byte| format!("{byte:02x}"));
    let text = Zeroizing::new(digits.collect::<String>() + "\n");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

/// Fills with the system's randomness.
fn random(into: &mut [u8]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact_at(into, 0)
}
