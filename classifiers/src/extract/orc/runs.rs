//! Which numbers are in the runs of an ORC stream ("Run Length Encoding")?

use super::message::varint;

/// A stream of numbers, decoded a run at a time; a run has at most 512.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    data: Vec<u8>,
    at: usize,
    is_second_version: bool,
    is_signed: bool,
    run: Vec<i64>,
    given: usize,
}

impl Numbers {
    pub(super) fn new(data: Vec<u8>, is_second_version: bool, is_signed: bool) -> Self {
        Self { data, is_second_version, is_signed, ..Self::default() }
    }

    pub(super) fn next(&mut self) -> Option<i64> {
        while self.given >= self.run.len() {
            self.run.clear();
            self.given = 0;
            let mut rest = self.data.get(self.at..)?;
            let before = rest.len();
            if self.is_second_version {
                second_version(&mut rest, self.is_signed, &mut self.run)?;
            } else {
                first_version(&mut rest, self.is_signed, &mut self.run)?;
            }
            self.at += before - rest.len();
        }
        let number = self.run.get(self.given).copied();
        self.given += 1;
        number
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

fn take<'a>(rest: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(size)?;
    *rest = after;
    Some(taken)
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn number(value: u64, is_signed: bool) -> i64 {
    if is_signed { zigzag(value) } else { value.cast_signed() }
}

fn first_version(rest: &mut &[u8], is_signed: bool, run: &mut Vec<i64>) -> Option<()> {
    let control = byte(rest)?;
    if control < 128 {
        let step = i64::from(byte(rest)?.cast_signed());
        let mut value = number(varint(rest)?, is_signed);
        for _ in 0..i64::from(control) + 3 {
            run.push(value);
            value = value.wrapping_add(step);
        }
    } else {
        for _ in 0..256 - u32::from(control) {
            run.push(number(varint(rest)?, is_signed));
        }
    }
    Some(())
}

fn second_version(rest: &mut &[u8], is_signed: bool, run: &mut Vec<i64>) -> Option<()> {
    let first = byte(rest)?;
    if first >> 6 == 0 {
        let bytes = take(rest, usize::from(first >> 3 & 7) + 1)?;
        let value = number(big_endian(bytes), is_signed);
        run.extend(std::iter::repeat_n(value, usize::from(first & 7) + 3));
        return Some(());
    }
    let code = first >> 1 & 0x1F;
    let count = (usize::from(first & 1) << 8 | usize::from(byte(rest)?)) + 1;
    match first >> 6 {
        1 => {
            let values = packed(rest, count, width(code))?;
            run.extend(values.into_iter().map(|value| number(value, is_signed)));
        }
        2 => patched(rest, count, width(code), run)?,
        _ => {
            let base = number(varint(rest)?, is_signed);
            let step = zigzag(varint(rest)?);
            let width = if code == 0 { 0 } else { width(code) };
            let differences = packed(rest, count.saturating_sub(2), width)?;
            run.push(base);
            let mut value = base.wrapping_add(step);
            if count > 1 {
                run.push(value);
            }
            for difference in differences {
                let change = if width == 0 { step } else { difference.cast_signed() };
                value = if step < 0 && width != 0 {
                    value.wrapping_sub(change)
                } else {
                    value.wrapping_add(change)
                };
                run.push(value);
            }
        }
    }
    Some(())
}

/// Numbers of which a few are too wide for the rest: their upper bits come after.
fn patched(rest: &mut &[u8], count: usize, width_bits: usize, run: &mut Vec<i64>) -> Option<()> {
    let (third, fourth) = (byte(rest)?, byte(rest)?);
    let base_bytes = usize::from(third >> 5) + 1;
    let patch_width = width(third & 0x1F);
    let gap_width = usize::from(fourth >> 5) + 1;
    let patches = usize::from(fourth & 0x1F);
    // The highest bit of the base is its sign.
    let base = big_endian(take(rest, base_bytes)?);
    let sign = 1_u64 << (base_bytes * 8 - 1);
    let base =
        if base & sign != 0 { (base & !sign).cast_signed().wrapping_neg() } else { base.cast_signed() };
    let mut values = packed(rest, count, width_bits)?;
    let mut at = 0;
    for patch in packed(rest, patches, closest(gap_width + patch_width))? {
        at += usize::try_from(patch.checked_shr(patch_width as u32).unwrap_or(0)).ok()?;
        let high = if patch_width < 64 { patch & ((1 << patch_width) - 1) } else { patch };
        if let Some(value) = values.get_mut(at) {
            *value |= high.checked_shl(width_bits as u32).unwrap_or(0);
        }
    }
    run.extend(values.into_iter().map(|value| base.wrapping_add(value.cast_signed())));
    Some(())
}

/// Bits of a number, by the code for them.
fn width(code: u8) -> usize {
    match code {
        0..=23 => usize::from(code) + 1,
        24..=27 => usize::from(code - 24) * 2 + 26,
        _ => usize::from(code.min(31) - 28) * 8 + 40,
    }
}

/// The least width that there is a code for.
fn closest(bits: usize) -> usize {
    (0..32).map(width).find(|&width| width >= bits).unwrap_or(64)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// `count` numbers of `width` bits, highest bit first, up to the end of a byte.
fn packed(rest: &mut &[u8], count: usize, width: usize) -> Option<Vec<u64>> {
    let bytes = take(rest, (count * width).div_ceil(8))?;
    let values = (0..count).map(|index| {
        let (first, end) = (index * width, (index + 1) * width);
        let window = bytes.get(first / 8..end.div_ceil(8)).unwrap_or_default();
        let value = window.iter().fold(0_u128, |value, &byte| value << 8 | u128::from(byte));
        let mask = (1_u128 << width) - 1;
        (value >> (end.div_ceil(8) * 8 - end) & mask) as u64
    });
    Some(values.collect())
}

/// A stream of bytes in runs, or of bits in those.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    data: Vec<u8>,
    at: usize,
    left: u32,
    /// The byte of a run; nothing where bytes follow as they are.
    same: Option<u8>,
    bits: u8,
    bits_left: u32,
}

impl Bytes {
    pub(super) fn new(data: Vec<u8>) -> Self {
        Self { data, ..Self::default() }
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        if self.left == 0 {
            let control = self.raw()?;
            if control < 128 {
                self.left = u32::from(control) + 3;
                self.same = Some(self.raw()?);
            } else {
                self.left = 256 - u32::from(control);
                self.same = None;
            }
        }
        self.left -= 1;
        match self.same {
            Some(byte) => Some(byte),
            None => self.raw(),
        }
    }

    pub(super) fn next_bit(&mut self) -> Option<bool> {
        if self.bits_left == 0 {
            self.bits = self.next()?;
            self.bits_left = 8;
        }
        self.bits_left -= 1;
        Some(self.bits >> self.bits_left & 1 == 1)
    }

    fn raw(&mut self) -> Option<u8> {
        let byte = self.data.get(self.at).copied();
        self.at += 1;
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(data: &[u8], is_second_version: bool, is_signed: bool) -> Vec<i64> {
        let mut numbers = Numbers::new(data.to_vec(), is_second_version, is_signed);
        std::iter::from_fn(|| numbers.next()).collect()
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        assert_eq!(all(&[0x61, 0x00, 0x07], false, false), [7; 100]);
        assert_eq!(all(&[0xFB, 0x02, 0x03, 0x06, 0x07, 0x0B], false, false), [2, 3, 6, 7, 11]);
        assert_eq!(all(&[0x0A, 0x27, 0x10], true, false), [10_000; 5]);
        let direct = [0x5E, 0x03, 0x5C, 0xA1, 0xAB, 0x1E, 0xDE, 0xAD, 0xBE, 0xEF];
        assert_eq!(all(&direct, true, false), [23713, 43806, 57005, 48879]);
        let patched = [
            0x8E, 0x13, 0x2B, 0x21, 0x07, 0xD0, 0x1E, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3C, 0x46, 0x50, 0x5A,
            0x64, 0x6E, 0x78, 0x82, 0x8C, 0x96, 0xA0, 0xAA, 0xB4, 0xBE, 0xFC, 0xE8,
        ];
        let mut expected = vec![2030, 2000, 2020, 1_000_000];
        expected.extend((0..16).map(|n| 2040 + n * 10));
        assert_eq!(all(&patched, true, false), expected);
        let delta = [0xC6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46];
        assert_eq!(all(&delta, true, false), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
    }

    #[test]
    fn bytes_and_bits_are_read() {
        let mut bytes = Bytes::new(vec![0x61, 0x00]);
        assert_eq!(std::iter::from_fn(|| bytes.next()).collect::<Vec<_>>(), [0; 100]);
        let mut bits = Bytes::new(vec![0xFF, 0x80]);
        assert_eq!((0..8).filter(|_| bits.next_bit() == Some(true)).count(), 1);
    }
}
