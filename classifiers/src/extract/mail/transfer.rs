//! How do the lines of a mail's part become its bytes (RFC 2045, section 6)?

/// The encoding of a part.
#[derive(Debug)]
pub(super) enum Transfer {
    Plain,
    QuotedPrintable,
    /// With the digits of a group of four that is not complete.
    Base64 {
        bits: u32,
        digits: u8,
        ended: bool,
    },
}

/// Takes decoded bytes.
type Out<'a> = dyn FnMut(&[u8]) + 'a;

impl Transfer {
    pub(super) fn base64() -> Self {
        Self::Base64 { bits: 0, digits: 0, ended: false }
    }

    /// Decodes one line, given with its end.
    pub(super) fn line(&mut self, line: &[u8], out: &mut Out<'_>) {
        match self {
            Self::Plain => out(line),
            Self::QuotedPrintable => out(&quoted_printable(line)),
            Self::Base64 { bits, digits, ended } => {
                let mut decoded = Vec::with_capacity(line.len() / 4 * 3 + 3);
                for &byte in line {
                    if byte == b'=' {
                        *ended = true;
                    }
                    let (false, Some(value)) = (*ended, digit(byte)) else { continue };
                    *bits = *bits << 6 | value;
                    *digits += 1;
                    if *digits == 4 {
                        let [_, group @ ..] = bits.to_be_bytes();
                        decoded.extend(group);
                        (*bits, *digits) = (0, 0);
                    }
                }
                out(&decoded);
            }
        }
    }

    /// Gives the bytes of a last group that is not complete.
    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        let Self::Base64 { bits, digits, .. } = self else { return };
        let [_, a, b, _] = (*bits << (6 * (4 - u32::from(*digits)))).to_be_bytes();
        match digits {
            2 => out(&[a]),
            3 => out(&[a, b]),
            _ => {}
        }
        *digits = 0;
    }
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

/// All of a base64 text; what is no digit is passed over.
pub(in crate::extract) fn base64(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut transfer = Transfer::base64();
    transfer.line(text, &mut |bytes| decoded.extend_from_slice(bytes));
    transfer.finish(&mut |bytes| decoded.extend_from_slice(bytes));
    decoded
}

/// A line in quoted-printable; a line that ends in `=` goes on in the next.
pub(in crate::extract) fn quoted_printable(line: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'=' {
            decoded.push(byte);
            continue;
        }
        if after.trim_ascii().is_empty() {
            break;
        }
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => decoded.push(byte),
        }
    }
    decoded
}
