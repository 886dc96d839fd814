//! Is this value what it looks like? Validators of single values; pure, allocation-free, without regard to context.

pub(crate) mod contact;
pub(crate) mod finance;
pub(crate) mod name;
pub(crate) mod national;
pub(crate) mod net;
pub(crate) mod when;

/// The digits of a number, as values 0–9, without its separators.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digits {
    digits: [u8; 24],
    length: usize,
}

impl Digits {
    /// The digits of a value that holds nothing but digits and ` -./()`; at most 24.
    pub(crate) fn of(value: &[u8]) -> Option<Self> {
        let mut all = Self { digits: [0; 24], length: 0 };
        for byte in value {
            match byte {
                b'0'..=b'9' => {
                    *all.digits.get_mut(all.length)? = byte - b'0';
                    all.length += 1;
                }
                b' ' | b'-' | b'.' | b'/' | b'(' | b')' => {}
                _ => return None,
            }
        }
        Some(all)
    }

    /// The digits in order.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    /// The digit at a position; 0 beyond the end.
    pub(crate) fn at(&self, position: usize) -> u32 {
        self.as_slice().get(position).map_or(0, |digit| u32::from(*digit))
    }

    /// How many digits there are.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// `length` digits from `start`, as a number.
    pub(crate) fn number(&self, start: usize, length: usize) -> u64 {
        self.as_slice()
            .iter()
            .skip(start)
            .take(length)
            .fold(0, |number, digit| number * 10 + u64::from(*digit))
    }

    /// The sum of the digits, each times its weight.
    pub(crate) fn weighted(&self, weights: &[u32]) -> u32 {
        self.as_slice().iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
    }

    /// Whether all digits are the same: a filler, not a number.
    pub(crate) fn is_repeated(&self) -> bool {
        self.as_slice().windows(2).all(|pair| pair.first() == pair.last())
    }

    /// Whether the digits count up or down without a break: an example, not a number.
    pub(crate) fn is_counting(&self) -> bool {
        let step = |by: u8| {
            self.as_slice().windows(2).all(|pair| match pair {
                [a, b] => (a + by) % 10 == *b,
                _ => false,
            })
        };
        step(1) || step(9)
    }

    /// The Luhn checksum (ISO/IEC 7812-1, annex B).
    pub(crate) fn is_luhn(&self) -> bool {
        let sum: u32 = self
            .as_slice()
            .iter()
            .rev()
            .enumerate()
            .map(|(i, digit)| match u32::from(*digit) {
                digit if i % 2 == 0 => digit,
                digit if digit > 4 => digit * 2 - 9,
                digit => digit * 2,
            })
            .sum();
        sum.is_multiple_of(10)
    }
}
