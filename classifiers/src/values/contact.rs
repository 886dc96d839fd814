//! Is this an address under which a person can be reached?

use super::Digits;

/// Domains at which people have private addresses: one of them does not make an employer.
const FREE_MAIL: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "live.com",
    "icloud.com",
    "me.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "mail.ru",
    "yandex.ru",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "163.com",
    "orange.fr",
    "free.fr",
    "wanadoo.fr",
    "libero.it",
    "t-online.de",
    "comcast.net",
    "btinternet.com",
    "msn.com",
    "ymail.com",
    "zoho.com",
];

/// Local parts of roles and machines.
const ROLES: &[&str] = &[
    "info",
    "support",
    "noreply",
    "no-reply",
    "donotreply",
    "do-not-reply",
    "admin",
    "sales",
    "contact",
    "help",
    "hello",
    "webmaster",
    "postmaster",
    "security",
    "abuse",
    "jobs",
    "press",
    "office",
    "team",
    "hostmaster",
    "billing",
    "git",
    "root",
    "mailer-daemon",
    "notifications",
    "privacy",
    "legal",
    "marketing",
    "feedback",
    "enquiries",
    "service",
    "newsletter",
];

/// An e-mail address and its halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Email<'a> {
    pub(crate) address: &'a [u8],
    pub(crate) local: &'a [u8],
    pub(crate) domain: &'a [u8],
}

impl Email<'_> {
    /// Whether the address belongs to a role or machine rather than to a person.
    pub(crate) fn is_role(&self) -> bool {
        ROLES.iter().any(|role| self.local.eq_ignore_ascii_case(role.as_bytes()))
    }

    /// Whether the domain is one of private mailboxes.
    pub(crate) fn is_free_mail(&self) -> bool {
        is_free_mail(self.domain)
    }
}

/// Whether a domain gives mailboxes to everybody.
pub(crate) fn is_free_mail(domain: &[u8]) -> bool {
    FREE_MAIL.iter().any(|free| domain.eq_ignore_ascii_case(free.as_bytes()))
}

/// The address around the `@` that stands at `at`, if it is one.
pub(crate) fn email_around(text: &[u8], at: usize) -> Option<Email<'_>> {
    let before = text.get(at.saturating_sub(64)..at)?;
    let local_length = before.iter().rev().take_while(|b| is_local(**b)).count();
    let mut local = before.get(before.len() - local_length..)?;
    while let [b'.' | b'-' | b'\'' | b'+' | b'_', rest @ ..] = local {
        local = rest;
    }
    let after = text.get(at + 1..)?;
    let domain_length =
        after.iter().take(254).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')).count();
    let mut domain = after.get(..domain_length)?;
    while let [rest @ .., b'.' | b'-'] = domain {
        domain = rest;
    }
    if local.is_empty() || local.last() == Some(&b'.') || !is_domain(domain) {
        return None;
    }
    let address = text.get(at - local.len()..=at + domain.len())?;
    Some(Email { address, local, domain })
}

/// An address that fills the whole value, but for blanks, `mailto:` and angle brackets around it.
pub(crate) fn email(value: &[u8]) -> Option<Email<'_>> {
    let mut value = value.trim_ascii();
    value = value.strip_prefix(b"mailto:").unwrap_or(value);
    value = value.strip_prefix(b"<").and_then(|v| v.strip_suffix(b">")).unwrap_or(value);
    let email = email_around(value, memchr::memchr(b'@', value)?)?;
    (email.address.len() == value.len()).then_some(email)
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'') || b >= 0x80
}

/// At least two labels, the last one of letters only (or `xn--…`), none empty.
fn is_domain(domain: &[u8]) -> bool {
    let mut labels = 0;
    let mut last: &[u8] = b"";
    for label in domain.split(|b| *b == b'.') {
        if label.is_empty() || label.len() > 63 {
            return false;
        }
        labels += 1;
        last = label;
    }
    // `logo@2x.png` is how pictures for dense screens are called.
    const FILES: [&[u8]; 8] = [b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"js", b"css"];
    labels >= 2
        && last.len() >= 2
        && (last.iter().all(u8::is_ascii_alphabetic) || last.starts_with(b"xn--"))
        && !FILES.iter().any(|file| last.eq_ignore_ascii_case(file))
}

/// A telephone number that fills the whole value: international with `+` or `00`, or national with 7–12 digits in groups.
pub(crate) fn is_phone(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let value = value.strip_prefix(b"tel:").unwrap_or(value);
    let extension =
        value.iter().position(|b| matches!(b, b'x' | b'e' | b'E' | b'X' | b'#')).unwrap_or(value.len());
    let (number, extension) = value.split_at_checked(extension).unwrap_or((value, b""));
    if !extension.is_empty() && (extension.len() > 9 || !extension.last().is_some_and(u8::is_ascii_digit)) {
        return false;
    }
    let number = number.trim_ascii();
    let international = number.strip_prefix(b"+").or_else(|| number.strip_prefix(b"00"));
    let Some(digits) = Digits::of(international.unwrap_or(number)) else { return false };
    if digits.is_repeated() {
        return false;
    }
    match international {
        Some(_) => is_e164(&digits),
        None => {
            (7..=12).contains(&digits.len())
                && !super::when::is_date_like_bytes(number)
                && !(number.contains(&b'.') && number.iter().filter(|b| **b == b'.').count() == 3)
                && (digits.len() != 10
                    || digits.at(0) == 0
                    || is_nanp(&digits)
                    || !number.iter().all(u8::is_ascii_digit))
        }
    }
}

/// The digits after `+`: a country code that is in use and a length that it allows (ITU-T E.164).
pub(crate) fn is_e164(digits: &Digits) -> bool {
    if !(8..=15).contains(&digits.len()) || digits.at(0) == 0 || digits.is_repeated() {
        return false;
    }
    match (digits.at(0), digits.at(1)) {
        (1, _) => digits.len() == 11 && Digits::is_nanp_from(digits, 1),
        (7, _) => digits.len() == 11,
        // Unassigned code blocks: 210, 214, 215, 217, 219, 28x, 29[2-6], 384, 422, 424-429, 69[3-9], 80[1-7], 83x, 85[14-9], 89x.
        (2, 8) | (8, 3 | 9) => false,
        (8, 0) => matches!(digits.at(2), 0 | 8),
        _ => true,
    }
}

impl Digits {
    /// A North American number from a position on: area and exchange begin with 2–9.
    fn is_nanp_from(&self, start: usize) -> bool {
        self.at(start) >= 2
            && self.at(start + 3) >= 2
            && !(self.at(start + 1) == 9 && self.at(start + 2) == 9)
    }
}

/// Ten digits of the North American plan.
pub(crate) fn is_nanp(digits: &Digits) -> bool {
    digits.len() == 10 && digits.is_nanp_from(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_out_of_their_surroundings() {
        for (text, expected) in [
            ("mail jane.doe@acme.example, or", Some("jane.doe@acme.example")),
            ("<jane@acme.co.uk>.", Some("jane@acme.co.uk")),
            ("see jane@acme.example.", Some("jane@acme.example")),
            ("@handle", None),
            ("a@b", None),
            ("npm i left-pad@1.3.0", None),
            ("logo@2x.png", None),
            ("git@10.0.0.1:x", None),
            ("ünal@acme.example", Some("ünal@acme.example")),
        ] {
            let at = text.find('@').unwrap();
            let found =
                email_around(text.as_bytes(), at).map(|e| String::from_utf8_lossy(e.address).into_owned());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert!(email(b" mailto:jane@acme.example").is_some());
        assert!(email(b"jane@acme.example and more").is_none());
    }

    #[test]
    fn telephone_numbers_of_many_countries() {
        for yes in [
            "+1 415-555-0132",
            "(415) 555-0132",
            "415.555.0132",
            "+49 30 901820",
            "+44 20 7946 0958",
            "030 901820",
            "0033 1 99 00 12 34",
            "+91 98765 43210",
            "+1-202-555-0143 x204",
            "tel:+4930901820",
            "+5511987654321",
        ] {
            assert!(is_phone(yes.as_bytes()), "{yes}");
        }
        for no in [
            "2026-11-23",
            "10.200.13.14",
            "1111111111",
            "12345",
            "+0 123 456 789",
            "1763877600",
            "+1 115-555-0132",
            "v1.2.3",
            "",
        ] {
            assert!(!is_phone(no.as_bytes()), "{no}");
        }
    }
}
