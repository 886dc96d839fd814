//! Where in these bytes could something stand that a detector wants to look at?
//!
//! One pass for all detectors: 64 bytes become four bit masks, shapes are found by shifting and combining them, and only
//! the few positions left are looked at byte by byte. The pass is compiled for several levels of vector instructions, and the
//! best that the machine has is chosen when it runs.

mod masks;

use fearless_simd::{Level, Simd, dispatch};

pub(crate) use masks::within;
use masks::{LANES, is_token, masks};

/// What could stand at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// An `@`.
    At,
    /// A number with the digits of a phone, card or id, at its first digit.
    Number,
    /// A `+` before a digit.
    Plus,
    /// Two or six letters and two digits at the start of a word, as IBANs and Italian tax codes have.
    Code,
    /// Twenty or more letters, digits, `_` and `-`, at the first.
    Token,
}

/// Which candidates are of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    /// All.
    All,
    /// Only what secrets begin with, where it is known already that the text is about people.
    Secrets,
}

/// Calls `visit` for every candidate that begins at or after `from`, in order of 64-byte blocks.
pub(crate) fn candidates(text: &[u8], from: usize, sought: Sought, mut visit: impl FnMut(Candidate, usize)) {
    dispatch!(Level::new(), simd => walk(simd, text, from, sought, &mut visit));
}

#[inline(always)]
fn walk<S: Simd>(simd: S, text: &[u8], from: usize, sought: Sought, mut visit: impl FnMut(Candidate, usize)) {
    let mut base = from.min(text.len());
    let mut blocks = text.get(base..).unwrap_or_default().chunks(LANES);
    let mut next = masks(simd, blocks.next().unwrap_or_default());
    // Bit 0: whether the byte before the block is a digit, or part of a token.
    let before = base.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    let mut digit_before = u128::from(before.is_ascii_digit());
    let mut token_before = u128::from(is_token(before));
    while base < text.len() {
        let this = next;
        next = masks(simd, blocks.next().unwrap_or_default());
        let digit = u128::from(this.digit) | u128::from(next.digit) << 64;
        let token = u128::from(this.token) | u128::from(next.token) << 64;
        each(this.sign, |bit| {
            let at = base + bit;
            if text.get(at) == Some(&b'@') {
                visit(Candidate::At, at);
            } else if digit >> (bit + 1) & 1 == 1 {
                visit(Candidate::Plus, at);
            }
        });
        let starts = token & !(token << 1 | token_before);
        if sought == Sought::All && this.digit != 0 {
            let separator = u128::from(this.separator) | u128::from(next.separator) << 64;
            let first = digit & !(digit << 1 | digit_before);
            let numbers = first & number_shapes(digit, separator, token, token_before);
            each(numbers as u64, |bit| visit(Candidate::Number, base + bit));
        }
        if sought == Sought::All && digit & ((1 << 72) - 1) != 0 {
            let letter = token & !digit;
            let l2 = letter & letter >> 1;
            let d2 = digit & digit >> 1;
            let codes = starts & l2 & (d2 >> 2 | (l2 >> 2 & l2 >> 4 & d2 >> 6 & letter >> 8));
            each(codes as u64, |bit| visit(Candidate::Code, base + bit));
        }
        let t2 = token & token >> 1;
        let t4 = t2 & t2 >> 2;
        let t16 = t4 & t4 >> 4 & t4 >> 8 & t4 >> 12;
        each((starts & t16 & t4 >> 16) as u64, |bit| visit(Candidate::Token, base + bit));
        digit_before = u128::from(this.digit >> 63);
        token_before = u128::from(this.token >> 63);
        base += LANES;
    }
}

/// The positions where digits and separators follow each other as in phones, cards and national ids.
#[inline(always)]
fn number_shapes(digit: u128, separator: u128, token: u128, token_before: u128) -> u128 {
    let d2 = digit & digit >> 1;
    let d3 = d2 & digit >> 2;
    let d4 = d2 & d2 >> 2;
    let d6 = d3 & d3 >> 3;
    let d8 = d4 & d4 >> 4;
    let three_two_four = d3 & separator >> 3 & d2 >> 4 & separator >> 6 & d4 >> 7;
    let threes = d3 & separator >> 3 & d3 >> 4 & separator >> 7 & d3 >> 8;
    let bracketed = d3 & separator >> 3 & separator >> 4 & d3 >> 5 & separator >> 8 & d4 >> 9;
    let fours = d4 & separator >> 4 & d4 >> 5 & separator >> 9 & d4 >> 10;
    let six_four = d6 & separator >> 6 & d4 >> 7;
    let two_threes = d2 & separator >> 2 & d3 >> 3 & separator >> 6 & d3 >> 7;
    let twos = d2 & separator >> 2 & d2 >> 3 & separator >> 5 & d2 >> 6 & separator >> 8 & token >> 9;
    let lettered = d6 & digit >> 6 & !(digit >> 7) & token >> 7 & (token << 1 | token_before);
    d8 | three_two_four | threes | bracketed | fours | six_four | two_threes | twos | lettered
}

#[inline(always)]
fn each(mut bits: u64, mut visit: impl FnMut(usize)) {
    while bits != 0 {
        visit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(Candidate, usize)> {
        let mut all = Vec::new();
        candidates(text.as_bytes(), 0, Sought::All, |candidate, at| all.push((candidate, at)));
        all
    }

    #[test]
    fn shapes_are_found_wherever_they_stand() {
        for (text, expected) in [
            ("jane@acme.example", (Candidate::At, 4)),
            ("536-22-8941", (Candidate::Number, 0)),
            ("415 555 0132", (Candidate::Number, 0)),
            ("(415) 555-0132", (Candidate::Number, 1)),
            ("4111 1111 1111 1111", (Candidate::Number, 0)),
            ("4111111111111111", (Candidate::Number, 0)),
            ("811218-9876", (Candidate::Number, 0)),
            ("86 095 742 719", (Candidate::Number, 0)),
            ("85.07.30-033.28", (Candidate::Number, 0)),
            ("AB123456C", (Candidate::Code, 0)),
            ("+49 30 901820", (Candidate::Plus, 0)),
            ("DE89 3704 0044 0532 0130 00", (Candidate::Code, 0)),
            ("RSSMRA85T10A562S", (Candidate::Code, 0)),
            ("ghp_0123456789abcdefghij", (Candidate::Token, 0)),
        ] {
            for padding in [0, 1, 40, 50, 60, 63, 64, 100] {
                let padded = format!("{}{text} .", " ".repeat(padding));
                assert!(
                    found(&padded).contains(&(expected.0, expected.1 + padding)),
                    "{text} after {padding}"
                );
            }
        }
    }

    #[test]
    fn times_and_versions_are_no_numbers() {
        for text in ["2026-11-23T06:07:08", "10.0.200.13 x", "v1.22.333", "06:07:08.123456"] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn starting_later_finds_the_same(text in "[a-z0-9@+ .-]{0,300}", from in 0_usize..300) {
            let from = from.min(text.len());
            let mut late = Vec::new();
            candidates(text.as_bytes(), from, Sought::All, |candidate, at| late.push((at, candidate as u8)));
            let mut all: Vec<_> = found(&text).into_iter().filter(|(_, at)| *at >= from).map(|(c, at)| (at, c as u8)).collect();
            late.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(late, all);
        }
    }
}
