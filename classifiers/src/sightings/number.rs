//! Is a number among running text a phone, a card or a national id, by its groups, its checksum and the words beside it?

use super::context::is_named;
use crate::values::{Digits, contact, finance, national};

/// What the number in `text[start..end]` is, if it is anything.
pub(super) fn number_kind(text: &[u8], start: usize, end: usize, contiguous: bool) -> Option<&'static str> {
    let value = text.get(start..end)?;
    // What goes on behind is something longer: a UUID, a part number.
    if text.get(end).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')) {
        return None;
    }
    let digits = Digits::of(value)?;
    if finance::is_card(&digits) {
        let named = || {
            is_named(
                text,
                start,
                end,
                &["card", "visa", "mastercard", "amex", "pan", "credit", "kreditkarte"],
            )
        };
        let written_as_card = if contiguous { named() } else { is_grouped_as_card(value) };
        return (written_as_card && !finance::is_test_card(&digits)).then_some("payment_card");
    }
    if let Some(compact) = national::Compact::of(value) {
        let named = |scheme: &&national::Scheme| is_named(text, start, end, scheme.context);
        if let Some(scheme) =
            national::SCHEMES.iter().filter(|scheme| (scheme.is_valid)(&compact)).find(named)
        {
            return Some(scheme.kind);
        }
    }
    let grouped = !contiguous && contact::is_nanp(&digits) && is_grouped_3_3_4(value);
    let named = || {
        (7..=12).contains(&digits.len())
            && contact::is_phone(value)
            && is_named(
                text,
                start,
                end,
                &["phone", "tel", "mobile", "cell", "fax", "call", "handy", "móvil", "telefon"],
            )
    };
    (grouped || named()).then_some("phone")
}

/// The groups that networks print on cards, with one kind of separator between them.
fn is_grouped_as_card(value: &[u8]) -> bool {
    let separator = value.iter().find(|b| !b.is_ascii_digit()).copied().unwrap_or(b' ');
    let mut lengths = value.split(|b| *b == separator).map(<[u8]>::len);
    let groups = [lengths.next(), lengths.next(), lengths.next(), lengths.next(), lengths.next()];
    matches!(separator, b' ' | b'-')
        && matches!(
            groups,
            [Some(4), Some(4), Some(4), Some(4), None | Some(3)]
                | [Some(4), Some(6), Some(4 | 5), None, None]
        )
}

/// Whether a group of four digits with one separator stands before.
pub(super) fn continues_fours(text: &[u8], at: usize) -> bool {
    matches!(at.checked_sub(5).and_then(|from| text.get(from..at)),
        Some([a, b, c, d, b' ' | b'-' | b'.']) if [a, b, c, d].iter().all(|b| b.is_ascii_digit()))
}

/// Whether the number goes on from a `+`, and was looked at from there.
pub(super) fn follows_plus(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(20)..at).unwrap_or_default();
    let number = |b: &u8| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'.' | b'(' | b')');
    before.iter().rev().find(|b| !number(b)) == Some(&b'+')
}

fn is_grouped_3_3_4(value: &[u8]) -> bool {
    let mut groups = value.split(|b| !b.is_ascii_digit()).filter(|group| !group.is_empty()).map(<[u8]>::len);
    // `415.555.0132` is as common as a version number with such parts is rare.
    [groups.next(), groups.next(), groups.next(), groups.next()] == [Some(3), Some(3), Some(4), None]
}

/// The ends of the groups of digits from `start` on, the furthest first: at most eight groups, 24 digits, and between them
/// one separator or a bracket and a blank.
pub(super) fn group_ends(text: &[u8], start: usize) -> impl Iterator<Item = usize> {
    let mut ends = [0usize; 8];
    let (mut groups, mut digits, mut gap, mut at) = (0, 0, 0, start);
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' if digits < 24 => {
                if gap > 0 || groups == 0 {
                    groups += 1;
                }
                gap = 0;
                digits += 1;
                let Some(end) = ends.get_mut(groups - 1) else {
                    groups = ends.len();
                    break;
                };
                *end = at + 1;
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if gap < 2 => gap += 1,
            _ => break,
        }
        at += 1;
    }
    ends.into_iter().take(groups).rev()
}
