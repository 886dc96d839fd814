//! Is this the number of an account or a payment card?

use super::Digits;

/// Card numbers that the networks and gateways publish for tests.
const TEST_CARDS: &[u64] = &[
    4111111111111111,
    4242424242424242,
    4012888888881881,
    5555555555554444,
    5105105105105100,
    378282246310005,
    371449635398431,
    6011111111111117,
    6011000990139424,
    3530111333300000,
    4000056655665556,
    5200828282828210,
    2223003122003222,
    4000000000000002,
];

/// A payment card: issuer range, its length, Luhn.
pub(crate) fn is_card(digits: &Digits) -> bool {
    let (length, two, four) = (digits.len(), digits.number(0, 2), digits.number(0, 4));
    let issued = match digits.at(0) {
        4 => matches!(length, 13 | 16 | 19),
        5 => length == 16 && (51..=55).contains(&two),
        2 => length == 16 && (2221..=2720).contains(&four),
        3 => {
            (length == 15 && matches!(two, 34 | 37))
                || (length == 14 && matches!(two, 36 | 38))
                || (length == 16 && two == 35)
        }
        6 => length == 16 && (four == 6011 || two == 65 || (644..=649).contains(&digits.number(0, 3))),
        _ => false,
    };
    issued && digits.is_luhn() && !digits.is_repeated()
}

/// Whether a card's number is one of those published for tests.
pub(crate) fn is_test_card(digits: &Digits) -> bool {
    TEST_CARDS.contains(&digits.number(0, digits.len()))
}

/// The lengths of an IBAN by country (SWIFT IBAN registry).
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VG", 24),
    (b"XK", 20),
];

/// The bytes of an IBAN that begins at the start of `text`, in groups or not; its checksum is right (ISO 7064 mod 97-10).
pub(crate) fn iban_at(text: &[u8]) -> Option<usize> {
    let country = text.get(..2).filter(|country| country.iter().all(u8::is_ascii_uppercase))?;
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| country == code.as_slice())?;
    let mut compact = [0u8; 34];
    let (mut kept, mut end) = (0, 0);
    for (at, byte) in text.iter().enumerate().take(44) {
        if kept == *length {
            break;
        }
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' => {
                *compact.get_mut(kept)? = *byte;
                kept += 1;
                end = at + 1;
            }
            b' ' | b'-' => {}
            _ => break,
        }
    }
    let followed = text.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let compact = compact.get(..kept)?;
    (kept == *length && !followed && mod_97(compact) == 1).then_some(end)
}

/// An IBAN that fills the whole value.
pub(crate) fn is_iban(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    iban_at(value) == Some(value.len())
}

fn mod_97(iban: &[u8]) -> u32 {
    iban.iter().cycle().skip(4).take(iban.len()).fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        byte => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_need_their_length_and_checksum() {
        assert!(is_iban(b"DE89 3704 0044 0532 0130 00"));
        assert!(is_iban(b"GB82WEST12345698765432"));
        assert!(!is_iban(b"DE89 3704 0044 0532 0130 01"));
        assert!(!is_iban(b"DE8937040044053201300"));
        assert_eq!(iban_at(b"NL91ABNA0417164300, please"), Some(18));
    }

    #[test]
    fn cards_need_an_issuer_and_luhn() {
        let card = |text: &str| is_card(&Digits::of(text.as_bytes()).unwrap());
        assert!(card("4111 1111 1111 1111"));
        assert!(card("3782-822463-10005"));
        assert!(!card("4111 1111 1111 1112"));
        assert!(!card("0000000000000000"));
        assert!(!card("1763877600000"));
        assert!(is_test_card(&Digits::of(b"4242 4242 4242 4242").unwrap()));
    }
}
