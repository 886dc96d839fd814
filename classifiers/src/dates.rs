//! Do digits read as a date?

/// Whether a value is a date or moment by its digits and separators, as names of files have them.
pub(crate) fn is_date_like(value: &str) -> bool {
    let mut compact = [0u8; 14];
    let mut length = 0;
    for byte in value.bytes().filter(u8::is_ascii_digit) {
        let Some(digit) = compact.get_mut(length) else { return false };
        *digit = byte - b'0';
        length += 1;
    }
    let part = |from: usize, to: usize| {
        compact.get(from..to).unwrap_or_default().iter().fold(0u32, |n, digit| n * 10 + u32::from(*digit))
    };
    let clock = match length {
        8 => true,
        10 => part(8, 10) < 24,
        12 => part(8, 10) < 24 && part(10, 12) < 60,
        14 => part(8, 10) < 24 && part(10, 12) < 60 && part(12, 14) < 61,
        _ => false,
    };
    clock
        && ((is_day(part(0, 4), part(4, 6), part(6, 8)))
            || (length == 8
                && (is_day(part(4, 8), part(2, 4), part(0, 2))
                    || is_day(part(4, 8), part(0, 2), part(2, 4)))))
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}
