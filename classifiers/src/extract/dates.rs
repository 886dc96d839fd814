//! How are dates and other values of binary tables written so that people and detectors can read them?

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Eras of 400 years with March as the first month, so that the leap day comes last.
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A day counted from 1970-01-01 as year-month-day; as a number where no calendar reaches.
pub(super) fn day(days: i64) -> String {
    if !(-1_000_000..3_000_000).contains(&days) {
        return days.to_string();
    }
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time counted in seconds from 1970 as date and time.
pub(super) fn time(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("{} {:02}:{:02}:{:02}", day(days), second / 3600, second / 60 % 60, second % 60)
}

/// A whole number with the point put before its last `scale` digits.
pub(super) fn decimal(number: i64, scale: u32) -> String {
    if scale == 0 || scale > 38 {
        return number.to_string();
    }
    let scale = scale as usize;
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}

/// Bytes as the text they are; nothing where they are none.
pub(super) fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => text.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_written_as_dates() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(19_723), "2024-01-01");
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(day(i64::MAX), i64::MAX.to_string());
        assert_eq!(time(86_399), "1970-01-01 23:59:59");
        assert_eq!(time(-1), "1969-12-31 23:59:59");
    }

    #[test]
    fn decimals_are_written_with_their_point() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1250, 2), "12.50");
        assert_eq!(decimal(7, 0), "7");
    }
}
