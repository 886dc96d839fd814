//! What makes an index worthless to who has it without its key?
//!
//! Everything that an index keeps is either the output of a keyed hash or encrypted. All of it is derived from one secret of 32
//! bytes, which is kept apart from the index.

use std::fmt;
use std::hash::Hasher;

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use siphasher::sip::SipHasher13;
use zeroize::Zeroizing;

use super::words::RUN;
use crate::sketch::folded;

/// Bytes of the secret.
pub const KEY_BYTES: usize = 32;
/// Hashes that a print is made of at most.
pub(super) const HASHES: usize = 8;
/// Bytes that sealing adds.
pub(super) const SEAL_BYTES: usize = 16;
/// Bytes of randomness that one index is sealed with.
pub(super) const SALT_BYTES: usize = 16;

/// What a print is made of; kinds never collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Kind {
    /// A whole file's size, alone or with one of its digests.
    Whole = 0,
    /// Eight words that follow each other.
    Words = 1,
    /// Telling cells of one row.
    Row = 2,
    /// A piece of a binary file, cut by its content.
    Piece = 3,
}

/// The secret that an index is made and read with.
#[derive(Clone)]
pub struct IndexKey {
    print: Zeroizing<[u8; 32]>,
    seal: Zeroizing<[u8; 32]>,
    tag: Zeroizing<[u8; 32]>,
    check: [u8; 32],
    word: (u64, u64),
    last_factor: u64,
    pick: (u64, u64),
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(…)")
    }
}

impl IndexKey {
    /// Derives everything from 32 secret bytes.
    pub fn new(secret: &[u8; KEY_BYTES]) -> Self {
        let derive = |purpose: &str| blake3::derive_key(purpose, secret);
        let pair = |purpose: &str| {
            let bytes = derive(purpose);
            let word = |from: usize| {
                bytes.iter().skip(from).take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
            };
            (word(0), word(8))
        };
        let word = pair("spillwatch 2026-11-26 index 1: words");
        Self {
            print: Zeroizing::new(derive("spillwatch 2026-11-26 index 1: prints")),
            seal: Zeroizing::new(derive("spillwatch 2026-11-26 index 1: names and digests")),
            tag: Zeroizing::new(derive("spillwatch 2026-11-26 index 1: tags")),
            check: derive("spillwatch 2026-11-26 index 1: check"),
            word,
            last_factor: (word.0 | 1).wrapping_pow(RUN as u32 - 1),
            pick: pair("spillwatch 2026-11-26 index 1: choice and filter"),
        }
    }

    /// Reads a key as it stands in a file or an environment variable: 64 hexadecimal digits, blanks around them aside.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != KEY_BYTES || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in secret.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self::new(&secret))
    }

    /// By this an index recognises its key.
    pub(super) fn check(&self) -> &[u8; 32] {
        &self.check
    }

    /// The hash of a folded word.
    pub(super) fn word(&self, word: &[u8]) -> u64 {
        word_hash(self.word, word)
    }

    /// The hash of the word of ASCII letters and digits that stands in a text, folded to lower case; none where it is not ASCII.
    pub(super) fn ascii_word(&self, text: &[u8], at: usize, length: usize) -> Option<u64> {
        let (first, second) = self.word;
        let mut hash = first ^ length as u64;
        let (mut at, mut left, mut bits) = (at, length, 0);
        while left >= 8 {
            let eight = load(text, at);
            bits |= eight;
            hash = folded_product(hash ^ lower(eight), second | 1);
            (at, left) = (at + 8, left - 8);
        }
        let mask = (1 << (8 * left)) - 1;
        let last = load(text, at);
        bits |= last & mask;
        let is_ascii = bits & 0x8080_8080_8080_8080 == 0;
        is_ascii.then(|| folded_product(hash ^ lower(last) & mask, second | 1))
    }

    /// The hash of a cell of ASCII, without regard to case.
    pub(super) fn ascii_cell(&self, cell: &[u8]) -> u64 {
        let (first, second) = self.word;
        let (eights, rest) = cell.as_chunks::<8>();
        let hash = first ^ cell.len() as u64;
        let hash = eights
            .iter()
            .fold(hash, |hash, eight| folded_product(hash ^ folded(u64::from_le_bytes(*eight)), second | 1));
        let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
        folded_product(hash ^ folded(last), second | 1)
    }

    /// The polynomial over the last words, when one comes and the eighth before it goes.
    pub(super) fn roll(&self, sum: u64, gone: u64, word: u64) -> u64 {
        let factor = self.word.0 | 1;
        sum.wrapping_sub(gone.wrapping_mul(self.last_factor)).wrapping_mul(factor).wrapping_add(word)
    }

    /// By what runs are chosen: no order that can be foreseen.
    pub(super) fn order(&self, sum: u64) -> u64 {
        folded_product(sum ^ self.word.1, self.word.0 | 1)
    }

    /// A keyed hash of hashes, for choosing prints and for the filter before them: far cheaper than the print itself.
    pub(super) fn pick(&self, kind: Kind, value: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.pick.0, self.pick.1);
        hasher.write_u64(value ^ (kind as u64) << 56);
        hasher.finish()
    }

    /// The print that stands in the index.
    pub(super) fn print(&self, kind: Kind, parts: &[&[u8]]) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.print);
        hasher.update(&[kind as u8]);
        for part in parts {
            hasher.update(part);
        }
        first_word(hasher.finalize())
    }

    /// The print of hashes.
    pub(super) fn print_of(&self, kind: Kind, hashes: &[u64; HASHES]) -> u64 {
        // The kind stays in the last byte.
        let mut bytes = [kind as u8; 8 * HASHES + 1];
        for (place, hash) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(hashes) {
            *place = hash.to_le_bytes();
        }
        first_word(blake3::keyed_hash(&self.print, &bytes))
    }

    /// Authenticates bytes that stand at a place.
    pub(super) fn tag(&self, place: u64, bytes: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.tag);
        *hasher.update(&place.to_le_bytes()).update(bytes).finalize().as_bytes()
    }

    /// Encrypts a page of an index in place, its tag at the end.
    pub(super) fn seal(&self, salt: &[u8; SALT_BYTES], page: u64, bytes: &mut Vec<u8>) {
        let cipher = XChaCha20Poly1305::new((&*self.seal).into());
        // Fails for more than 2^38 bytes only, which a page never has: then nothing of it stands in the index.
        match cipher.encrypt_in_place_detached(&nonce(salt, page), b"", bytes) {
            Ok(tag) => bytes.extend_from_slice(&tag),
            Err(_) => bytes.clear(),
        }
    }

    /// Decrypts a page; none where it was changed.
    pub(super) fn open(&self, salt: &[u8; SALT_BYTES], page: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let (bytes, tag) = sealed.split_at_checked(sealed.len().checked_sub(SEAL_BYTES)?)?;
        let mut bytes = bytes.to_vec();
        let cipher = XChaCha20Poly1305::new((&*self.seal).into());
        cipher.decrypt_in_place_detached(&nonce(salt, page), b"", &mut bytes, Tag::from_slice(tag)).ok()?;
        Some(bytes)
    }
}

/// One index has a salt of its own, and its pages have numbers: no nonce comes twice.
fn nonce(salt: &[u8; SALT_BYTES], page: u64) -> XNonce {
    let mut nonce = XNonce::default();
    let number = page.to_le_bytes();
    for (to, from) in nonce.iter_mut().zip(salt.iter().chain(&number)) {
        *to = *from;
    }
    nonce
}

fn first_word(hash: blake3::Hash) -> u64 {
    hash.as_bytes().iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// A universal hash of a short text: enough to tell words apart under a secret key, and a few cycles each.
pub(super) fn word_hash((first, second): (u64, u64), word: &[u8]) -> u64 {
    let mut hash = first ^ word.len() as u64;
    let (eights, rest) = word.as_chunks::<8>();
    for eight in eights {
        hash = folded_product(hash ^ u64::from_le_bytes(*eight), second | 1);
    }
    let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
    folded_product(hash ^ last, second | 1)
}

/// Eight bytes from a place on, as far as there are so many.
fn load(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// ASCII letters and digits in lower case, eight at once: digits have the bit already.
fn lower(word: u64) -> u64 {
    word | 0x2020_2020_2020_2020
}

fn folded_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_page_opens_with_its_key_its_salt_and_its_number_alone() {
        let key = IndexKey::new(&[7; 32]);
        let mut page = b"hr/directory.csv".to_vec();
        key.seal(&[1; 16], 3, &mut page);
        assert!(!page.windows(9).any(|window| window == b"directory"));
        assert_eq!(key.open(&[1; 16], 3, &page).as_deref(), Some(&b"hr/directory.csv"[..]));
        assert!(key.open(&[1; 16], 4, &page).is_none());
        assert!(key.open(&[2; 16], 3, &page).is_none());
        assert!(IndexKey::new(&[8; 32]).open(&[1; 16], 3, &page).is_none());
        assert!(key.open(&[1; 16], 3, &page[..10]).is_none());
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert!(IndexKey::from_hex(&format!(" {}\n", "0fA9".repeat(16))).is_some());
        for wrong in ["", "0f", &"0g".repeat(32), &"00".repeat(33), "naïve"] {
            assert!(IndexKey::from_hex(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{:?}", IndexKey::new(&[7; 32])), "IndexKey(…)");
    }

    #[test]
    fn prints_of_different_kinds_or_keys_differ() {
        let (one, other) = (IndexKey::new(&[7; 32]), IndexKey::new(&[8; 32]));
        assert_ne!(one.print_of(Kind::Words, &[1; HASHES]), one.print_of(Kind::Row, &[1; HASHES]));
        assert_ne!(one.print_of(Kind::Words, &[1; HASHES]), other.print_of(Kind::Words, &[1; HASHES]));
        assert_ne!(one.word(b"roadmap"), other.word(b"roadmap"));
        assert_ne!(one.word(b"a"), one.word(b"a\0"));
    }
}
