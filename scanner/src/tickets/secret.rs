//! Where does a secret come from, and how does it stay one?

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// A token is not longer; a wrong file may be.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// The place of a secret; it never stands in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Environment(String),
    /// A file, as orchestrators mount them; white space around the secret is not part of it.
    File(PathBuf),
}

/// A secret. It is sent and otherwise never shown.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl SecretSource {
    /// Reads the secret, or says what to set.
    pub(crate) fn read(&self) -> Result<Secret, String> {
        let text = match self {
            Self::Environment(name) => std::env::var(name)
                .map_err(|_| format!("the environment variable `{name}` is not set; it holds the secret"))?,
            Self::File(path) => {
                let name = path.display();
                let size = std::fs::metadata(path)
                    .map_err(|error| format!("could not read `{name}`: {error}"))?
                    .len();
                if size > SECRET_BYTES_MAX {
                    return Err(format!("`{name}` has {size} bytes; a secret is shorter"));
                }
                std::fs::read_to_string(path).map_err(|error| format!("could not read `{name}`: {error}"))?
            }
        };
        match text.trim() {
            "" => Err(format!("the secret in {self} is empty")),
            secret => Ok(Secret::new(secret)),
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "the environment variable `{name}`"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The secret itself, to be sent.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
