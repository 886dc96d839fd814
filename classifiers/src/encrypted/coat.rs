//! Is a text nothing but ciphertext without a header, in a printable coat of base64 or hexadecimal digits?

use super::Verdict;
use super::base64_text::{decode, is_base64};
use super::statistics::{FRAGMENT_BYTES, Statistics};

/// Characters that are decoded at a time: whole groups of both coats.
const CHARACTERS: usize = 4 << 10;
/// Bytes that are decoded at most: a fragment tells. One byte more, lest a text of which only the beginning was looked at
/// seem to be in whole cipher blocks.
const DECODED_BYTES_MAX: usize = FRAGMENT_BYTES + 1;
/// Bytes below which statistics tell too little to make up for how much else is printed so.
const DECODED_BYTES_MIN: usize = 4 << 10;
/// Characters of the first line, at least.
const LINE_MIN: usize = 40;

/// How bytes are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Base64,
    Hex,
}

/// A text that has been nothing else so far.
#[derive(Debug)]
pub(crate) struct Coat {
    kind: Kind,
    characters: Vec<u8>,
    decoded: usize,
    statistics: Statistics,
    /// Characters of the first line, once it has ended, and of this one so far.
    width: Option<usize>,
    line: usize,
    /// Whether padding or a shorter line ended the coat.
    ended: bool,
}

impl Coat {
    /// For a text that may be one by its beginning.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let first = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let all = |is: fn(u8) -> bool| first.len() >= LINE_MIN && first.iter().all(|&byte| is(byte));
        let kind = if all(|byte| byte.is_ascii_hexdigit()) {
            Kind::Hex
        } else if all(is_base64) {
            Kind::Base64
        } else {
            return None;
        };
        Some(Self {
            kind,
            characters: Vec::new(),
            decoded: 0,
            statistics: Statistics::new(),
            width: None,
            line: 0,
            ended: false,
        })
    }

    /// Takes the next bytes of the text. `false` means that it is something else.
    pub(crate) fn push(&mut self, text: &[u8]) -> bool {
        for &byte in text {
            if self.decoded == DECODED_BYTES_MAX {
                return true;
            }
            let goes_on = match byte {
                b'\n' => self.line_ends(),
                b'\r' => true,
                b'=' if self.kind == Kind::Base64 => {
                    self.ended = true;
                    true
                }
                byte => self.character(byte),
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn character(&mut self, byte: u8) -> bool {
        let fits = match self.kind {
            Kind::Base64 => is_base64(byte),
            Kind::Hex => byte.is_ascii_hexdigit(),
        };
        if !fits || self.ended || self.width.is_some_and(|width| self.line == width || self.is_digest(width))
        {
            return false;
        }
        self.line += 1;
        self.characters.push(byte);
        self.characters.len() < CHARACTERS || self.decode()
    }

    /// Lines are all as long as the first but the last.
    fn line_ends(&mut self) -> bool {
        let width = *self.width.get_or_insert(self.line);
        self.ended |= self.line < width;
        self.line = 0;
        true
    }

    /// Whether lines of that width are as likely digests, of which lists have one in each line. Base64 of 48 bytes is not:
    /// PEM breaks its lines there.
    fn is_digest(&self, width: usize) -> bool {
        match self.kind {
            Kind::Base64 => matches!(width, 43 | 44 | 86 | 88),
            Kind::Hex => matches!(width, 40 | 48 | 56 | 64 | 96 | 128),
        }
    }

    fn decode(&mut self) -> bool {
        let bytes = match self.kind {
            Kind::Base64 => decode(&self.characters),
            Kind::Hex => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                Some(
                    self.characters
                        .as_chunks::<2>()
                        .0
                        .iter()
                        .map(|&[a, b]| digit(a) << 4 | digit(b))
                        .collect(),
                )
            }
        };
        self.characters.clear();
        let Some(mut bytes) = bytes else { return false };
        bytes.truncate(DECODED_BYTES_MAX - self.decoded);
        // A sequence of DER: certificates are signed, not encrypted, and what of it is encrypted has a grammar.
        if self.decoded == 0 && matches!(bytes.as_slice(), [0x30, 0x80..=0x84, ..]) {
            return false;
        }
        self.decoded += bytes.len();
        self.statistics.push(&bytes)
    }

    /// What the text is, given its name.
    pub(crate) fn finish(mut self, name: &str) -> Option<Verdict> {
        let is_open = self.decode();
        if !is_open || self.decoded < DECODED_BYTES_MIN {
            return None;
        }
        let verdict = self.statistics.finish(name)?;
        let coat = if self.kind == Kind::Hex { "hexadecimal digits" } else { "base64" };
        Some(Verdict { because: format!("{}, in {coat}", verdict.because), ..verdict })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;
    use crate::encrypted::statistics::tests::uniform;

    fn found(text: &[u8], piece: usize) -> Option<Verdict> {
        let mut coat = Coat::of(text)?;
        text.chunks(piece).all(|piece| coat.push(piece)).then(|| coat.finish("x"))?
    }

    fn wrapped(text: &str, width: usize) -> Vec<u8> {
        text.as_bytes().chunks(width).collect::<Vec<_>>().join(&b"\n"[..])
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn ciphertext_is_known_in_either_coat() {
        let bytes = uniform(3, 40_001);
        let base64 = STANDARD.encode(&bytes);
        for text in [
            base64.clone().into_bytes(),
            wrapped(&base64, 64),
            wrapped(&base64, 76),
            URL_SAFE_NO_PAD.encode(&bytes).into_bytes(),
            hex(&bytes).into_bytes(),
            wrapped(&hex(&bytes), 60),
            [wrapped(&base64, 64), b"\n".to_vec()].concat(),
        ] {
            let verdict = found(&text, 1 << 20).expect("ciphertext");
            assert_eq!((verdict.scheme, verdict.confidence), ("unknown_cipher", 0.5));
            assert!(verdict.because.contains("in base64") || verdict.because.contains("in hexadecimal"));
        }
    }

    #[test]
    fn what_is_packed_signed_or_short_is_not() {
        let gzip = [&b"\x1f\x8b\x08\0"[..], &uniform(5, 30_000)].concat();
        let certificate = [&b"\x30\x82\x10\0"[..], &uniform(5, 30_000)].concat();
        let text = b"The quick brown fox jumps over the lazy dog. ".repeat(900);
        for bytes in [gzip, certificate, text, uniform(5, 3_000)] {
            assert_eq!(found(STANDARD.encode(&bytes).as_bytes(), 1 << 20), None);
            assert_eq!(found(hex(&bytes).as_bytes(), 1 << 20), None);
        }
    }

    #[test]
    fn lists_of_digests_and_of_words_are_not() {
        let bytes = uniform(7, 64_000);
        let lines = |digest: usize, print: fn(&[u8]) -> String| {
            bytes.chunks_exact(digest).map(print).collect::<Vec<_>>().join("\n").into_bytes()
        };
        for text in
            [lines(32, hex), lines(20, hex), lines(64, hex), lines(32, |digest| STANDARD.encode(digest))]
        {
            assert_eq!(found(&text, 1 << 20), None);
        }
        let ragged = bytes.chunks(48).enumerate().map(|(at, row)| STANDARD.encode(&row[at % 3 * 3..]));
        assert_eq!(found(ragged.collect::<Vec<_>>().join("\n").as_bytes(), 1 << 20), None);
    }

    #[test]
    fn a_long_text_is_judged_by_its_beginning() {
        let long = STANDARD.encode(uniform(11, 3 << 20));
        assert_eq!(found(long.as_bytes(), 1 << 16).map(|verdict| verdict.confidence), Some(0.6));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn pieces_do_not_change_the_verdict(seed: u64, length in 0_usize..400_000, width in 40_usize..90, piece in 1_usize..70_000) {
            let text = wrapped(&STANDARD.encode(uniform(seed, length)), width);
            prop_assert_eq!(found(&text, piece), found(&text, 1 << 20));
        }
    }
}
