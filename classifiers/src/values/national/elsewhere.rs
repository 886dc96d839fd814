//! Which numbers do states outside of Europe give, and how are they checked?

use super::{Compact, Digits, is_verhoeff};

/// Area not 000, 666 or 900–999, group not 00, serial not 0000 (SSA, "Employer Filing Instructions"); no checksum, and so
/// nine digits without dashes count only where a column or word says so.
pub(super) fn us_ssn(value: &Compact) -> bool {
    value.digits(9).is_some_and(is_ssn)
}

fn is_ssn(digits: &Digits) -> bool {
    let (area, group, serial) = (digits.number(0, 3), digits.number(3, 2), digits.number(5, 4));
    // Numbers that stood in advertisements.
    let published =
        matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999) | (457, 55, 5462) | (987, 65, _));
    !(area == 0
        || area == 666
        || area >= 900
        || group == 0
        || serial == 0
        || published
        || digits.is_counting())
}

/// Whether a value is written as American social security numbers are, and could be one.
pub(crate) fn is_dashed_ssn(value: &[u8]) -> bool {
    let [a, b, c, b'-', d, e, b'-', f, g, h, i] = value else { return false };
    let digits = [a, b, c, d, e, f, g, h, i].map(|b| *b);
    digits.iter().all(u8::is_ascii_digit) && Digits::of(&digits).is_some_and(|digits| is_ssn(&digits))
}

pub(super) fn ca_sin(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| !matches!(digits.at(0), 0 | 8) && digits.is_luhn())
}

pub(super) fn au_tfn(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| {
        digits.weighted(&[1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0 && !digits.is_counting()
    })
}

pub(super) fn br_cpf(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let check = |weights: &[u32]| digits.weighted(weights) * 10 % 11 % 10;
    check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == digits.at(9)
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == digits.at(10)
}

/// Verhoeff's dihedral checksum; never begins with 0 or 1 (UIDAI).
pub(super) fn in_aadhaar(value: &Compact) -> bool {
    value.digits(12).is_some_and(|digits| digits.at(0) >= 2 && is_verhoeff(digits))
}

/// Five letters, the fourth a kind of holder, four digits and a letter; what the letter checks is not published.
pub(super) fn in_pan(value: &Compact) -> bool {
    value.has_shape(b"AAAAA9999A") && b"ABCFGHJLPT".contains(&value.at(3))
}
