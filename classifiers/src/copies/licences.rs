//! Is this run of words one of a common licence? Then no document is known by it.
//!
//! The table holds hashes of every run of eight words of the usual licences (GPL, LGPL, GFDL, MPL, Apache, BSD, MIT, ISC, Artistic, Zlib,
//! Boost, Unicode, CC0, Unlicense), sorted, little-endian. `examples/train` makes it from their texts:
//! `train -- licences FOLDER`. They are hashed without a secret: everybody has them.

use super::key::word_hash;
use super::words::{RUN, each_word};

static TABLE: &[u8] = include_bytes!("licences.bin");

/// Fixed, and of no meaning: the digits of pi.
const SEED: (u64, u64) = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);

/// Words remembered: as many as runs are chosen from.
const KEPT: usize = 32;

/// The last words of a text.
#[derive(Debug, Default)]
pub(super) struct Words {
    hashes: [u64; KEPT],
    count: u64,
}

impl Words {
    pub(super) fn push(&mut self, word: &[u8]) {
        if let Some(slot) = self.hashes.get_mut(self.count as usize % KEPT) {
            *slot = word_hash(SEED, word);
        }
        self.count += 1;
    }

    /// Whether the run that begins so many words back stands in a licence.
    pub(super) fn holds_run(&self, back: u64) -> bool {
        self.run(back).is_some_and(holds)
    }

    fn run(&self, back: u64) -> Option<u32> {
        let first = self.count.checked_sub(back)?;
        let mut bytes = [0; 8 * RUN];
        for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(first..) {
            *place = self.hashes.get(number as usize % KEPT)?.to_le_bytes();
        }
        Some((word_hash(SEED, &bytes) >> 32) as u32)
    }
}

/// Whether a run stands in the table.
fn holds(run: u32) -> bool {
    let table = TABLE.as_chunks::<4>().0;
    table.binary_search_by(|entry| u32::from_le_bytes(*entry).cmp(&run)).is_ok()
}

/// The hashes of all runs of a text, in order: what the table is made of.
pub fn runs_of(text: &str) -> Vec<u32> {
    let (mut words, mut runs) = (Words::default(), Vec::new());
    each_word(text.as_bytes(), |word| {
        words.push(word);
        runs.extend(words.run(RUN as u64));
    });
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_licences_are_known_and_others_are_not() {
        let known = "the software is provided \"as is\", WITHOUT WARRANTY of any kind, express or implied";
        assert!(runs_of(known).into_iter().all(holds));
        let other = "the office is provided for all of us, with coffee of any kind, hot or iced";
        assert!(!runs_of(other).into_iter().any(holds));
        assert!(TABLE.as_chunks::<4>().0.is_sorted_by_key(|entry| u32::from_le_bytes(*entry)));
    }
}
