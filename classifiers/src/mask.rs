//! How does content leave this crate? Only as [`Masked`], which is made here and nowhere else.
//!
//! No mask shows four or more consecutive characters of a value, save the last four digits of numbers that are known by them.

mod screen;

use std::fmt;

use serde::Serialize;

pub use screen::screen;

/// Text that was masked: safe to print, log and store. Content can leave this crate in no other type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Masked(String);

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Masked {
    /// The masked text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text of our own making that holds no content: words that stand in this source, numbers that we counted.
    pub(crate) fn own(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// A row that we counted.
    pub(crate) fn row(row: u64) -> Self {
        Self(format!("row {row}"))
    }

    /// A byte offset that we counted.
    pub(crate) fn byte(offset: u64) -> Self {
        Self(format!("byte {offset}"))
    }

    /// Masked parts in one, outermost first.
    pub(crate) fn joined(parts: &[Masked]) -> Self {
        let parts: Vec<&str> = parts.iter().map(Self::as_str).filter(|part| !part.is_empty()).collect();
        Self(parts.join(" › "))
    }
}

/// `jane.doe@acme.example` → `j***@a***`.
pub(crate) fn email(value: &str) -> Masked {
    let (local, domain) = value.rsplit_once('@').unwrap_or((value, ""));
    Masked(format!("{}***@{}***", first(local), first(domain)))
}

/// `Jane Mary Doe` → `J*** M*** D***`; at most four initials.
pub(crate) fn name(value: &str) -> Masked {
    let initials: Vec<String> = value
        .split(|c: char| !c.is_alphabetic())
        .filter(|part| !part.is_empty())
        .take(4)
        .map(|part| format!("{}***", first(part)))
        .collect();
    Masked(if initials.is_empty() { "***".to_owned() } else { initials.join(" ") })
}

/// Phones, national ids, accounts and cards: the last digits, four at most and never more than a third of them.
pub(crate) fn number(value: &str) -> Masked {
    let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
    let shown = (digits.len() / 3).min(4);
    let last: String = digits.iter().skip(digits.len() - shown).collect();
    Masked(format!("***{last}"))
}

/// Stable ids of people, sessions and devices: the first character.
pub(crate) fn id(value: &str) -> Masked {
    Masked(format!("{}***", first(value.trim())))
}

/// Secrets: nothing of them but what they are and how long. `kind` is a word of our own.
pub(crate) fn secret(kind: &'static str, value: &str) -> Masked {
    Masked(format!("[{kind}, {} characters]", value.chars().count()))
}

/// Values of which nothing can be shown: dates of birth, addresses, amounts. `kind` is a word of our own.
pub(crate) fn hidden(kind: &'static str) -> Masked {
    Masked(format!("[{kind}]"))
}

fn first(text: &str) -> String {
    text.chars().next().filter(|c| c.is_alphanumeric()).map(String::from).unwrap_or_default()
}

/// The name of a column, sheet or archive entry inside an object: written by strangers, so only words of our own
/// lexicon are shown.
pub(crate) fn label(text: &str) -> Masked {
    if crate::lexicon::is_header_word(text) {
        Masked(screen(text).0)
    } else {
        Masked(format!("{}***", first(text.trim())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether four consecutive characters of `value` stand in `mask`, outside the value's last four digits.
    pub(super) fn leaks(value: &str, mask: &Masked) -> bool {
        let last_digits: String = {
            let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
            digits.iter().skip(digits.len().saturating_sub(4)).collect()
        };
        let chars: Vec<char> = value.chars().collect();
        chars.windows(4).any(|window| {
            let window: String = window.iter().collect();
            window != last_digits && mask.as_str().contains(&window)
        })
    }

    #[test]
    fn masks_read_as_what_they_hide() {
        assert_eq!(email("jane.doe@acme.example").as_str(), "j***@a***");
        assert_eq!(name("Jane Mary O'Doe").as_str(), "J*** M*** O*** D***");
        assert_eq!(number("+1 (415) 555-0132").as_str(), "***132");
        assert_eq!(number("4111 1111 1111 1111").as_str(), "***1111");
        assert_eq!(number("123-45-6789").as_str(), "***789");
        assert_eq!(id("usr_8a7f").as_str(), "u***");
        assert_eq!(
            secret("aws_access_key", "AKIAABCDEFGHIJKLMNOP").as_str(),
            "[aws_access_key, 20 characters]"
        );
    }

    #[test]
    fn only_words_of_the_lexicon_label_a_position() {
        assert_eq!(label("Work E-mail").as_str(), "Work E-mail");
        assert_eq!(label("Jane Doe").as_str(), "J***");
    }

    proptest! {
        #[test]
        fn no_mask_leaks_four_characters(value in "[A-Za-z0-9@.+ ()é_-]{4,60}") {
            prop_assert!(!leaks(&value, &email(&value)));
            prop_assert!(!leaks(&value, &name(&value)));
            prop_assert!(!leaks(&value, &number(&value)));
            prop_assert!(!leaks(&value, &id(&value)));
        }

        #[test]
        fn a_secret_shows_nothing_of_itself(value in "[A-Z0-9+/=_-]{12,80}") {
            prop_assert!(!leaks(&value, &secret("token", &value)));
        }
    }
}
