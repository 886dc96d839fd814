//! Which numbers of a workbook are dates, and what day do they mean?

use std::collections::HashMap;
use std::fmt::Write as _;

use super::super::read_part;
use crate::extract::Work;
use crate::extract::dates::day;
use crate::extract::markup::Token;
use crate::extract::zip::Entry;

/// Styles that a workbook may have, as many as Excel takes.
const STYLES_MAX: usize = 65_490;

/// The styles of cells, as far as they tell dates from numbers.
#[derive(Debug, Default)]
pub(in crate::extract) struct Styles {
    /// By the index that cells use.
    is_date: Vec<bool>,
    /// Whether days are counted from 1904, as on early Macintoshes.
    pub(in crate::extract) since_1904: bool,
}

impl Styles {
    pub(super) fn read(entry: &Entry<'_>, work: &mut Work<'_>) -> Self {
        let mut styles = Self::default();
        let mut custom: HashMap<u32, bool> = HashMap::new();
        let mut in_cells = false;
        read_part(entry, work, &mut |token, _| match token {
            Token::Open { name: "numFmt", attributes, .. } if custom.len() < STYLES_MAX => {
                let id = attributes.get("numFmtId").and_then(|id| id.parse().ok());
                if let (Some(id), Some(code)) = (id, attributes.get("formatCode")) {
                    custom.insert(id, is_date_format(&code));
                }
            }
            Token::Open { name: "cellXfs", empty, .. } => in_cells = !empty,
            Token::Close { name: "cellXfs" } => in_cells = false,
            Token::Open { name: "xf", attributes, .. } if in_cells && styles.is_date.len() < STYLES_MAX => {
                let id = attributes.get("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                styles.is_date.push(is_date(id, custom.get(&id).copied()));
            }
            _ => {}
        });
        styles
    }

    /// Takes the formats of styles, and what the formats are that the workbook made.
    pub(in crate::extract) fn set(&mut self, formats: &[u32], custom: &HashMap<u32, String>) {
        let is_date = |id: &u32| is_date(*id, custom.get(id).map(|code| is_date_format(code)));
        self.is_date = formats.iter().take(STYLES_MAX).map(is_date).collect();
    }

    /// Writes a number as people see it: a date as year-month-day, any other without an exponent where it is whole.
    pub(in crate::extract) fn write(&self, value: &str, style: usize, out: &mut String) {
        let number = || value.parse::<f64>().ok().filter(|number| number.is_finite());
        if self.is_date.get(style).copied().unwrap_or(false)
            && let Some(date) = number().and_then(|serial| self.date(serial))
        {
            return out.push_str(&date);
        }
        match number() {
            Some(number) if value.contains(['E', 'e']) && number.fract() == 0.0 && number.abs() < 1e15 => {
                let _ = write!(out, "{number:.0}");
            }
            _ => out.push_str(value),
        }
    }

    fn date(&self, serial: f64) -> Option<String> {
        // 9999-12-31 is day 2,958,465.
        if !(1.0..2_958_466.0).contains(&serial) {
            return None;
        }
        let whole = serial.floor();
        let seconds = ((serial - whole) * 86_400.0).round() as u32;
        // Day 60 is 1900-02-29, which never was; the days after it are counted from 1899-12-30.
        let epoch = if self.since_1904 { -24_107 } else { -25_569 };
        let mut date = day(epoch + whole as i64);
        if seconds > 0 && seconds < 86_400 {
            let _ = write!(date, " {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        }
        Some(date)
    }
}

/// ECMA-376 part 1, 18.8.30 lists the formats that are not written into the file.
fn is_date(id: u32, custom: Option<bool>) -> bool {
    custom.unwrap_or(matches!(id, 14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58))
}

/// A format with a year or a day in it, outside quotes, escapes and brackets.
fn is_date_format(code: &str) -> bool {
    let mut chars = code.chars();
    let mut quoted = false;
    let mut bracketed = false;
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ if bracketed => {}
            '\\' | '_' | '*' => {
                chars.next();
            }
            'y' | 'Y' | 'd' | 'D' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates() -> Styles {
        Styles { is_date: vec![false, true], since_1904: false }
    }

    fn written(styles: &Styles, value: &str, style: usize) -> String {
        let mut out = String::new();
        styles.write(value, style, &mut out);
        out
    }

    #[test]
    fn serial_days_become_dates() {
        assert_eq!(written(&dates(), "45292", 1), "2024-01-01");
        assert_eq!(written(&dates(), "61", 1), "1900-03-01");
        assert_eq!(written(&dates(), "45292.5", 1), "2024-01-01 12:00:00");
        assert_eq!(written(&Styles { since_1904: true, ..dates() }, "43830", 1), "2024-01-01");
    }

    #[test]
    fn numbers_stay_numbers() {
        assert_eq!(written(&dates(), "45292", 0), "45292");
        assert_eq!(written(&dates(), "4.155550123E9", 0), "4155550123");
        assert_eq!(written(&dates(), "1e300", 1), "1e300");
        assert_eq!(written(&dates(), "-3", 1), "-3");
        assert_eq!(written(&dates(), "nan", 1), "nan");
    }

    #[test]
    fn formats_with_days_are_dates() {
        assert!(is_date_format("yyyy\\-mm\\-dd"));
        assert!(is_date_format("[$-409]d-mmm-yy"));
        assert!(!is_date_format("#,##0.00 \"yd\""));
        assert!(!is_date_format("[Red]0.00"));
        assert!(!is_date_format("General"));
    }
}
