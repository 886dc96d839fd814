//! Which words stand in a text, however it is laid out, and which runs of them stand for it?
//!
//! Words are folded: case, accents, ligatures, full-width forms, soft hyphens and everything between words do not count, so
//! that the same text is the same words as Word file, PDF, HTML or plain text. Of every [`WINDOW`] runs of [`RUN`] words that
//! follow each other at least one is chosen (winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003): whatever shares
//! `RUN + WINDOW - 1` = 23 words with a known text shares a print with it, and about one run in eight is kept.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use wide::u8x16;

use super::key::{IndexKey, Kind};
use super::licences;
use crate::scan::within;

/// Words of a run.
pub(super) const RUN: usize = 8;
/// Runs of which one is chosen.
const WINDOW: usize = 16;
/// Bytes of a word; what is longer is no word but data, and counts as its beginning.
const WORD_BYTES_MAX: usize = 64;
/// Letters and digits that follow each other; more of them are data.
const ASCII_WORD_BYTES_MAX: usize = 20;
/// Bytes without a blank that are taken apart together.
const STRETCH_BYTES: usize = 1024;

/// A chosen run of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The hashes of its words.
    pub(super) words: [u64; RUN],
    /// What the filter knows it by.
    pub(super) pick: u64,
    /// The number of its first word in the text.
    pub(super) at: u64,
    /// Whether it stands in a common licence; only where that was asked for.
    pub(super) of_licence: bool,
}

/// Words and runs remembered: more than a window and the words of its runs.
const KEPT: usize = 32;

/// The last so many of something, by their numbers.
#[derive(Debug, Default)]
struct Ring([u64; KEPT]);

impl Ring {
    fn set(&mut self, number: u64, value: u64) {
        if let Some(slot) = self.0.get_mut(number as usize % KEPT) {
            *slot = value;
        }
    }

    fn get(&self, number: u64) -> u64 {
        self.0.get(number as usize % KEPT).copied().unwrap_or(0)
    }
}

/// Chooses runs from a text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Winnow {
    words: Ring,
    count: u64,
    /// The polynomial over the last words of each run, and what runs are chosen by: the least of a window is.
    sums: Ring,
    orders: Ring,
    sum: u64,
    least: Option<(u64, u64)>,
    chosen: bool,
    /// A word that the end of a piece may have cut.
    open: Vec<u8>,
    /// The last words as licences are compared by, where they are.
    plain: Option<Box<licences::Words>>,
}

impl Winnow {
    /// One that tells runs of licences apart.
    pub(super) fn knowing_licences() -> Self {
        Self { plain: Some(Box::default()), ..Self::default() }
    }

    /// Takes a piece of a text whose words may be cut by its ends.
    pub(super) fn push(&mut self, key: &IndexKey, mut text: &[u8], take: &mut impl FnMut(Run)) {
        if !self.open.is_empty() {
            let end = text.iter().position(|byte| !may_be_of_word(*byte));
            let (now, later) = text.split_at(end.unwrap_or(text.len()));
            self.open.extend_from_slice(now);
            if end.is_none() {
                self.cut_open(key, take);
                return;
            }
            let open = std::mem::take(&mut self.open);
            self.whole_words(key, &open, take);
            text = later;
        }
        let cut = text.iter().rposition(|byte| !may_be_of_word(*byte)).map_or(0, |at| at + 1);
        let (whole, open) = text.split_at(cut);
        self.whole_words(key, whole, take);
        self.open.extend_from_slice(open);
        self.cut_open(key, take);
    }

    /// Ends the text.
    pub(super) fn finish(&mut self, key: &IndexKey, take: &mut impl FnMut(Run)) {
        let open = std::mem::take(&mut self.open);
        self.whole_words(key, &open, take);
        // A text shorter than a window is told by its least run.
        if !self.chosen
            && let Some((at, _)) = self.least
        {
            take(self.run(key, at));
        }
    }

    /// What runs on without a blank, as some scripts do and data does, is cut at fixed places.
    fn cut_open(&mut self, key: &IndexKey, take: &mut impl FnMut(Run)) {
        while self.open.len() > STRETCH_BYTES {
            let rest = self.open.split_off(STRETCH_BYTES);
            let stretch = std::mem::replace(&mut self.open, rest);
            self.whole_words(key, &stretch, take);
        }
    }

    fn whole_words(&mut self, key: &IndexKey, text: &[u8], take: &mut impl FnMut(Run)) {
        each_stretch(text, |at, stretch| {
            if is_data(stretch) {
                return;
            }
            if self.plain.is_none()
                && let Some(hash) = key.ascii_word(text, at, stretch.len())
            {
                self.word(key, hash, take);
                return;
            }
            words_of(stretch, |word| {
                if let Some(plain) = &mut self.plain {
                    plain.push(word);
                }
                self.word(key, key.word(word), take);
            });
        });
    }

    fn word(&mut self, key: &IndexKey, hash: u64, take: &mut impl FnMut(Run)) {
        let gone = self.count.checked_sub(RUN as u64).map_or(0, |number| self.words.get(number));
        self.sum = key.roll(self.sum, gone, hash);
        self.words.set(self.count, hash);
        self.count += 1;
        let Some(at) = self.count.checked_sub(RUN as u64) else { return };
        let order = key.order(self.sum);
        self.sums.set(at, self.sum);
        self.orders.set(at, order);
        let full = at + 1 >= WINDOW as u64;
        let gone = self.least.is_some_and(|(least, _)| least + WINDOW as u64 <= at);
        // The last of equal ones is chosen, so that a run that repeats is chosen rarely.
        let first = if self.least.is_none_or(|(_, least)| order <= least) {
            Some((at, order))
        } else if gone {
            let window = at + 1 - WINDOW as u64..=at;
            window
                .map(|at| (at, self.orders.get(at)))
                .min_by_key(|(at, order)| (*order, std::cmp::Reverse(*at)))
        } else {
            None
        };
        if first.is_some() {
            self.least = first;
        }
        if full
            && (first.is_some() || !self.chosen)
            && let Some((at, _)) = self.least
        {
            self.chosen = true;
            take(self.run(key, at));
        }
    }

    fn run(&self, key: &IndexKey, at: u64) -> Run {
        let mut words = [0; RUN];
        for (word, number) in words.iter_mut().zip(at..) {
            *word = self.words.get(number);
        }
        let of_licence = self.plain.as_ref().is_some_and(|plain| plain.holds_run(self.count - at));
        Run { words, pick: key.pick(Kind::Words, self.sums.get(at)), at, of_licence }
    }
}

/// Calls `take` for each stretch of letters, digits and bytes that are not ASCII, with where it begins.
fn each_stretch<'a>(text: &'a [u8], mut take: impl FnMut(usize, &'a [u8])) {
    let (mut begin, mut inside) = (0, 0);
    let mut found = |begin: usize, end: usize| {
        let stretch = text.get(begin..end).unwrap_or_default();
        if stretch.len() <= STRETCH_BYTES {
            take(begin, stretch);
        } else {
            for (number, part) in stretch.chunks(STRETCH_BYTES).enumerate() {
                take(begin + number * STRETCH_BYTES, part);
            }
        }
    };
    for (number, block) in text.chunks(LANES).enumerate() {
        let mask = word_mask(block);
        // A bit where a stretch begins or ends.
        let mut turns = mask ^ (mask << 1 | inside);
        while turns != 0 {
            let at = number * LANES + turns.trailing_zeros() as usize;
            turns &= turns - 1;
            if inside == 0 {
                begin = at;
            } else {
                found(begin, at);
            }
            inside ^= 1;
        }
    }
    if inside == 1 {
        found(begin, text.len());
    }
}

/// Bytes looked at together.
const LANES: usize = 64;

/// A bit for each byte that may be of a word, the first lowest; what is missing is not.
fn word_mask(block: &[u8]) -> u64 {
    let Some(whole) = block.first_chunk::<LANES>() else {
        return block.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(may_be_of_word(*byte)));
    };
    let mut mask = 0;
    for (place, sixteen) in whole.as_chunks::<16>().0.iter().enumerate() {
        let v = u8x16::new(*sixteen);
        let of_word = within(v, b'0', 10) | within(v | u8x16::splat(0x20), b'a', 26) | v;
        // The highest bit of each byte is what counts: set by either test, and in bytes that are not ASCII.
        mask |= u64::from(of_word.to_bitmask()) << (16 * place);
    }
    mask
}

fn may_be_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// What is written inside of words without being part of them: soft hyphens, zero-width blanks and joiners.
fn is_silent(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Scripts that are written without blanks, of which each character counts as a word.
fn stands_alone(char: char) -> bool {
    matches!(char, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The folded words of a text, in order.
pub(super) fn each_word(text: &[u8], mut take: impl FnMut(&[u8])) {
    each_stretch(text, |_, stretch| {
        if !is_data(stretch) {
            words_of(stretch, &mut take);
        }
    });
}

/// Whether a stretch is too long for a word.
fn is_data(stretch: &[u8]) -> bool {
    stretch.len() > ASCII_WORD_BYTES_MAX && stretch.is_ascii()
}

/// The folded words of a stretch without ASCII between words.
fn words_of(stretch: &[u8], mut take: impl FnMut(&[u8])) {
    let folded = fold(&String::from_utf8_lossy(stretch)).into_owned();
    for word in folded.split(|c: char| !c.is_alphanumeric()) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let end = if stands_alone(first) {
                first.len_utf8()
            } else {
                rest.find(stands_alone).unwrap_or(rest.len())
            };
            let (word, tail) = rest.split_at(end);
            take(word.as_bytes().get(..WORD_BYTES_MAX).unwrap_or(word.as_bytes()));
            rest = tail;
        }
    }
}

/// A text in lower case, compatibility forms and accents taken apart and left out.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    let kept = text.nfkd().filter(|c| !is_combining_mark(*c) && !is_silent(*c));
    Cow::Owned(kept.flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(text: &str, cut: usize) -> Vec<Run> {
        let key = IndexKey::new(&[7; 32]);
        let (mut winnow, mut all) = (Winnow::default(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = cut.clamp(1, rest.len());
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let (piece, tail) = rest.split_at(end);
            winnow.push(&key, piece.as_bytes(), &mut |run| all.push(run));
            rest = tail;
        }
        winnow.finish(&key, &mut |run| all.push(run));
        all
    }

    fn words(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_word(text.as_bytes(), |word| all.push(String::from_utf8_lossy(word).into_owned()));
        all
    }

    #[test]
    fn layout_case_accents_and_typography_do_not_count() {
        let plain = words("the office of Jose Muller: profile 2026, it's done");
        for same in [
            "The OFFICE of\n\tJosé Müller — profile 2026; it’s done.",
            "the office of Jose\u{301} Mu\u{308}ller: pro\u{ad}file 2026, it's done",
            "the o\u{fb03}ce of Ｊosé Müller: pro\u{fb01}le ２０２６, it\u{2019}s done",
        ] {
            assert_eq!(words(same), plain, "{same}");
        }
        assert_eq!(words("2026人事部 plan"), ["2026", "人", "事", "部", "plan"]);
    }

    #[test]
    fn a_long_text_without_a_blank_takes_no_memory() {
        let key = IndexKey::new(&[7; 32]);
        let mut winnow = Winnow::default();
        for _ in 0..10_000 {
            winnow.push(&key, "x".repeat(1000).as_bytes(), &mut |_| {});
        }
        assert!(winnow.open.len() < 4096, "{}", winnow.open.len());
    }

    proptest! {
        #[test]
        fn cutting_a_text_changes_nothing(text in "([a-zé人]{1,12}[ ,.\n]{0,2}){0,120}", cut in 1_usize..200) {
            prop_assert_eq!(runs(&text, cut), runs(&text, usize::MAX));
        }

        #[test]
        fn knowing_licences_changes_no_run(text in "([A-Zb-zé人0-9]{1,20}[ ,.’\n]{1,2}){0,120}") {
            let key = IndexKey::new(&[7; 32]);
            let mut all = Vec::new();
            let mut winnow = Winnow::knowing_licences();
            winnow.push(&key, text.as_bytes(), &mut |run| all.push(run));
            winnow.finish(&key, &mut |run| all.push(run));
            prop_assert_eq!(runs(&text, usize::MAX), all);
        }

        #[test]
        fn texts_that_share_23_words_share_a_run(
            before in proptest::collection::vec("[a-z]{1,8}", 0..60),
            shared in proptest::collection::vec("[a-z]{1,8}", 23..60),
            after in proptest::collection::vec("[a-z]{1,8}", 0..60),
            other in proptest::collection::vec("[A-Z]{3,8}", 0..60),
        ) {
            let one = [before, shared.clone(), after].concat().join(" ");
            let two = [other.clone(), shared, other].concat().join("\n");
            let one: Vec<_> = runs(&one, usize::MAX).iter().map(|run| run.words).collect();
            prop_assert!(runs(&two, usize::MAX).iter().any(|run| one.contains(&run.words)));
        }
    }
}
