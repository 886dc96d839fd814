//! Of which class is each of 64 bytes?

use fearless_simd::{Simd, prelude::*, u8x64};
use wide::u8x16;

/// Bytes looked at together.
pub(super) const LANES: usize = 64;

/// Classes of 64 bytes, one bit a byte, the first byte lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// `@` and `+`.
    pub(super) sign: u64,
    pub(super) digit: u64,
    /// What stands between the groups of a number: blank, `-`, `.`, `)`.
    pub(super) separator: u64,
    /// Letters, digits, `_` and `-`.
    pub(super) token: u64,
}

/// Whether a byte can be part of a token.
pub(super) fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

/// The masks of at most 64 bytes; what is missing is of no class.
#[inline(always)]
pub(super) fn masks<S: Simd>(simd: S, block: &[u8]) -> Masks {
    match block.first_chunk::<LANES>() {
        Some(block) => whole(simd, block),
        None => {
            let mut bytes = [0u8; LANES];
            bytes.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
            whole(simd, &bytes)
        }
    }
}

// No closures here: they would be compiled without the instructions of the level.
#[inline(always)]
fn whole<S: Simd>(simd: S, block: &[u8; LANES]) -> Masks {
    let v = u8x64::from_slice(simd, block);
    let digit = (v - b'0').simd_lt(10);
    let letter = ((v | 0x20) - b'a').simd_lt(26);
    let dash = v.simd_eq(b'-');
    let separator = dash | v.simd_eq(b' ') | v.simd_eq(b'.') | v.simd_eq(b')');
    Masks {
        sign: (v.simd_eq(b'@') | v.simd_eq(b'+')).to_bitmask(),
        digit: digit.to_bitmask(),
        separator: separator.to_bitmask(),
        token: (digit | letter | dash | v.simd_eq(b'_')).to_bitmask(),
    }
}

/// All ones for each byte among the `count` from `first` on.
pub(crate) fn within(v: u8x16, first: u8, count: u8) -> u8x16 {
    let from = v - u8x16::splat(first);
    from.min(u8x16::splat(count - 1)).simd_eq(from)
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[test]
    fn every_byte_is_of_its_classes() {
        for first in (0..=255_u8).step_by(LANES) {
            let block: [u8; LANES] = std::array::from_fn(|i| first + i as u8);
            let masks = dispatch!(Level::new(), simd => masks(simd, &block));
            for (i, b) in block.iter().enumerate() {
                let is = |mask: u64| mask >> i & 1 == 1;
                assert_eq!(is(masks.digit), b.is_ascii_digit());
                assert_eq!(is(masks.token), is_token(*b));
                assert_eq!(is(masks.separator), b" -.)".contains(b));
                assert_eq!(is(masks.sign), b"@+".contains(b));
            }
        }
    }
}
