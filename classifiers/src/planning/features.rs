//! Which features does the linear model see in a text?

use std::collections::HashMap;

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

/// The features of one text.
#[derive(Debug, Clone)]
pub struct Features {
    /// How often each n-gram occurs, by [`hash`].
    pub counts: HashMap<u32, u32>,
    /// What the text is built of, each 0..=1.
    pub structure: [f32; STRUCTURE],
    /// Tokens in all.
    pub tokens: usize,
}

impl Features {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        let mut collector = Collector::default();
        words::read(text, &mut collector);
        Self { counts: collector.counts, structure: collector.structure.finish(), tokens: collector.tokens }
    }
}

/// The hash of a feature: its kind's place in [`KINDS`] in the top four bits, FNV-1a of its words in the others (quick on
/// short words, and the same everywhere).
pub fn hash(kind: u8, words: &[&str]) -> u32 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut byte = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for word in words {
        byte(0);
        word.bytes().for_each(&mut byte);
    }
    let place = KINDS.iter().position(|&(letter, _)| letter == kind).unwrap_or(0);
    let [low @ .., _, _, _, _] = (state ^ (state >> 32)).to_le_bytes();
    u32::from_le_bytes(low) & 0x0fff_ffff | (place as u32) << 28
}

/// The place in [`KINDS`] of a feature's kind.
pub fn kind_of(feature: u32) -> usize {
    (feature >> 28) as usize
}

/// The features with their names, for the trainer, which must know which n-grams may be printed.
pub fn names(text: &str) -> HashMap<u32, String> {
    let mut collector = Collector { names: Some(HashMap::new()), ..Collector::default() };
    words::read(text, &mut collector);
    collector.names.unwrap_or_default()
}

#[derive(Default)]
struct Collector {
    counts: HashMap<u32, u32>,
    structure: Structure,
    line: Option<Line>,
    /// The two tokens before this one in its line, the nearer one first.
    before: [String; 2],
    tokens: usize,
    lines: usize,
    names: Option<HashMap<u32, String>>,
}

impl Collector {
    fn count(&mut self, kind: u8, words: &[&str]) {
        let feature = hash(kind, words);
        *self.counts.entry(feature).or_insert(0) += 1;
        if let Some(names) = &mut self.names {
            names.entry(feature).or_insert_with(|| format!("{} {}", char::from(kind), words.join(" ")));
        }
    }
}

impl Reader for Collector {
    fn line(&mut self, kind: Line) {
        self.line = Some(kind);
        self.structure.line(kind);
        self.before.iter_mut().for_each(String::clear);
        // Lines before the first word are ornaments.
        if self.lines == 0 || self.tokens > 0 {
            self.lines += 1;
        }
    }

    fn token(&mut self, token: &str) {
        self.tokens += 1;
        self.structure.token(token);
        let [previous, second] = std::mem::take(&mut self.before);
        self.count(b'u', &[token]);
        if self.lines <= 1 {
            self.count(b'T', &[token]);
        }
        match self.line {
            Some(Line::Heading) => self.count(b'h', &[token]),
            Some(Line::Row) => self.count(b'r', &[token]),
            Some(Line::Item) if previous.is_empty() => self.count(b'i', &[token]),
            _ => {}
        }
        if previous.is_empty() {
            self.count(b'f', &[token]);
        } else {
            self.count(b'b', &[&previous, token]);
        }
        if !second.is_empty() {
            self.count(b'k', &[&second, token]);
            self.count(b't', &[&second, &previous, token]);
        }
        if self.tokens <= OPENING_TOKENS {
            self.count(b'o', &[token]);
        }
        if let Some((end, _)) = token.char_indices().nth(5) {
            self.count(b's', &[token.get(..end).unwrap_or(token)]);
        }
        let mut nearest = second;
        nearest.clear();
        nearest.push_str(token);
        self.before = [nearest, previous];
    }
}
