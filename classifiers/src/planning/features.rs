//! Which features does the linear model see in a text?

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::structure::{STRUCTURE, Structure};
use super::words::{self, Line, Reader};

/// Tokens that count as a document's opening.
const OPENING_TOKENS: usize = 80;

/// The kinds of n-grams and how much each weighs as a whole: words, pairs, heading words, words of table rows, first words
/// of items, opening words, stems, first words of lines, words with one between, triples, words of the first line.
pub const KINDS: [(u8, f64); 11] = [
    (b'u', 1.0),
    (b'b', 1.0),
    (b'h', 0.7),
    (b'r', 0.7),
    (b'i', 0.7),
    (b'o', 0.5),
    (b's', 1.0),
    (b'f', 0.5),
    (b'k', 0.7),
    (b't', 0.7),
    (b'T', 0.5),
];

/// A map whose keys are hashes already.
pub type ByHash<K, V> = HashMap<K, V, BuildHasherDefault<AsIs>>;

/// The hasher of [`ByHash`]: spreads the key once, as feature hashes have their kind in the top bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(self.0 ^ u64::from(byte)));
    }

    fn write_u32(&mut self, key: u32) {
        self.write_u64(u64::from(key));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The features of one text.
#[derive(Debug, Clone)]
pub struct Features {
    /// How often each n-gram occurs, by [`hash`].
    pub counts: ByHash<u32, u32>,
    /// What the text is built of, each 0..=1.
    pub structure: [f32; STRUCTURE],
    /// Tokens in all.
    pub tokens: usize,
}

impl Features {
    /// Reads a text and counts every n-gram.
    pub fn of(text: &str) -> Self {
        Self::known(text, |_| true)
    }

    /// Reads a text and counts the n-grams that a model knows; the others cost a look-up and no memory.
    pub fn known(text: &str, known: impl Fn(u32) -> bool) -> Self {
        let mut collector = Collector::new(known);
        words::read(text, &mut collector);
        Self { counts: collector.counts, structure: collector.structure.finish(), tokens: collector.tokens }
    }
}

/// FNV-1a: quick on short words, and the same everywhere.
pub fn word_hash(word: &str) -> u64 {
    word.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The hash of a feature: its kind's place in [`KINDS`] in the top four bits, its words' hashes mixed in the others.
pub fn hash(kind: u8, words: &[&str]) -> u32 {
    let place = KINDS.iter().position(|&(letter, _)| letter == kind).unwrap_or(0);
    mix(place, words.iter().map(|word| word_hash(word)))
}

fn mix(place: usize, words: impl Iterator<Item = u64>) -> u32 {
    let state =
        words.fold(0_u64, |state, word| (state.rotate_left(23) ^ word).wrapping_mul(0x2127_599b_f432_5c37));
    let [.., a, b, c, d] = state.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]) >> 4 | (place as u32) << 28
}

/// The place in [`KINDS`] of a feature's kind.
pub fn kind_of(feature: u32) -> usize {
    (feature >> 28) as usize
}

/// The features with their names, for the trainer, which must know which n-grams may be printed.
pub fn names(text: &str) -> HashMap<u32, String> {
    let mut namer = Namer::default();
    words::read(text, &mut namer);
    namer.names
}

/// Names the kinds that evidence prints: words, pairs, heading words, words of the first line.
#[derive(Default)]
struct Namer {
    names: HashMap<u32, String>,
    previous: String,
}

impl Reader for Namer {
    fn line(&mut self, _kind: Line) {
        self.previous.clear();
    }

    fn token(&mut self, token: &str) {
        for kind in "uhT".bytes() {
            self.names.entry(hash(kind, &[token])).or_insert_with(|| format!("{} {token}", char::from(kind)));
        }
        if !self.previous.is_empty() {
            let pair = hash(b'b', &[&self.previous, token]);
            self.names.entry(pair).or_insert_with(|| format!("b {} {token}", self.previous));
        }
        self.previous.clear();
        self.previous.push_str(token);
    }
}

struct Collector<K> {
    known: K,
    counts: ByHash<u32, u32>,
    structure: Structure,
    line: Line,
    /// The hashes of the two tokens before this one in its line, the nearer one first.
    before: [Option<u64>; 2],
    tokens: usize,
    lines: usize,
}

impl<K: Fn(u32) -> bool> Collector<K> {
    fn new(known: K) -> Self {
        Self {
            known,
            counts: ByHash::default(),
            structure: Structure::default(),
            line: Line::Prose,
            before: [None, None],
            tokens: 0,
            lines: 0,
        }
    }

    /// Counts a feature of the kind at `place` in [`KINDS`].
    fn count<const N: usize>(&mut self, place: usize, words: [u64; N]) {
        let feature = mix(place, words.into_iter());
        if (self.known)(feature) {
            *self.counts.entry(feature).or_insert(0) += 1;
        }
    }
}

impl<K: Fn(u32) -> bool> Reader for Collector<K> {
    fn line(&mut self, kind: Line) {
        self.line = kind;
        self.structure.line(kind);
        self.before = [None, None];
        // Lines before the first word are ornaments.
        if self.lines == 0 || self.tokens > 0 {
            self.lines += 1;
        }
    }

    fn token(&mut self, token: &str) {
        let word = word_hash(token);
        self.tokens += 1;
        self.structure.token(word);
        let [previous, second] = self.before;
        self.count(0, [word]);
        match (self.line, previous) {
            (Line::Heading, _) => self.count(2, [word]),
            (Line::Row, _) => self.count(3, [word]),
            (Line::Item, None) => self.count(4, [word]),
            _ => {}
        }
        if self.tokens <= OPENING_TOKENS {
            self.count(5, [word]);
        }
        if let Some((end, _)) = token.char_indices().nth(5) {
            self.count(6, [word_hash(token.get(..end).unwrap_or(token))]);
        }
        if self.lines <= 1 {
            self.count(10, [word]);
        }
        match previous {
            None => self.count(7, [word]),
            Some(previous) => self.count(1, [previous, word]),
        }
        if let (Some(previous), Some(second)) = (previous, second) {
            self.count(8, [second, word]);
            self.count(9, [second, previous, word]);
        }
        self.before = [Some(word), previous];
    }
}
