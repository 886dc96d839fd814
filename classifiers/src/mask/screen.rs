//! What of a name that strangers chose (an object's key, a metadata value) may be shown?

use super::{Masked, email, number};
use crate::values::when::is_date_like;

/// Characters of a name that are shown; S3 keys have at most 1,024 bytes.
const SHOWN_MAX: usize = 1024;
/// Runs of letters and digits from this length on are tokens, not words.
const TOKEN_MIN: usize = 20;

/// Masks what may identify people or open doors in an object's key or metadata: addresses, long numbers, tokens, secrets;
/// control and bidirectional characters become `�`. Ordinary names, dates and UUIDs stay as they are.
pub fn screen(name: &str) -> Masked {
    let mut shown = String::with_capacity(name.len().min(SHOWN_MAX));
    let mut rest = name;
    let mut secret_follows = false;
    while !rest.is_empty() {
        if shown.len() >= SHOWN_MAX {
            shown.push('…');
            break;
        }
        let end = rest.find(is_separator).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        if !word.is_empty() {
            shown.push_str(&screened_word(word, secret_follows));
            secret_follows = false;
        }
        let Some(separator) = tail.chars().next() else { break };
        secret_follows |= matches!(separator, '=' | ':') && names_a_secret(word);
        shown.push(if is_unsafe(separator) { '\u{fffd}' } else { separator });
        rest = tail.get(separator.len_utf8()..).unwrap_or_default();
    }
    Masked(shown)
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        '/' | '\\'
            | '='
            | ':'
            | ','
            | ';'
            | '?'
            | '&'
            | '#'
            | '|'
            | '<'
            | '>'
            | '"'
            | '\''
            | '['
            | ']'
            | '{'
            | '}'
    ) || is_unsafe(c)
}

/// Control, bidirectional and invisible characters can make a report show something else than it says.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn names_a_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    [
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "apikey",
        "api_key",
        "access_key",
        "signature",
        "credential",
        "sig",
    ]
    .iter()
    .any(|name| word.ends_with(name))
}

fn screened_word(word: &str, secret: bool) -> String {
    if secret {
        return "***".to_owned();
    }
    // `%40` is how an `@` travels in a key that was copied from an address.
    if word.contains('@') || word.contains("%40") {
        return email(&word.replace("%40", "@")).0;
    }
    let mut shown = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '+') {
        let (before, run) = rest.split_at(start);
        shown.push_str(before);
        let end = number_end(run);
        if end > 0 {
            let value = run.get(..end).unwrap_or_default();
            shown.push_str(&screened_number(value));
            rest = run.get(end..).unwrap_or_default();
            continue;
        }
        let end = run.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(run.len()).max(1);
        let (token, after) = run.split_at(end);
        shown.push_str(&screened_token(token));
        rest = after;
    }
    shown.push_str(rest);
    if is_uuid_like(word) { word.to_owned() } else { shown }
}

/// The length of a number with its inner separators at the start of `run`, where it has the digits of a phone, card or id.
fn number_end(run: &str) -> usize {
    let (mut end, mut digits) = (0, 0);
    for (at, c) in run.char_indices() {
        match c {
            '0'..='9' => {
                digits += 1;
                end = at + 1;
            }
            '+' | '(' if at == 0 => {}
            ' ' | '-' | '.' | '(' | ')' if at <= end + 1 => {}
            c if c.is_ascii_alphabetic() && at == end => return 0,
            _ => break,
        }
    }
    if digits >= 7 { end } else { 0 }
}

fn screened_number(value: &str) -> String {
    if is_date_like(value) { value.to_owned() } else { number(value).0 }
}

fn screened_token(token: &str) -> String {
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let upper = token.bytes().filter(u8::is_ascii_uppercase).count();
    let mixed = digits > 0 || (upper > 2 && upper + 2 < token.len());
    if token.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= 9 && !is_date_like(run)) {
        return number(token).0;
    }
    if (token.len() >= TOKEN_MIN && mixed) || (token.len() >= 16 && token.starts_with("AKIA")) {
        format!("{}***", token.get(..2).unwrap_or_default())
    } else {
        token.to_owned()
    }
}

/// `8-4-4-4-12` hexadecimal digits, with an extension at most: a name that machines give to files.
fn is_uuid_like(word: &str) -> bool {
    let stem = word.split('.').next().unwrap_or_default();
    stem.len() == 36
        && word.len() <= 44
        && stem
            .char_indices()
            .all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::leaks;
    use super::*;

    #[test]
    fn ordinary_keys_are_shown_as_they_are() {
        for key in [
            "hr/exports/2026-11-23/staff_directory-v2.xlsx",
            "logs/2026/11/23/app.log.gz",
            "backup-20261123T060708Z.tar",
            "drafts/Überblick Q3 2027.docx",
            "blobs/3f2504e0-4f89-11d3-9a0c-0305e82c3301.bin",
            "year=2026/month=11/part-00017.parquet",
        ] {
            assert_eq!(screen(key).as_str(), key);
        }
    }

    #[test]
    fn what_identifies_people_or_opens_doors_is_masked() {
        for (key, shown) in [
            ("reviews/jane.doe@acme.example.pdf", "reviews/j***@a***"),
            ("reviews/jane.doe%40acme.example", "reviews/j***@a***"),
            ("ids/123-45-6789.jpg", "ids/***789.jpg"),
            ("call +1 415-555-0132.mp3", "call ***132.mp3"),
            ("cards/4111111111111111", "cards/***1111"),
            ("x?token=abcdef", "x?token=***"),
            ("keys/AKIAIOSFODNN7EXAMPLE", "keys/AK***"),
            ("a\u{202e}gpj.exe\n", "a\u{fffd}gpj.exe\u{fffd}"),
        ] {
            assert_eq!(screen(key).as_str(), shown);
        }
    }

    #[test]
    fn long_names_are_cut() {
        assert!(screen(&"a b/".repeat(9_000)).as_str().len() < 2_000);
    }

    proptest! {
        #[test]
        fn embedded_addresses_and_numbers_do_not_leak(
            before in "[a-z/]{0,9}", local in "[a-z.]{3,12}", domain in "[a-z]{4,12}", number in "[2-9][0-9]{2}-[0-9]{2}-[0-9]{4}",
        ) {
            let address = format!("{local}@{domain}.example");
            let keys = [format!("dir-1/{address}/q"), format!("{before}/{number}.csv"), format!("{before}4111111111111111.csv")];
            prop_assert!(!leaks(&address, &screen(&keys[0])));
            prop_assert!(!leaks(&number, &screen(&keys[1])));
            prop_assert!(!leaks("4111111111111111", &screen(&keys[2])));
        }

        #[test]
        fn nothing_unprintable_is_shown(name in "\\PC{0,20}[\\x00-\\x1f\u{202a}-\u{202e}]{0,3}.{0,20}") {
            prop_assert!(!screen(&name).as_str().chars().any(is_unsafe));
        }
    }
}
