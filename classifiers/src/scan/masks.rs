//! Of which class is each of 64 bytes?

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
pub(super) fn masks(block: &[u8]) -> Masks {
    match block.first_chunk::<LANES>() {
        Some(block) => whole(block),
        None => {
            let mut bytes = [0u8; LANES];
            bytes.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
            whole(&bytes)
        }
    }
}

fn whole(block: &[u8; LANES]) -> Masks {
    let mut masks = Masks::default();
    for (place, sixteen) in block.as_chunks::<16>().0.iter().enumerate() {
        let v = u8x16::new(*sixteen);
        let is = |byte: u8| v.simd_eq(u8x16::splat(byte));
        let digit = within(v, b'0', 10);
        let letter = within(v | u8x16::splat(0x20), b'a', 26);
        let dash = is(b'-');
        let separator = dash | is(b' ') | is(b'.') | is(b')');
        let token = digit | letter | dash | is(b'_');
        let sign = is(b'@') | is(b'+');
        let bits = |v: u8x16| u64::from(v.to_bitmask()) << (16 * place);
        masks.sign |= bits(sign);
        masks.digit |= bits(digit);
        masks.separator |= bits(separator);
        masks.token |= bits(token);
    }
    masks
}

/// All ones for each byte among the `count` from `first` on.
pub(crate) fn within(v: u8x16, first: u8, count: u8) -> u8x16 {
    let from = v - u8x16::splat(first);
    from.min(u8x16::splat(count - 1)).simd_eq(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_of_its_classes() {
        for first in (0..=255_u8).step_by(LANES) {
            let block: [u8; LANES] = std::array::from_fn(|i| first + i as u8);
            let masks = masks(&block);
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
