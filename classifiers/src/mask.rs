//! How does content leave this crate? Only as [`Masked`], which is made here and nowhere else.

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

    /// Text of our own making that holds no content, such as `row 12`.
    pub(crate) fn own(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// `jane.doe@acme.example` → `j***@a***`.
pub(crate) fn email(value: &str) -> Masked {
    let (local, domain) = value.rsplit_once('@').unwrap_or((value, ""));
    Masked(format!("{}***@{}***", first(local), first(domain)))
}

/// Phones, national ids, accounts and cards: the last digits, four at most and never more than a third of them.
pub(crate) fn number(value: &str) -> Masked {
    let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
    let shown = (digits.len() / 3).min(4);
    let last: String = digits.iter().skip(digits.len() - shown).collect();
    Masked(format!("***{last}"))
}

/// Secrets: nothing of them but what they are and how long. `kind` is a word of our own.
pub(crate) fn secret(kind: &'static str, value: &str) -> Masked {
    Masked(format!("[{kind}, {} characters]", value.chars().count()))
}

fn first(text: &str) -> String {
    text.chars().next().filter(|c| c.is_alphanumeric()).map(String::from).unwrap_or_default()
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
        assert_eq!(number("+1 (415) 555-0132").as_str(), "***132");
        assert_eq!(number("4111 1111 1111 1111").as_str(), "***1111");
        assert_eq!(number("123-45-6789").as_str(), "***789");
        assert_eq!(
            secret("aws_access_key", "AKIAABCDEFGHIJKLMNOP").as_str(),
            "[aws_access_key, 20 characters]"
        );
    }

    proptest! {
        #[test]
        fn no_mask_leaks_four_characters(value in "[A-Za-z0-9@.+ ()é_-]{4,60}") {
            prop_assert!(!leaks(&value, &email(&value)));
            prop_assert!(!leaks(&value, &number(&value)));
        }

        #[test]
        fn a_secret_shows_nothing_of_itself(value in "[A-Z0-9+/=_-]{12,80}") {
            prop_assert!(!leaks(&value, &secret("token", &value)));
        }
    }
}
