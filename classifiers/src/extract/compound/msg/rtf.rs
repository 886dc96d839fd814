//! What is in a body that Outlook packed as RTF ([MS-OXRTFCP])?

use crate::Gap;
use crate::extract::fields::u32_at;
use crate::extract::rtf::Rtf;
use crate::extract::{HELD_BYTES_MAX, Reader, Work, limit_reached, malformed};

/// What the dictionary holds before the first byte.
const PRELOADED: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\
\\tab\\tx";

const WINDOW: usize = 4096;

pub(super) fn extract(packed: &[u8], work: &mut Work<'_>) {
    match unpack(packed).and_then(|document| work.budget.unpack(document.len() as u64).map(|()| document)) {
        Ok(document) => {
            let mut rtf = Rtf::default();
            rtf.push(&document, work);
            rtf.finish(work);
        }
        Err(gap) => work.sink.gap(gap),
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Gap> {
    let broken = || malformed("the mail's packed body breaks its own rules");
    let size = u32_at(packed, 4).ok_or_else(broken)? as usize;
    let content = packed.get(16..).ok_or_else(broken)?;
    match packed.get(8..12) {
        Some(b"MELA") => return Ok(content.get(..size).unwrap_or(content).to_vec()),
        Some(b"LZFu") => {}
        _ => return Err(broken()),
    }
    if size > HELD_BYTES_MAX {
        return Err(limit_reached("the mail's body is more than what is held in memory"));
    }
    // References count from the start of the dictionary, which goes round every 4096 bytes.
    let mut out = PRELOADED.to_vec();
    let mut bytes = content.iter().copied();
    while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some(byte) = bytes.next() else { return Ok(out.split_off(PRELOADED.len())) };
                out.push(byte);
                continue;
            }
            let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                return Ok(out.split_off(PRELOADED.len()));
            };
            let reference = usize::from(u16::from_be_bytes([high, low]));
            let (offset, length) = (reference >> 4, (reference & 0xF) + 2);
            let write = out.len() % WINDOW;
            // A reference to the place of writing ends the text.
            if offset == write || out.len() - PRELOADED.len() > size {
                return Ok(out.split_off(PRELOADED.len()));
            }
            let back = (write + WINDOW - offset - 1) % WINDOW + 1;
            for _ in 0..length {
                let byte = out.len().checked_sub(back).and_then(|at| out.get(at).copied()).unwrap_or(b' ');
                out.push(byte);
            }
        }
    }
    Ok(out.split_off(PRELOADED.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        // [MS-OXRTFCP] 3.1.1.
        let packed = [
            0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7,
            0x03, 0x00, 0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20,
            0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f,
            0xa0,
        ];
        assert_eq!(unpack(&packed).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }
}
