//! Which streams does a compound file hold ([MS-CFB]), and what are their bytes?
//!
//! Chains of sectors are followed for as many steps as the file has sectors, so that circles end; sizes are checked against the
//! file before anything is allocated.

use std::collections::{BTreeMap, HashSet};

use crate::Gap;
use crate::extract::fields::{u16_at, u32_at, utf16};
use crate::extract::{Budget, HELD_BYTES_MAX, limit_reached, malformed, truncated};

/// Sector numbers from here on are marks, not sectors.
const MARKS: u32 = 0xFFFF_FFFA;

/// Streams shorter than this are kept in the small sectors of the root's stream.
const SMALL_BYTES: usize = 4096;

/// Entries of the directory.
const ENTRIES_MAX: usize = 100_000;

/// A stream: its first sector and its size.
#[derive(Debug, Clone, Copy)]
struct Stream {
    start: u32,
    size: usize,
}

/// The streams of a compound file, by their path.
#[derive(Debug)]
pub(super) struct Storage<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    /// The next sector of each sector.
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    /// The sectors that hold the small sectors.
    mini_sectors: Vec<u32>,
    streams: BTreeMap<String, Stream>,
    /// What in the file could not be read.
    pub(super) gap: Option<Gap>,
}

impl<'a> Storage<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Gap> {
        let broken = || malformed("the compound file has an impossible header");
        let shift = u16_at(bytes, 30).filter(|shift| matches!(shift, 9 | 12)).ok_or_else(broken)?;
        let mut storage = Self {
            bytes,
            sector_bytes: 1 << shift,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini_sectors: Vec::new(),
            streams: BTreeMap::new(),
            gap: None,
        };
        storage.read_fat().ok_or_else(broken)?;
        let directory = storage.chain(u32_at(bytes, 48).ok_or_else(broken)?);
        storage.mini_fat = storage.words(&storage.chain(u32_at(bytes, 60).ok_or_else(broken)?));
        storage.read_directory(&directory);
        if storage.streams.is_empty() {
            return Err(truncated("the compound file ends before its directory"));
        }
        Ok(storage)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.streams.contains_key(path)
    }

    /// Paths of all streams, their parts joined by `/`.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// The content of a stream, charged to the budget; nothing where there is no such stream.
    pub(super) fn read(&self, path: &str, budget: &mut Budget) -> Option<Result<Vec<u8>, Gap>> {
        let stream = *self.streams.get(path)?;
        if stream.size > HELD_BYTES_MAX {
            return Some(Err(limit_reached(
                "a stream of the compound file is more than what is held in memory",
            )));
        }
        if let Err(gap) = budget.unpack(stream.size.min(self.bytes.len()) as u64) {
            return Some(Err(gap));
        }
        let mut content = Vec::with_capacity(stream.size.min(self.bytes.len()));
        if stream.size < SMALL_BYTES {
            for sector in follow(&self.mini_fat, stream.start) {
                content.extend_from_slice(self.mini_sector(sector));
                if content.len() >= stream.size {
                    break;
                }
            }
        } else {
            for sector in follow(&self.fat, stream.start) {
                content.extend_from_slice(self.sector(sector));
                if content.len() >= stream.size {
                    break;
                }
            }
        }
        content.truncate(stream.size);
        Some(Ok(content))
    }

    fn sector(&self, number: u32) -> &'a [u8] {
        let start = (number as usize).saturating_add(1).saturating_mul(self.sector_bytes);
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.get(..self.sector_bytes).unwrap_or(rest)
    }

    /// A small sector: 64 bytes at a place in the root's stream.
    fn mini_sector(&self, number: u32) -> &'a [u8] {
        let at = number as usize * 64;
        let sector = self.mini_sectors.get(at / self.sector_bytes).map(|&sector| self.sector(sector));
        let offset = at % self.sector_bytes;
        sector.and_then(|sector| sector.get(offset..offset + 64)).unwrap_or_default()
    }

    fn chain(&self, start: u32) -> Vec<u32> {
        follow(&self.fat, start).collect()
    }

    fn words(&self, sectors: &[u32]) -> Vec<u32> {
        let words = sectors.iter().flat_map(|&sector| self.sector(sector).as_chunks::<4>().0);
        words.map(|word| u32::from_le_bytes(*word)).collect()
    }

    /// The sectors of the allocation table are listed in the header, and for large files in sectors of their own.
    fn read_fat(&mut self) -> Option<()> {
        let sectors_max = self.bytes.len() / self.sector_bytes + 1;
        let header = self.bytes.get(76..512)?;
        let mut listed: Vec<u32> =
            header.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let mut next = u32_at(self.bytes, 68)?;
        let mut seen = HashSet::new();
        while next < MARKS && seen.insert(next) && listed.len() <= sectors_max {
            let mut words = self.words(&[next]);
            next = words.pop().unwrap_or(MARKS);
            listed.extend(words);
        }
        listed.retain(|&sector| (sector as usize) < sectors_max);
        listed.truncate(sectors_max);
        self.fat = self.words(&listed);
        self.fat.truncate(sectors_max);
        Some(())
    }

    fn read_directory(&mut self, sectors: &[u32]) {
        let entries: Vec<&[u8]> = sectors
            .iter()
            .flat_map(|&sector| self.sector(sector).chunks_exact(128))
            .take(ENTRIES_MAX)
            .collect();
        let Some(root) = entries.first() else { return };
        if let Some(start) = u32_at(root, 116) {
            self.mini_sectors = self.chain(start);
        }
        // Siblings form a binary tree; its order does not matter here.
        let mut seen = HashSet::new();
        let mut open = vec![(u32_at(root, 76).unwrap_or(u32::MAX), String::new())];
        while let Some((index, prefix)) = open.pop() {
            let Some(entry) = entries.get(index as usize).filter(|_| seen.insert(index)) else { continue };
            let number = |at: usize| u32_at(entry, at).unwrap_or(u32::MAX);
            let name_bytes = usize::from(u16_at(entry, 64).unwrap_or(0)).clamp(2, 64) - 2;
            let path = prefix.clone() + &utf16(entry.get(..name_bytes).unwrap_or_default());
            open.push((number(68), prefix.clone()));
            open.push((number(72), prefix));
            match entry.get(66) {
                Some(1) if path.len() < 4096 => open.push((number(76), path + "/")),
                Some(2) => {
                    let stream = Stream { start: number(116), size: number(120) as usize };
                    if stream.size > self.bytes.len() {
                        self.gap = Some(truncated("a stream of the compound file is larger than the file"));
                    }
                    self.streams.insert(path, stream);
                }
                _ => {}
            }
        }
    }
}

/// The sectors of a chain; at most as many as the table has.
fn follow(table: &[u32], start: u32) -> impl Iterator<Item = u32> {
    let mut next = start;
    (0..table.len()).map_while(move |_| {
        let current = next;
        next = *table.get(current as usize)?;
        Some(current)
    })
}
