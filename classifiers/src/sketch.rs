//! How many different values? A keyed sketch: mergeable, bounded, and of no use to who wants the values.

use std::hash::Hasher;

use serde::{Serialize, Serializer};
use siphasher::sip::SipHasher13;

/// Values counted exactly before the sketch becomes an estimate.
const EXACT_MAX: usize = 1024;
/// Registers of the estimate: 2^14, one byte each. The standard error is 1.04 / sqrt(2^14) = 0.8 %.
const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;

/// Turns values into hashes that cannot be guessed back without the key, not even for values as few as phone numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HashKey(u64, u64, bool);

impl HashKey {
    /// Both halves of `key` enter: the second is hashed with the first.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        let word = |at: usize| {
            key.iter().skip(at).take(8).enumerate().fold(0, |word, (i, b)| word | (u64::from(*b) << (8 * i)))
        };
        let outer = Self(word(0), word(8), false);
        let derive = |last: u8| {
            let mut hasher = SipHasher13::new_with_keys(outer.0, outer.1);
            hasher.write_u64(word(16));
            hasher.write_u64(word(24));
            hasher.write_u8(last);
            hasher.finish()
        };
        Self(derive(0), derive(1), false)
    }

    /// The same, where people are not only counted but listed too: for [`crate::affected`] alone.
    pub(crate) fn listing(self) -> Self {
        Self(self.0, self.1, true)
    }

    /// Whether people are listed.
    pub(crate) fn lists(self) -> bool {
        self.2
    }

    /// The keyed hash of a value as it stands.
    pub(crate) fn hash(&self, value: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write(value);
        hasher.finish()
    }

    /// The keyed hash of a value without regard to ASCII case and surrounding blanks, for addresses and names.
    pub(crate) fn hash_folded(&self, value: &[u8]) -> u64 {
        let value = value.trim_ascii();
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        let (words, rest) = value.as_chunks::<8>();
        for word in words {
            hasher.write_u64(folded(u64::from_le_bytes(*word)));
        }
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hasher.write_u64(folded(last));
        hasher.write_u64(value.len() as u64);
        hasher.finish()
    }
}

/// Eight bytes in ASCII lower case.
pub(crate) fn folded(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * EACH);
    // The top bit of each byte that is at least `A`, and of each that is beyond `Z`.
    let at_least_a = low + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low + (0x7f - b'Z' as u64) * EACH;
    let upper = at_least_a & !beyond_z & !word & (0x80 * EACH);
    word | upper >> 2
}

/// A count of distinct values that can be merged across objects.
///
/// Exact up to 1,024 values; beyond that a HyperLogLog of 16 KiB with a standard error of 0.8 %, so that 99.7 % of all
/// estimates are within 2.5 % of the truth. Sketches can be merged where they were made with the same key.
#[derive(Clone)]
pub struct Distinct(Counts);

#[derive(Clone)]
enum Counts {
    /// The hashes themselves, sorted.
    Exact(Vec<u64>),
    /// For each register the longest run of zeros seen, plus one.
    Registers(Box<[u8]>),
}

/// The estimate alone: hashes have no place in logs.
impl std::fmt::Debug for Distinct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Distinct").field(&self.estimate()).finish()
    }
}

impl Default for Distinct {
    fn default() -> Self {
        Self(Counts::Exact(Vec::new()))
    }
}

impl Distinct {
    /// The number of distinct values, exact while it is small.
    pub fn estimate(&self) -> u64 {
        match &self.0 {
            Counts::Exact(hashes) => hashes.len() as u64,
            Counts::Registers(registers) => estimate(registers),
        }
    }

    /// Adds the values of another sketch made with the same key.
    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            Counts::Exact(hashes) => hashes.iter().for_each(|hash| self.insert(*hash)),
            Counts::Registers(theirs) => {
                for (mine, theirs) in self.registers().iter_mut().zip(theirs) {
                    *mine = (*mine).max(*theirs);
                }
            }
        }
    }

    /// Counts a value by its keyed hash.
    pub(crate) fn insert(&mut self, hash: u64) {
        match &mut self.0 {
            Counts::Exact(hashes) => {
                let Err(at) = hashes.binary_search(&hash) else { return };
                hashes.insert(at, hash);
                if hashes.len() > EXACT_MAX {
                    self.registers();
                }
            }
            Counts::Registers(registers) => observe(registers, hash),
        }
    }

    /// Whether nothing was counted yet.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Counts::Exact(hashes) if hashes.is_empty())
    }

    fn registers(&mut self) -> &mut [u8] {
        if let Counts::Exact(hashes) = &self.0 {
            let mut registers = vec![0; REGISTERS].into_boxed_slice();
            hashes.iter().for_each(|hash| observe(&mut registers, *hash));
            self.0 = Counts::Registers(registers);
        }
        match &mut self.0 {
            Counts::Registers(registers) => registers,
            Counts::Exact(_) => &mut [],
        }
    }
}

fn observe(registers: &mut [u8], hash: u64) {
    let rank = ((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() as u8 + 1;
    if let Some(register) = registers.get_mut((hash >> (64 - REGISTER_BITS)) as usize) {
        *register = (*register).max(rank);
    }
}

/// Ertl's improved estimator: unbiased over the whole range, without the tables of the first ones
/// (O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, section 4).
fn estimate(registers: &[u8]) -> u64 {
    const RANK_MAX: usize = 64 - REGISTER_BITS as usize + 1;
    let mut ranks = [0u32; RANK_MAX + 1];
    for rank in registers {
        if let Some(count) = ranks.get_mut(usize::from(*rank)) {
            *count += 1;
        }
    }
    let m = REGISTERS as f64;
    let count = |rank: usize| f64::from(ranks.get(rank).copied().unwrap_or(0));
    let mut z = m * tau(1.0 - count(RANK_MAX) / m);
    for rank in (1..RANK_MAX).rev() {
        z = 0.5 * (z + count(rank));
    }
    z += m * sigma(count(0) / m);
    (m * m / (2.0 * std::f64::consts::LN_2 * z)).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before || !z.is_finite() {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

impl Serialize for Distinct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.estimate())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(values: impl IntoIterator<Item = u64>) -> Distinct {
        let key = HashKey::new([7; 32]);
        let mut distinct = Distinct::default();
        for value in values {
            distinct.insert(key.hash(&value.to_le_bytes()));
        }
        distinct
    }

    #[test]
    fn small_counts_are_exact() {
        assert_eq!(counted((0..1024).chain(0..1024)).estimate(), 1024);
    }

    #[test]
    fn estimates_stay_within_three_standard_errors() {
        for n in [1_500, 10_000, 40_000, 100_000, 1_000_000_u64] {
            let error = counted(0..n).estimate() as f64 / n as f64 - 1.0;
            assert!(error.abs() < 0.025, "{n}: {error}");
        }
    }

    #[test]
    fn folding_touches_capital_letters_only() {
        for byte in 0..=255_u8 {
            let word = u64::from_le_bytes([byte, b'A', 0x80, byte, b'z', b'[', b'@', byte]);
            let expected: Vec<u8> = word.to_le_bytes().iter().map(u8::to_ascii_lowercase).collect();
            assert_eq!(folded(word).to_le_bytes().to_vec(), expected);
        }
    }

    #[test]
    fn another_key_gives_other_hashes() {
        let mut key = [7; 32];
        key[31] = 8;
        assert_ne!(HashKey::new([7; 32]).hash(b"jane"), HashKey::new(key).hash(b"jane"));
    }

    #[test]
    fn case_and_blanks_do_not_make_another_person() {
        let key = HashKey::new([1; 32]);
        assert_eq!(key.hash_folded(b" Jane.Doe@Acme.example"), key.hash_folded(b"jane.doe@acme.example "));
    }

    proptest! {
        #[test]
        fn merging_counts_what_one_sketch_would_have_counted(split in 0_u64..4000, total in 0_u64..4000) {
            let split = split.min(total);
            let mut left = counted(0..split);
            left.merge(&counted(split / 2..total));
            prop_assert_eq!(left.estimate(), counted(0..total).estimate());
        }
    }
}
