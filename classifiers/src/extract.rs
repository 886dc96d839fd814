//! How does an object become text and rows? One file per family of formats below this one.
//!
//! An extractor gets bytes that are all in memory and a [`Sink`]; text formats that need no random access are streamed by
//! the session without coming here. Extractors never fail: what they cannot read becomes a [`Gap`] in the sink.

use crate::{Gap, GapReason};

/// Where in an object something stands: outermost part first, for example `["reports.zip", "q3.xlsx", "sheet Staff"]`.
///
/// The parts are content (names inside archives are written by strangers) and are masked before they leave the crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) Vec<String>);

impl Place {
    /// The place of a part inside this one.
    pub(crate) fn part(&self, name: impl Into<String>) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.into());
        Self(parts)
    }
}

/// What takes the extracted content.
pub(crate) trait Sink {
    /// Running text: a page, a paragraph, a mail's body. In pieces of any length, broken between words where possible.
    fn text(&mut self, place: &Place, text: &str);

    /// One row of a table. `table` is the same for all rows of one table; the first row may be its header.
    fn row(&mut self, table: &Place, row: u64, cells: &[&str]);

    /// One record with named fields (JSON object, LDIF entry, vCard): `(name, value)` in order, names may repeat.
    fn record(&mut self, table: &Place, row: u64, fields: &[(&str, &str)]);

    /// A whole file inside a container: the session types and extracts it in turn, one level deeper.
    fn file(&mut self, place: &Place, bytes: &[u8], budget: &mut Budget);

    /// A container whose content is encrypted: which scheme, for example `office_agile` or `zip_aes`.
    fn encrypted(&mut self, place: &Place, scheme: &'static str);

    /// Something that could not be read.
    fn gap(&mut self, gap: Gap);
}

/// What is left of an object's allowance, shared by everything nested in it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// Bytes that may still be unpacked.
    pub(crate) unpacked_bytes: u64,
    /// Archive entries that may still be opened.
    pub(crate) entries: u32,
    /// Levels that may still be descended.
    pub(crate) depth: u32,
}

impl Budget {
    /// Takes `bytes` from the allowance; the gap to report where it is used up.
    pub(crate) fn unpack(&mut self, bytes: u64) -> Result<(), Gap> {
        match self.unpacked_bytes.checked_sub(bytes) {
            Some(left) => {
                self.unpacked_bytes = left;
                Ok(())
            }
            None => {
                self.unpacked_bytes = 0;
                Err(Gap {
                    reason: GapReason::LimitReached,
                    detail: "unpacks to more bytes than one object may".to_owned(),
                })
            }
        }
    }
}
