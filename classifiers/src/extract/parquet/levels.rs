//! Which small numbers are in a run of Parquet's hybrid encoding (Encodings.md, "RLE")?

/// Numbers of a fixed width, in runs of one value or packed bit by bit.
#[derive(Debug, Clone, Default)]
pub(super) struct Hybrid {
    /// Where the next run begins, and where the runs end.
    at: usize,
    end: usize,
    width: u32,
    left: u64,
    run: Run,
}

#[derive(Debug, Clone, Copy, Default)]
enum Run {
    #[default]
    None,
    Same(u32),
    /// From this bit on.
    Packed(usize),
}

impl Hybrid {
    pub(super) fn new(at: usize, end: usize, width: u32) -> Self {
        Self { at, end, width: width.min(32), left: 0, run: Run::None }
    }

    /// The next number; nothing at the end. Runs lie in `data`, which is the same at every call.
    pub(super) fn next(&mut self, data: &[u8]) -> Option<u32> {
        while self.left == 0 {
            self.begin_run(data)?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::None => None,
            Run::Same(value) => Some(*value),
            Run::Packed(bit) => {
                let value = bits(data, *bit, self.width)?;
                *bit += self.width as usize;
                Some(value)
            }
        }
    }

    fn begin_run(&mut self, data: &[u8]) -> Option<()> {
        let data = data.get(..self.end)?;
        let mut header = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = *data.get(self.at)?;
            self.at += 1;
            header |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if header & 1 == 1 {
            self.left = (header >> 1) * 8;
            self.run = Run::Packed(self.at * 8);
            let bytes = (header >> 1).checked_mul(u64::from(self.width))?;
            self.at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        } else {
            self.left = header >> 1;
            let bytes = self.width.div_ceil(8) as usize;
            let value = data.get(self.at..self.at + bytes)?;
            self.run = Run::Same(value.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte)));
            self.at += bytes;
        }
        Some(())
    }
}

/// `width` bits from `at` on, lowest first.
pub(super) fn bits(data: &[u8], at: usize, width: u32) -> Option<u32> {
    if width == 0 {
        return Some(0);
    }
    let first = at / 8;
    let last = (at + width as usize - 1) / 8;
    let window = data.get(first..=last)?;
    let value = window.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    Some((value >> (at % 8) & ((1 << width) - 1)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_packed_numbers_are_read() {
        // The example of Encodings.md: 0 to 7 in three bits, then four times 5.
        let data = [0x03, 0x88, 0xC6, 0xFA, 0x08, 0x05];
        let mut hybrid = Hybrid::new(0, data.len(), 3);
        let numbers: Vec<u32> = std::iter::from_fn(|| hybrid.next(&data)).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 5]);
    }

    #[test]
    fn runs_beyond_the_end_end() {
        for data in [&[0xFF_u8; 9][..], &[0x03], &[0x02], &[]] {
            let mut hybrid = Hybrid::new(0, data.len(), 3);
            let count = std::iter::from_fn(|| hybrid.next(data)).take(1000).count();
            assert!(count < 100);
        }
    }
}
