//! Is this a date or a point in time?

/// What a value says of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// A day.
    Date,
    /// A day and a time of it.
    Moment,
    /// Seconds, milliseconds or microseconds since 1970, between 2001 and 2100.
    Epoch,
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// What a value that is nothing but a date or time says.
pub(crate) fn when(value: &[u8]) -> Option<When> {
    let value = value.trim_ascii();
    if !(6..=40).contains(&value.len()) {
        return None;
    }
    if value.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
        return epoch(value).or_else(|| dotted_or_compact(value));
    }
    let end = date_end(value).or_else(|| syslog_end(value))?;
    let rest = value.get(end..)?;
    match rest {
        [] => Some(When::Date),
        [b'T' | b't' | b' ' | b':' | b',', time @ ..] if is_time(time.trim_ascii()) => Some(When::Moment),
        _ => None,
    }
}

/// Whether a value is a date or moment by its digits and separators, as names of files have them.
pub(crate) fn is_date_like(value: &str) -> bool {
    is_date_like_bytes(value.as_bytes())
}

/// As [`is_date_like`].
pub(crate) fn is_date_like_bytes(value: &[u8]) -> bool {
    let mut compact = [0u8; 14];
    let mut length = 0;
    for byte in value.iter().filter(|b| b.is_ascii_digit()) {
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

/// The length of the timestamp that a log line begins with: `2026-11-23T06:07:08…`, `Nov 23 06:07:08`, `[23/Nov/2026:06:…]`.
pub(crate) fn leading(line: &[u8]) -> Option<usize> {
    let bracket = usize::from(matches!(line.first(), Some(b'[' | b'"')));
    let rest = line.get(bracket..)?;
    let end = date_end(rest).or_else(|| syslog_end(rest))?;
    let after = rest.get(end..)?;
    let gap = usize::from(matches!(after.first(), Some(b'T' | b't' | b' ' | b':')));
    let time = after.get(gap..)?;
    let clock = |b: &u8| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'Z' | b'+');
    let mut length = time.iter().take(24).take_while(|b| clock(b)).count();
    // Milliseconds behind a comma; any other comma ends a cell.
    if let Some([b',', fraction @ ..]) = time.get(length..).map(|rest| rest.get(..4).unwrap_or(rest))
        && fraction.len() == 3
        && fraction.iter().all(u8::is_ascii_digit)
    {
        length += 4;
    }
    (length >= 5 && is_time(time.get(..length)?)).then_some(bracket + end + gap + length)
}

fn syslog_end(text: &[u8]) -> Option<usize> {
    month_name(text.get(..3)?)?;
    let (b' ', day) = (text.get(3)?, text.get(4..6)?) else { return None };
    day.iter().all(|b| b.is_ascii_digit() || *b == b' ').then_some(6)
}

fn epoch(value: &[u8]) -> Option<When> {
    let whole = value.split(|b| *b == b'.').next()?;
    let seconds = match whole.len() {
        10 => number(whole)?,
        13 => number(whole)? / 1_000,
        16 => number(whole)? / 1_000_000,
        _ => return None,
    };
    (978_307_200..4_102_444_800).contains(&seconds).then_some(When::Epoch)
}

fn dotted_or_compact(value: &[u8]) -> Option<When> {
    if value.len() == 8 && !value.contains(&b'.') {
        let (year, month, day) =
            (number(value.get(..4)?)?, number(value.get(4..6)?)?, number(value.get(6..)?)?);
        return is_day(year as u32, month as u32, day as u32).then_some(When::Date);
    }
    (date_end(value)? == value.len()).then_some(When::Date)
}

/// The length of the date at the start: year first, day first or month first, with `-`, `/` or `.`, or a named month.
fn date_end(text: &[u8]) -> Option<usize> {
    let (first, after_first) = leading_number(text)?;
    let separator = *text.get(after_first)?;
    if !matches!(separator, b'-' | b'/' | b'.' | b' ') {
        return None;
    }
    let second_at = after_first + 1;
    let (second, after_second) = match leading_number(text.get(second_at..)?) {
        Some((number, length)) => (number, second_at + length),
        None => {
            let letters = text.get(second_at..)?.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            (month_name(text.get(second_at..second_at + letters)?)?, second_at + letters)
        }
    };
    if *text.get(after_second)? != separator {
        return None;
    }
    let third_at = after_second + 1;
    let (third, length) = leading_number(text.get(third_at..)?)?;
    let full_year = |year: u32, digits: usize| if digits == 2 { 1900 + year } else { year };
    let day = if after_first == 4 {
        is_day(first, second, third)
    } else {
        let year = full_year(third, length);
        is_day(year, second, first) || is_day(year, first, second)
    };
    day.then_some(third_at + length)
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn is_time(text: &[u8]) -> bool {
    matches!(text, [h1, h2, b':', m1, m2, ..]
        if [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) && (*h1 < b'2' || (*h1 == b'2' && *h2 < b'4')) && *m1 < b'6')
        || matches!(text, [h1, b':', m1, m2, ..] if [h1, m1, m2].iter().all(|b| b.is_ascii_digit()) && *m1 < b'6')
}

fn month_name(word: &[u8]) -> Option<u32> {
    let three = word.get(..3)?;
    MONTHS.iter().position(|month| three.eq_ignore_ascii_case(month.as_slice())).map(|at| at as u32 + 1)
}

fn leading_number(text: &[u8]) -> Option<(u32, usize)> {
    let length = text.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=4).contains(&length) {
        return None;
    }
    Some((number(text.get(..length)?)? as u32, length))
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_moments() {
        for (value, expected) in [
            ("2026-11-23", Some(When::Date)),
            ("23.11.2026", Some(When::Date)),
            ("11/23/2026", Some(When::Date)),
            ("23-Nov-2026", Some(When::Date)),
            ("20261123", Some(When::Date)),
            ("2026-11-23T06:07:08.123Z", Some(When::Moment)),
            ("2026-11-23 06:07", Some(When::Moment)),
            ("23/Nov/2026:06:07:08 +0000", Some(When::Moment)),
            ("Nov 23 06:07:08", Some(When::Moment)),
            ("1763877600", Some(When::Epoch)),
            ("1763877600123", Some(When::Epoch)),
            ("1763877600.25", Some(When::Epoch)),
            ("10.200.13.14", None),
            ("4155550132", None),
            ("2026-13-45", None),
            ("hello", None),
        ] {
            assert_eq!(when(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn log_lines_begin_with_their_time() {
        assert_eq!(leading(b"2026-11-23T06:07:08Z INFO x"), Some(20));
        assert_eq!(leading(b"Nov 23 06:07:08 host x"), Some(15));
        assert_eq!(leading(b"[2026-11-23 06:07:08] x"), Some(20));
        assert_eq!(leading(b"plain words"), None);
    }

    #[test]
    fn names_of_files_carry_dates() {
        assert!(is_date_like("2026-11-23"));
        assert!(is_date_like("20261123060708"));
        assert!(!is_date_like("123456789"));
    }
}
