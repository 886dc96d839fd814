//! Which pieces is a binary file made of, wherever in another file they stand?
//!
//! Pieces end where the bytes before say so (a gear hash, as in FastCDC: Xia and others, USENIX ATC 2016), so that what is put before
//! or between them moves their ends along. The gears are public: what a piece is, says its keyed hash.

use super::key::{HASHES, IndexKey, Kind};
use super::matches::{Candidate, Spot};

/// Bytes of a piece; the end of a file may be shorter.
const PIECE_BYTES_MIN: usize = 2 << 10;
const PIECE_BYTES_MAX: usize = 32 << 10;
/// A piece ends where these bits of the hash are zero: once in 8 KiB.
const END: u64 = 0x1fff << 40;

/// A piece that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) print: u64,
    pub(super) bytes: usize,
    /// Where in the file it begins.
    pub(super) at: u64,
}

impl Piece {
    pub(super) fn candidate(&self, key: &IndexKey) -> Candidate {
        let spot = Spot { at: self.at, length: self.bytes as u64 };
        let mut hashes = [0; HASHES];
        if let Some(first) = hashes.first_mut() {
            *first = self.print;
        }
        Candidate { kind: Kind::Piece, pick: key.pick(Kind::Piece, self.print), hashes, spot }
    }
}

/// Cuts a file that comes in chunks of any length.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    held: Vec<u8>,
    hash: u64,
    at: u64,
}

impl Cutter {
    pub(super) fn push(&mut self, key: &IndexKey, mut bytes: &[u8], take: &mut impl FnMut(Piece)) {
        while let Some(end) = self.end_in(bytes) {
            let (now, later) = bytes.split_at(end);
            self.held.extend_from_slice(now);
            self.cut(key, take);
            bytes = later;
        }
        self.held.extend_from_slice(bytes);
    }

    pub(super) fn finish(&mut self, key: &IndexKey, take: &mut impl FnMut(Piece)) {
        if !self.held.is_empty() {
            self.cut(key, take);
        }
    }

    /// How many of these bytes still belong to the open piece, if it ends among them.
    fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        let least = PIECE_BYTES_MIN.saturating_sub(self.held.len()).min(bytes.len());
        let most = (PIECE_BYTES_MAX - self.held.len()).min(bytes.len());
        let mut hash = self.hash;
        for (at, byte) in bytes.iter().enumerate().take(most).skip(least) {
            hash = (hash << 1).wrapping_add(GEARS.get(usize::from(*byte)).copied().unwrap_or(0));
            if hash & END == 0 {
                return Some(at + 1);
            }
        }
        self.hash = hash;
        (self.held.len() + most == PIECE_BYTES_MAX).then_some(most)
    }

    fn cut(&mut self, key: &IndexKey, take: &mut impl FnMut(Piece)) {
        let bytes = self.held.len();
        // A piece of one byte over and over, as padding is, tells nothing.
        let first = self.held.first().copied();
        if self.held.iter().any(|byte| Some(*byte) != first) {
            take(Piece { print: key.print(Kind::Piece, &[&self.held]), bytes, at: self.at });
        }
        self.at += bytes as u64;
        self.hash = 0;
        self.held.clear();
    }
}

/// A random number for each byte, by SplitMix64 from zero.
const GEARS: [u64; 256] = {
    let mut gears = [0; 256];
    let (mut state, mut at) = (0_u64, 0);
    while at < gears.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut gear = state;
        gear = (gear ^ gear >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        gear = (gear ^ gear >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[allow(clippy::indexing_slicing)] // Evaluated by the compiler.
        {
            gears[at] = gear ^ gear >> 31;
        }
        at += 1;
    }
    gears
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn random(bytes: usize, mut state: u64) -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(bytes).collect()
    }

    fn pieces(bytes: &[u8], cut: usize) -> Vec<Piece> {
        let key = IndexKey::new(&[7; 32]);
        let (mut cutter, mut all) = (Cutter::default(), Vec::new());
        for chunk in bytes.chunks(cut) {
            cutter.push(&key, chunk, &mut |piece| all.push(piece));
        }
        cutter.finish(&key, &mut |piece| all.push(piece));
        all
    }

    #[test]
    fn what_is_put_into_a_file_changes_the_pieces_around_it_alone() {
        let before = random(400_000, 1);
        let mut after = random(777, 2);
        after.extend_from_slice(&before[..150_000]);
        after.extend_from_slice(b"a few bytes in between");
        after.extend_from_slice(&before[150_000..]);
        let known: BTreeSet<u64> = pieces(&before, 4096).iter().map(|piece| piece.print).collect();
        let found = pieces(&after, 4096).iter().filter(|piece| known.contains(&piece.print)).count();
        assert!(known.len() > 20 && found + 6 >= known.len(), "{found} of {}", known.len());
    }

    #[test]
    fn padding_is_no_piece() {
        assert_eq!(pieces(&[0; 200_000], 1 << 16), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn chunking_changes_no_piece(seed in any::<u64>(), bytes in 0_usize..100_000, cut in 1_usize..5000) {
            let bytes = random(bytes, seed);
            prop_assert_eq!(pieces(&bytes, cut), pieces(&bytes, 1 << 20));
        }
    }
}
