//! In which encoding is this text, and what does it say in UTF-8?

use encoding_rs::{CoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes decoded at a time.
const PIECE: usize = 16 << 10;
/// Bytes of the start that tell the encoding.
const HEAD: usize = 4 << 10;

/// Turns the bytes of one text into UTF-8; what is UTF-8 already passes through untouched.
#[derive(Default)]
pub(super) struct Decoder {
    /// None where the bytes pass as they are.
    other: Option<encoding_rs::Decoder>,
    /// Bytes of a byte order mark still to be dropped.
    mark: usize,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("encoding", &self.other.as_ref().map(|d| d.encoding().name()))
            .finish()
    }
}

impl Decoder {
    /// Tells the encoding by a byte order mark, by where zero bytes stand, or by what is not UTF-8.
    pub(super) fn of(head: &[u8]) -> Self {
        let (encoding, mark) = detect(head);
        let other = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Self { other, mark }
    }

    /// Decodes the next bytes.
    pub(super) fn decode(&mut self, bytes: &[u8], mut text: impl FnMut(&[u8])) {
        let dropped = self.mark.min(bytes.len());
        self.mark -= dropped;
        let bytes = bytes.get(dropped..).unwrap_or_default();
        match &mut self.other {
            None => text(bytes),
            Some(decoder) => run(decoder, bytes, false, &mut text),
        }
    }

    /// Decodes what a character cut off by the end leaves.
    pub(super) fn finish(&mut self, mut text: impl FnMut(&[u8])) {
        if let Some(decoder) = &mut self.other {
            run(decoder, b"", true, &mut text);
        }
    }
}

fn run(decoder: &mut encoding_rs::Decoder, mut bytes: &[u8], last: bool, text: &mut impl FnMut(&[u8])) {
    let mut piece = vec![0; PIECE];
    loop {
        let (result, read, written, _) = decoder.decode_to_utf8(bytes, &mut piece, last);
        text(piece.get(..written).unwrap_or_default());
        bytes = bytes.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

fn detect(head: &[u8]) -> (&'static Encoding, usize) {
    if let Some((encoding, length)) = Encoding::for_bom(head) {
        return (encoding, length);
    }
    let head = head.get(..HEAD).unwrap_or(head);
    if let Some(encoding) = utf_16_without_mark(head) {
        return (encoding, 0);
    }
    match std::str::from_utf8(head) {
        Ok(_) => (UTF_8, 0),
        // A character cut in two by the end of the head is no error.
        Err(error) if error.error_len().is_none() => (UTF_8, 0),
        // One bad byte in much good text is damage; Latin text has its accents everywhere, and mostly no valid sequences.
        Err(_) => (if valid_sequences(head) > invalid_bytes(head) { UTF_8 } else { WINDOWS_1252 }, 0),
    }
}

/// Whether a head without a mark is UTF-16: Latin letters leave every other byte zero.
pub(crate) fn utf_16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    if head.len() < 8 {
        return None;
    }
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let half = head.len() / 2;
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 10 >= half * 6 && even * 20 <= half {
        Some(UTF_16LE)
    } else if even * 10 >= half * 6 && odd * 20 <= half {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn valid_sequences(head: &[u8]) -> usize {
    head.utf8_chunks().map(|chunk| chunk.valid().chars().filter(|c| !c.is_ascii()).count()).sum()
}

fn invalid_bytes(head: &[u8]) -> usize {
    head.utf8_chunks().map(|chunk| chunk.invalid().len()).sum()
}

/// Whether bytes are those of a text in one of these encodings, rather than binary.
pub(crate) fn is_text(head: &[u8]) -> bool {
    if Encoding::for_bom(head).is_some() || utf_16_without_mark(head.get(..HEAD).unwrap_or(head)).is_some() {
        return true;
    }
    let head = head.get(..HEAD).unwrap_or(head);
    let control =
        head.iter().filter(|b| **b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)).count();
    let high = head.iter().filter(|b| **b >= 0x7f).count();
    let undefined = head.iter().filter(|b| matches!(b, 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)).count();
    control == 0
        && (std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true)
            || (high * 10 < head.len() * 3 && undefined == 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8], piece: usize) -> String {
        let mut decoder = Decoder::of(bytes);
        let mut text = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.decode(piece, |t| text.extend_from_slice(t));
        }
        decoder.finish(|t| text.extend_from_slice(t));
        String::from_utf8_lossy(&text).into_owned()
    }

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn common_encodings_say_the_same() {
        let text = "Müller, José: jane@acme.example";
        let mut marked = vec![0xff, 0xfe];
        marked.extend(utf_16(text, false));
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for bytes in [text.as_bytes().to_vec(), utf_16(text, true), utf_16(text, false), marked, latin] {
            assert!(is_text(&bytes));
            for piece in [1, 2, 3, 1000] {
                assert_eq!(decoded(&bytes, piece), text);
            }
        }
    }

    #[test]
    fn binary_is_no_text() {
        assert!(!is_text(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
        assert!(!is_text(&(0..=255u8).collect::<Vec<_>>()));
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_text(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..20) {
            prop_assert_eq!(decoded(&bytes, piece), decoded(&bytes, 1000));
        }
    }
}
