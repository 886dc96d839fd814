//! How does content leave this crate? Only as [`Masked`], which is made here and nowhere else.

use std::fmt;

use serde::Serialize;

/// Text that was masked: safe to print, log and store. Content can leave this crate in no other type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Masked(String);

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Masked {
    /// The masked text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text of our own making that holds no content, such as `row 12`.
    pub(crate) fn own(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// TEMP
pub fn screen(name: &str) -> Masked {
    Masked(name.to_owned())
}
