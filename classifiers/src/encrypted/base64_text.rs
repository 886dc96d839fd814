//! Is a text nothing but base64, and what does it decode to?

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Base64 characters that a text needs to be taken for base64 by [`whole`]; a shorter word could be prose.
const CHARACTERS_MIN: usize = 40;

/// Decodes a text that is base64 from its first character on, line breaks left out; `None` at the first other character.
/// A head that was cut off in the middle of a quantum loses that quantum.
pub(super) fn whole(text: &[u8]) -> Option<Vec<u8>> {
    let start = text.trim_ascii_start();
    let probe = start.get(..CHARACTERS_MIN)?;
    if !probe.iter().all(|&b| is_base64(b)) {
        return None;
    }
    let mut characters: Vec<u8> = start.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    characters.truncate(characters.len() / 4 * 4 + if characters.len() < text.len() { 0 } else { 3 });
    decode(&characters)
}

/// Decodes base64 of either alphabet, padded or not.
pub(super) fn decode(characters: &[u8]) -> Option<Vec<u8>> {
    let url_safe = characters.iter().any(|b| matches!(b, b'-' | b'_'));
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    engine.decode(characters).ok()
}

/// Decodes the lines between an armor's header and its end or the end of the head. Lines with a colon are armor headers
/// and one that starts with `=` is OpenPGP's checksum; neither is data.
pub(super) fn armored(after_begin_line: &[u8]) -> Option<Vec<u8>> {
    let body = match memchr::memmem::find(after_begin_line, b"-----END") {
        Some(end) => after_begin_line.get(..end)?,
        None => after_begin_line,
    };
    let mut characters = Vec::new();
    for line in body.split(|&b| b == b'\n').map(<[u8]>::trim_ascii) {
        if line.starts_with(b"=") {
            break;
        }
        if !line.contains(&b':') {
            characters.extend_from_slice(line);
        }
    }
    characters.truncate(characters.len() / 4 * 4);
    decode(&characters)
}

/// Whether a byte may stand in base64 of either alphabet.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
