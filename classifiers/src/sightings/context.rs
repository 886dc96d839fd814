//! What do the words around a value say of it, and of whom it belongs to?

/// Surroundings looked at for words of employment, per object: the first ones say enough.
const SURROUNDINGS_MAX: u32 = 64;

/// Words beside which a person's data is an employee's.
const EMPLOYMENT: &[&str] = &[
    "employee",
    "payroll",
    "salary",
    "personnel",
    "staff",
    "human resources",
    "onboarding",
    "new hire",
    "hired",
    "termination",
    "department",
    "manager",
    "reports to",
    "hr@",
    "workforce",
    "offboarding",
    "employment",
    "job title",
    "mitarbeiter",
    "gehalt",
    "salarié",
    "empleado",
    "dipendente",
];
/// Words beside which it is a customer's.
const CUSTOMERS: &[&str] = &[
    "customer",
    "client",
    "order",
    "invoice",
    "subscriber",
    "patient",
    "purchase",
    "shipping",
    "billing",
    "guest",
    "donor",
    "newsletter",
];
/// Words beside which it is an author's of something public.
const AUTHORS: &[&str] = &[
    "author:",
    "authors",
    "committer",
    "signed-off-by",
    "co-authored-by",
    "reviewed-by",
    "maintainer",
    "contributor",
    "copyright",
    "license",
    "commit ",
    "changelog",
    "credits",
    "thanks to",
    "published by",
];

/// What the words around the values say of the people they belong to, in values.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Surroundings {
    pub(crate) looked_at: u32,
    pub(crate) employment: u32,
    pub(crate) customers: u32,
    pub(crate) authors: u32,
}

impl Surroundings {
    /// Looks at the words around the value at `at`, while few values were looked at.
    pub(super) fn look(&mut self, text: &[u8], at: usize) {
        if self.looked_at >= SURROUNDINGS_MAX {
            return;
        }
        let window = text.get(at.saturating_sub(160)..text.len().min(at + 160)).unwrap_or_default();
        self.looked_at += 1;
        self.employment += u32::from(has_any(window, EMPLOYMENT));
        self.customers += u32::from(has_any(window, CUSTOMERS));
        self.authors += u32::from(has_any(window, AUTHORS));
    }
}

/// Whether one of the words stands shortly before or after a value.
pub(super) fn is_named(text: &[u8], start: usize, end: usize, words: &[&str]) -> bool {
    let around = |from: usize, to: usize| text.get(from..to.min(text.len())).unwrap_or_default();
    has_any(around(start.saturating_sub(48), start), words) || has_any(around(end, end + 24), words)
}

/// Whether one of the words, which are in lower case, begins where a word of the window begins.
fn has_any(window: &[u8], words: &[&str]) -> bool {
    let mut before = b' ';
    for (at, byte) in window.iter().enumerate() {
        let begins = byte.is_ascii_alphabetic() || *byte >= 0x80;
        if begins && !before.is_ascii_alphabetic() {
            let rest = window.get(at..).unwrap_or_default();
            if words.iter().any(|word| begins_with(rest, word)) {
                return true;
            }
        }
        before = *byte;
    }
    false
}

fn begins_with(rest: &[u8], word: &str) -> bool {
    let Some((start, tail)) = rest.split_at_checked(word.len()) else { return false };
    // Short words (`sin`, `pan`, `tel`) count only by themselves.
    start.eq_ignore_ascii_case(word.as_bytes())
        && (word.len() > 5 || !tail.first().is_some_and(u8::is_ascii_alphabetic))
}
