//! Which values does one column have in one group of rows, page by page?

use std::cell::Cell;

use super::levels::Hybrid;
use super::schema::{Leaf, Physical};
use super::thrift::{self, Item};
use super::values::{Dictionary, Values};
use super::{PAGES_BYTES_MAX, broken, pages, too_large};
use crate::Gap;
use crate::extract::fields::u32_at;
use crate::extract::{Budget, truncated};

/// A page being read.
#[derive(Debug)]
struct Page {
    data: Vec<u8>,
    repetitions: Hybrid,
    definitions: Hybrid,
    values: Values,
    left: usize,
}

/// A column being read.
pub(super) struct Column<'a> {
    bytes: &'a [u8],
    leaf: &'a Leaf,
    codec: i64,
    at: usize,
    /// Values that are still to come, over all pages.
    left: usize,
    dictionary: Option<Dictionary>,
    page: Option<Page>,
    /// Bytes of this column's pages, and of those of all columns of the group.
    held: usize,
    held_by_all: &'a Cell<usize>,
    /// The repetition level of the next value, once it was looked at.
    next_repetition: Option<u32>,
}

impl<'a> Column<'a> {
    pub(super) fn new(
        bytes: &'a [u8],
        metadata: &Item<'_>,
        leaf: &'a Leaf,
        held_by_all: &'a Cell<usize>,
    ) -> Option<Self> {
        let first = metadata.count(9)?;
        // A dictionary comes before the values; 0 is written for none by some.
        let start = metadata.count(11).filter(|&at| at > 0).map_or(first, |at| at.min(first));
        Some(Self {
            bytes,
            leaf,
            codec: metadata.field(4)?.number()?,
            at: start,
            left: metadata.count(5)?,
            dictionary: None,
            page: None,
            held: 0,
            held_by_all,
            next_repetition: None,
        })
    }

    /// Writes the values of the next row, with blanks between those of a list.
    pub(super) fn row(&mut self, out: &mut String, budget: &mut Budget) -> Result<(), Gap> {
        if !self.has_next(budget)? {
            return Err(truncated("a column of the Parquet file has fewer values than rows"));
        }
        if self.leaf.repetition > 0 {
            self.repetition()?;
        }
        loop {
            self.next_repetition = None;
            self.value(out)?;
            budget.unpack(1)?;
            if self.leaf.repetition == 0 || !self.has_next(budget)? || self.repetition()? == 0 {
                return Ok(());
            }
            out.push(' ');
        }
    }

    /// Whether a value follows, with its page at hand.
    fn has_next(&mut self, budget: &mut Budget) -> Result<bool, Gap> {
        while self.page.as_ref().is_none_or(|page| page.left == 0) {
            if self.left == 0 {
                return Ok(false);
            }
            self.next_page(budget)?;
        }
        Ok(true)
    }

    fn repetition(&mut self) -> Result<u32, Gap> {
        if let Some(level) = self.next_repetition {
            return Ok(level);
        }
        let page = self.page.as_mut().ok_or_else(broken)?;
        let level = page.repetitions.next(&page.data).ok_or_else(broken)?;
        self.next_repetition = Some(level);
        Ok(level)
    }

    fn value(&mut self, out: &mut String) -> Result<(), Gap> {
        let page = self.page.as_mut().ok_or_else(broken)?;
        page.left -= 1;
        self.left = self.left.saturating_sub(1);
        if self.leaf.definition > 0 {
            let level = page.definitions.next(&page.data).ok_or_else(broken)?;
            if level != self.leaf.definition {
                return Ok(());
            }
        }
        page.values.write(&page.data, self.dictionary.as_ref(), self.leaf, out)
    }

    fn next_page(&mut self, budget: &mut Budget) -> Result<(), Gap> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        // Statistics may be long, but not as long as a page.
        let (header, header_bytes) =
            thrift::read(rest.get(..rest.len().min(1 << 20)).unwrap_or_default()).ok_or_else(broken)?;
        let (size, packed_size) = (header.count(2).ok_or_else(broken)?, header.count(3).ok_or_else(broken)?);
        let packed = rest.get(header_bytes..).and_then(|rest| rest.get(..packed_size));
        let packed = packed.ok_or_else(|| truncated("a column of the Parquet file is cut off"))?;
        self.at += header_bytes + packed_size;
        match header.field(1).and_then(Item::number) {
            Some(0) => {
                let data = pages::unpack(self.codec, packed, size, budget)?;
                let info = header.field(5).ok_or_else(broken)?;
                self.begin(data, info, budget)
            }
            Some(2) => {
                let data = pages::unpack(self.codec, packed, size, budget)?;
                let dictionary = Dictionary::new(data, self.leaf);
                self.hold(dictionary.bytes(), 0)?;
                self.dictionary = Some(dictionary);
                Ok(())
            }
            Some(3) => self.begin_second_version(&header, packed, size, budget),
            // An index.
            _ => Ok(()),
        }
    }

    /// Notes that this column holds `now` bytes more and `before` bytes less.
    fn hold(&mut self, now: usize, before: usize) -> Result<(), Gap> {
        let all = self.held_by_all.get() + now - before.min(self.held);
        self.held = self.held + now - before.min(self.held);
        self.held_by_all.set(all);
        if all > PAGES_BYTES_MAX { Err(too_large()) } else { Ok(()) }
    }

    /// A page whose levels stand before its values, each with its size in front.
    fn begin(&mut self, data: Vec<u8>, info: &Item<'_>, budget: &mut Budget) -> Result<(), Gap> {
        let mut at = 0;
        let mut levels = |highest: u32| {
            if highest == 0 {
                return Some(Hybrid::default());
            }
            let size = u32_at(&data, at)? as usize;
            let end = (at + 4).checked_add(size)?;
            let hybrid = Hybrid::new(at + 4, end, width_of(highest));
            at = end;
            Some(hybrid)
        };
        let repetitions = levels(self.leaf.repetition).ok_or_else(broken)?;
        let definitions = levels(self.leaf.definition).ok_or_else(broken)?;
        self.values(data, (repetitions, definitions, at), info, (2, 1), budget)
    }

    /// A page of the second version: levels are not packed, and their sizes stand in the header.
    fn begin_second_version(
        &mut self,
        header: &Item<'_>,
        packed: &[u8],
        size: usize,
        budget: &mut Budget,
    ) -> Result<(), Gap> {
        let info = header.field(8).ok_or_else(broken)?;
        let definition_bytes = info.count(5).ok_or_else(broken)?;
        let repetition_bytes = info.count(6).ok_or_else(broken)?;
        let level_bytes = definition_bytes.checked_add(repetition_bytes).ok_or_else(broken)?;
        let (levels, packed) = packed.split_at_checked(level_bytes).ok_or_else(broken)?;
        let codec = if info.field(7) == Some(&Item::Bool(false)) { 0 } else { self.codec };
        let size = size.saturating_sub(level_bytes);
        // Pages of nothing but nulls have no values to unpack.
        let unpacked =
            if packed.is_empty() { Vec::new() } else { pages::unpack(codec, packed, size, budget)? };
        let data = [levels, &unpacked].concat();
        let repetitions = Hybrid::new(0, repetition_bytes, width_of(self.leaf.repetition));
        let definitions = Hybrid::new(repetition_bytes, level_bytes, width_of(self.leaf.definition));
        self.values(data, (repetitions, definitions, level_bytes), info, (4, 1), budget)
    }

    fn values(
        &mut self,
        data: Vec<u8>,
        (repetitions, definitions, at): (Hybrid, Hybrid, usize),
        info: &Item<'_>,
        (encoding_field, count_field): (i16, i16),
        budget: &mut Budget,
    ) -> Result<(), Gap> {
        let encoding = info.field(encoding_field).and_then(Item::number).ok_or_else(broken)?;
        let count = info.count(count_field).ok_or_else(broken)?;
        let values = Values::new(encoding, &data, at, count, budget)?;
        let values = if self.leaf.physical == Physical::Boolean { values.in_bits() } else { values };
        let before = self.page.take().map_or(0, |page| page.data.len());
        self.hold(data.len(), before)?;
        self.next_repetition = None;
        self.page = Some(Page { data, repetitions, definitions, values, left: count });
        Ok(())
    }
}

/// Bits that numbers up to `highest` take.
fn width_of(highest: u32) -> u32 {
    u32::BITS - highest.leading_zeros()
}
