//! Is this a number that a state gave to a person? One function per scheme, with its checksum.

use super::Digits;

/// A scheme of national numbers.
pub(crate) struct Scheme {
    /// The stable word for it.
    pub(crate) kind: &'static str,
    /// Whether a value, without separators and in upper case, is well-formed and its checksum right.
    pub(crate) is_valid: fn(&Compact) -> bool,
    /// Words beside which a number is one of this scheme, in lower case.
    pub(crate) context: &'static [&'static str],
    /// How much of all numbers of the right length the rule turns away: 1 − probability that noise passes.
    pub(crate) certainty: f64,
}

/// A value without separators, in upper case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compact {
    bytes: [u8; 20],
    length: usize,
    digits: Digits,
    /// Whether the value is digits alone.
    numeric: bool,
}

impl Compact {
    /// A value of 8–20 letters and digits, with ` -./` between them.
    pub(crate) fn of(value: &[u8]) -> Option<Self> {
        let value = value.trim_ascii();
        if !(8..=26).contains(&value.len()) {
            return None;
        }
        let mut compact =
            Self { bytes: [0; 20], length: 0, digits: Digits { digits: [0; 24], length: 0 }, numeric: true };
        for byte in value {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                    *compact.bytes.get_mut(compact.length)? = byte.to_ascii_uppercase();
                    compact.length += 1;
                }
                b' ' | b'-' | b'.' | b'/' | b'+' => {}
                _ => return None,
            }
        }
        match Digits::of(compact.as_slice()) {
            Some(digits) => compact.digits = digits,
            None => compact.numeric = false,
        }
        (compact.length >= 8 && compact.as_slice().iter().filter(|b| b.is_ascii_digit()).count() >= 6)
            .then_some(compact)
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The digits, where the value is `length` digits that are not all the same.
    fn digits(&self, length: usize) -> Option<&Digits> {
        (self.numeric && self.length == length && !self.digits.is_repeated()).then_some(&self.digits)
    }

    /// Whether the value has the shape: `9` a digit, `A` a letter, anything else itself.
    fn has_shape(&self, shape: &[u8]) -> bool {
        self.length == shape.len()
            && self.as_slice().iter().zip(shape).all(|(byte, shape)| match shape {
                b'9' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_uppercase(),
                other => byte == other,
            })
    }

    fn at(&self, position: usize) -> u8 {
        self.as_slice().get(position).copied().unwrap_or(0)
    }

    /// The digits from `start` as a number.
    fn number(&self, start: usize, length: usize) -> u64 {
        self.as_slice()
            .iter()
            .skip(start)
            .take(length)
            .filter(|b| b.is_ascii_digit())
            .fold(0, |n, b| n * 10 + u64::from(b - b'0'))
    }
}

/// All schemes, the most certain first where two have the same length.
pub(crate) const SCHEMES: &[Scheme] = &[
    Scheme {
        kind: "it_codice_fiscale",
        is_valid: it_codice_fiscale,
        context: &["codice fiscale", "fiscale", "c.f."],
        certainty: 1.0,
    },
    Scheme {
        kind: "fr_nir",
        is_valid: fr_nir,
        context: &["nir", "sécurité sociale", "securite sociale", "insee", "sécu"],
        certainty: 0.999,
    },
    Scheme { kind: "ch_ahv", is_valid: ch_ahv, context: &["ahv", "avs"], certainty: 1.0 },
    Scheme { kind: "us_ssn", is_valid: us_ssn, context: &["ssn", "social security"], certainty: 0.9 },
    Scheme {
        kind: "uk_nino",
        is_valid: uk_nino,
        context: &["nino", "national insurance", "ni number", "ni no"],
        certainty: 0.99,
    },
    Scheme {
        kind: "es_dni",
        is_valid: es_dni,
        context: &["dni", "nie", "nif", "documento nacional"],
        certainty: 0.95,
    },
    Scheme {
        kind: "fi_hetu",
        is_valid: fi_hetu,
        context: &["hetu", "henkilötunnus", "henkilotunnus"],
        certainty: 0.99,
    },
    Scheme { kind: "ie_pps", is_valid: ie_pps, context: &["pps", "ppsn"], certainty: 0.95 },
    Scheme {
        kind: "in_aadhaar",
        is_valid: in_aadhaar,
        context: &["aadhaar", "aadhar", "uidai"],
        certainty: 0.92,
    },
    Scheme {
        kind: "de_tax_id",
        is_valid: de_tax_id,
        context: &["steuer", "idnr", "tax id"],
        certainty: 0.98,
    },
    Scheme { kind: "br_cpf", is_valid: br_cpf, context: &["cpf"], certainty: 0.99 },
    Scheme {
        kind: "be_nrn",
        is_valid: be_nrn,
        context: &["rijksregister", "registre national", "niss", "insz", "nrn"],
        certainty: 0.99,
    },
    Scheme { kind: "pl_pesel", is_valid: pl_pesel, context: &["pesel"], certainty: 0.96 },
    Scheme {
        kind: "no_fnr",
        is_valid: no_fnr,
        context: &["fødselsnummer", "fodselsnummer", "personnummer"],
        certainty: 0.99,
    },
    Scheme { kind: "hr_oib", is_valid: hr_oib, context: &["oib"], certainty: 0.9 },
    Scheme {
        kind: "baltic_code",
        is_valid: baltic_code,
        context: &["isikukood", "asmens kodas"],
        certainty: 0.96,
    },
    Scheme { kind: "gr_amka", is_valid: gr_amka, context: &["amka", "αμκα"], certainty: 0.96 },
    Scheme { kind: "ro_cnp", is_valid: ro_cnp, context: &["cnp"], certainty: 0.97 },
    Scheme {
        kind: "se_personnummer",
        is_valid: se_personnummer,
        context: &["personnummer", "samordningsnummer"],
        certainty: 0.96,
    },
    Scheme { kind: "uk_nhs", is_valid: uk_nhs, context: &["nhs"], certainty: 0.9 },
    Scheme { kind: "bg_egn", is_valid: bg_egn, context: &["egn", "егн"], certainty: 0.96 },
    Scheme { kind: "at_svnr", is_valid: at_svnr, context: &["svnr", "sozialversicherung"], certainty: 0.96 },
    Scheme {
        kind: "cz_sk_rodne_cislo",
        is_valid: cz_sk_rodne_cislo,
        context: &["rodné číslo", "rodne cislo", "rodné"],
        certainty: 0.97,
    },
    Scheme {
        kind: "nl_bsn",
        is_valid: nl_bsn,
        context: &["bsn", "burgerservice", "sofinummer"],
        certainty: 0.9,
    },
    Scheme { kind: "ca_sin", is_valid: ca_sin, context: &["sin", "social insurance"], certainty: 0.9 },
    Scheme { kind: "au_tfn", is_valid: au_tfn, context: &["tfn", "tax file"], certainty: 0.9 },
    Scheme { kind: "pt_nif", is_valid: pt_nif, context: &["nif", "contribuinte"], certainty: 0.9 },
];

/// The scheme by its stable word.
pub(crate) fn scheme(kind: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.kind == kind)
}

fn is_day_of_month(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Area not 000, 666 or 900–999, group not 00, serial not 0000 (SSA, "Employer Filing Instructions"); no checksum, and so
/// nine digits without dashes count only where a column or word says so.
fn us_ssn(value: &Compact) -> bool {
    value.digits(9).is_some_and(is_ssn)
}

fn is_ssn(digits: &Digits) -> bool {
    let (area, group, serial) = (digits.number(0, 3), digits.number(3, 2), digits.number(5, 4));
    // Numbers that stood in advertisements.
    let published =
        matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999) | (457, 55, 5462) | (987, 65, _));
    !(area == 0
        || area == 666
        || area >= 900
        || group == 0
        || serial == 0
        || published
        || digits.is_counting())
}

/// Whether a value is written as American social security numbers are, and could be one.
pub(crate) fn is_dashed_ssn(value: &[u8]) -> bool {
    let [a, b, c, b'-', d, e, b'-', f, g, h, i] = value else { return false };
    let digits = [a, b, c, d, e, f, g, h, i].map(|b| *b);
    digits.iter().all(u8::is_ascii_digit) && Digits::of(&digits).is_some_and(|digits| is_ssn(&digits))
}

/// HMRC, National Insurance Manual NIM39110.
fn uk_nino(value: &Compact) -> bool {
    let prefix = [value.at(0), value.at(1)];
    value.has_shape(b"AA999999A")
        && !b"DFIQUV".contains(&value.at(0))
        && !b"DFIOQUV".contains(&value.at(1))
        && !matches!(&prefix, b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ")
        && matches!(value.at(8), b'A'..=b'D')
        && value.number(2, 6) != 123_456
}

/// NHS Data Dictionary: modulus 11, weights 10–2.
fn uk_nhs(value: &Compact) -> bool {
    let Some(digits) = value.digits(10) else { return false };
    let check = 11 - digits.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check % 11 == digits.at(9) && check != 10
}

/// § 139b AO: one digit twice or thrice among the first ten, ISO 7064 mod 11,10.
fn de_tax_id(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let mut counts = [0u8; 10];
    for digit in digits.as_slice().iter().take(10) {
        if let Some(count) = counts.get_mut(usize::from(*digit)) {
            *count += 1;
        }
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    digits.at(0) != 0 && repeated == 1 && counts.iter().all(|count| *count <= 3) && iso_7064_mod_11_10(digits)
}

fn iso_7064_mod_11_10(digits: &Digits) -> bool {
    let last = digits.len() - 1;
    let product = digits.as_slice().iter().take(last).fold(10, |product, digit| {
        let sum = (product + u32::from(*digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == digits.at(last)
}

/// Key = 97 − number mod 97; Corsica's 2A and 2B count as 19 and 18 (INSEE).
fn fr_nir(value: &Compact) -> bool {
    if value.length != 15 {
        return false;
    }
    let corsica = match (value.at(5), value.at(6)) {
        (b'2', b'A') => Some(19),
        (b'2', b'B') => Some(18),
        _ => None,
    };
    let digits_elsewhere =
        value.as_slice().iter().enumerate().all(|(i, b)| b.is_ascii_digit() || (i == 6 && corsica.is_some()));
    if !digits_elsewhere || !matches!(value.at(0), b'1' | b'2' | b'3' | b'4' | b'7' | b'8') {
        return false;
    }
    let month = value.number(3, 2);
    let number = value.number(0, 5) * 100_000_000
        + corsica.unwrap_or(value.number(5, 2)) * 1_000_000
        + value.number(7, 6);
    (matches!(month, 1..=12 | 20..=42 | 50..=99)) && 97 - number % 97 == value.number(13, 2)
}

/// D.M. 12 March 1974: odd and even places have their own values.
fn it_codice_fiscale(value: &Compact) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    if !value.has_shape(b"AAAAAA99A99A999A") || !b"ABCDEHLMPRST".contains(&value.at(8)) {
        return false;
    }
    let sum: u32 = value
        .as_slice()
        .iter()
        .take(15)
        .enumerate()
        .map(|(i, b)| {
            let index = u32::from(if b.is_ascii_digit() { b - b'0' } else { b - b'A' });
            if i % 2 == 0 { ODD.get(index as usize).copied().unwrap_or(0) } else { index }
        })
        .sum();
    u32::from(value.at(15) - b'A') == sum % 26
}

/// Eight digits and the letter of their remainder; a foreigner's X, Y, Z counts as 0, 1, 2.
fn es_dni(value: &Compact) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let number = if value.has_shape(b"99999999A") {
        value.number(0, 8)
    } else if value.has_shape(b"A9999999A") && matches!(value.at(0), b'X'..=b'Z') {
        u64::from(value.at(0) - b'X') * 10_000_000 + value.number(1, 7)
    } else {
        return false;
    };
    number != 12_345_678 && LETTERS.get((number % 23) as usize) == Some(&value.at(8))
}

/// The eleven test: weights 9–2 and −1.
fn nl_bsn(value: &Compact) -> bool {
    let Some(digits) = value.digits(9) else { return false };
    let sum = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) as i64 - i64::from(digits.at(8));
    sum % 11 == 0 && !digits.is_counting()
}

/// 97 − the first nine mod 97; a leading 2 for births from 2000 on.
fn be_nrn(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let (number, check) = (digits.number(0, 9), digits.number(9, 2));
    let month = digits.number(2, 2) % 20;
    month <= 12
        && digits.number(4, 2) <= 31
        && (97 - number % 97 == check || 97 - (2_000_000_000 + number) % 97 == check)
}

fn pl_pesel(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    is_day_of_month(digits.number(2, 2) % 20, digits.number(4, 2))
        && (10 - digits.weighted(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10 == digits.at(10)
}

/// Ten or twelve digits, Luhn over the last ten; day + 60 for coordination numbers (Skatteverket SKV 704).
fn se_personnummer(value: &Compact) -> bool {
    let digits = match value.length {
        10 => value.digits(10).copied(),
        12 if matches!(value.number(0, 2), 18..=20) => {
            Digits::of(value.as_slice().get(2..).unwrap_or_default())
        }
        _ => None,
    };
    digits.is_some_and(|digits| {
        is_day_of_month(digits.number(2, 2), digits.number(4, 2) % 60)
            && digits.is_luhn()
            && !digits.is_repeated()
    })
}

fn ca_sin(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| !matches!(digits.at(0), 0 | 8) && digits.is_luhn())
}

fn au_tfn(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| {
        digits.weighted(&[1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0 && !digits.is_counting()
    })
}

/// Verhoeff's dihedral checksum; never begins with 0 or 1 (UIDAI).
fn in_aadhaar(value: &Compact) -> bool {
    let Some(digits) = value.digits(12) else { return false };
    let rotate = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let check = digits.as_slice().iter().rev().enumerate().fold(0, |check, (place, digit)| {
        let permuted =
            (0..place % 8).fold(u32::from(*digit), |d, _| PERMUTATION.get(d as usize).copied().unwrap_or(0));
        rotate(check, permuted)
    });
    digits.at(0) >= 2 && check == 0
}

fn br_cpf(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let check = |weights: &[u32]| digits.weighted(weights) * 10 % 11 % 10;
    check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == digits.at(9)
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == digits.at(10)
}

fn fi_hetu(value: &Compact) -> bool {
    const LETTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    // The century mark is a dash or plus for births before 2000, and then gone from the compact form.
    let individual = match value.length {
        10 => 6,
        11 if value.at(6).is_ascii_uppercase() => 7,
        _ => return false,
    };
    let digits_only =
        |from: usize, length: usize| value.as_slice().iter().skip(from).take(length).all(u8::is_ascii_digit);
    digits_only(0, 6)
        && digits_only(individual, 3)
        && is_day_of_month(value.number(2, 2), value.number(0, 2))
        && LETTERS.get(((value.number(0, 6) * 1000 + value.number(individual, 3)) % 31) as usize)
            == Some(&value.at(individual + 3))
}

fn ie_pps(value: &Compact) -> bool {
    if !(value.has_shape(b"9999999A") || value.has_shape(b"9999999AA")) {
        return false;
    }
    let second =
        if value.length == 9 && value.at(8) != b'W' { u64::from(value.at(8) - b'A' + 1) * 9 } else { 0 };
    let sum: u64 = (0..7).map(|i| value.number(i, 1) * (8 - i as u64)).sum::<u64>() + second;
    let check = (sum % 23) as u8;
    value.at(7) == if check == 0 { b'W' } else { b'A' + check - 1 }
}

fn pt_nif(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| {
        let rest = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        matches!(digits.at(0), 1..=3) && digits.at(8) == if rest < 2 { 0 } else { 11 - rest }
    })
}

fn at_svnr(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        is_day_of_month(digits.number(6, 2), digits.number(4, 2))
            && digits.at(0) != 0
            && digits.weighted(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == digits.at(3)
    })
}

fn no_fnr(value: &Compact) -> bool {
    value.digits(11).is_some_and(|digits| {
        is_day_of_month(digits.number(2, 2) % 40, digits.number(0, 2) % 40)
            && digits.weighted(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
            && digits.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    })
}

fn hr_oib(value: &Compact) -> bool {
    value.digits(11).is_some_and(iso_7064_mod_11_10)
}

fn baltic_code(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let first = digits.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let check = if first < 10 { first } else { digits.weighted(&[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 };
    matches!(digits.at(0), 1..=6)
        && is_day_of_month(digits.number(3, 2), digits.number(5, 2))
        && check == digits.at(10)
}

fn gr_amka(value: &Compact) -> bool {
    value
        .digits(11)
        .is_some_and(|digits| is_day_of_month(digits.number(2, 2), digits.number(0, 2)) && digits.is_luhn())
}

fn ro_cnp(value: &Compact) -> bool {
    value.digits(13).is_some_and(|digits| {
        let rest = digits.weighted(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        is_day_of_month(digits.number(3, 2), digits.number(5, 2))
            && digits.at(12) == if rest == 10 { 1 } else { rest }
    })
}

fn bg_egn(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        is_day_of_month(digits.number(2, 2) % 20, digits.number(4, 2))
            && digits.weighted(&[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == digits.at(9)
    })
}

fn ch_ahv(value: &Compact) -> bool {
    value.digits(13).is_some_and(|digits| {
        digits.number(0, 3) == 756
            && (10 - digits.weighted(&[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10) % 10 == digits.at(12)
    })
}

fn cz_sk_rodne_cislo(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        let month = digits.number(2, 2);
        is_day_of_month(month % 50 % 20, digits.number(4, 2)) && digits.number(0, 10) % 11 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(value: &str) -> Vec<&'static str> {
        let Some(compact) = Compact::of(value.as_bytes()) else { return Vec::new() };
        SCHEMES.iter().filter(|scheme| (scheme.is_valid)(&compact)).map(|scheme| scheme.kind).collect()
    }

    /// Examples with right checksums, from the issuers' descriptions of their schemes or made by their rules.
    #[test]
    fn every_scheme_takes_its_own() {
        for (kind, value) in [
            ("us_ssn", "536-22-8941"),
            ("uk_nino", "AB 12 34 57 C"),
            ("uk_nhs", "943 476 5919"),
            ("de_tax_id", "86095742719"),
            ("fr_nir", "2 55 08 14 168 025 38"),
            ("it_codice_fiscale", "RSSMRA85T10A562S"),
            ("es_dni", "54362315K"),
            ("es_dni", "X-2482300-W"),
            ("nl_bsn", "111222333"),
            ("be_nrn", "85.07.30-033.28"),
            ("pl_pesel", "44051401359"),
            ("se_personnummer", "811218-9876"),
            ("ca_sin", "130 692 544"),
            ("au_tfn", "123 456 782"),
            ("in_aadhaar", "2341 2341 2346"),
            ("br_cpf", "390.533.447-05"),
            ("fi_hetu", "131052-308T"),
            ("ie_pps", "1234567T"),
            ("pt_nif", "245 204 954"),
            ("at_svnr", "1237 010180"),
            ("no_fnr", "15108695088"),
            ("hr_oib", "33392005961"),
            ("baltic_code", "37605030299"),
            ("gr_amka", "01013099997"),
            ("ro_cnp", "1630615123457"),
            ("bg_egn", "752316 926 3"),
            ("ch_ahv", "756.9217.0769.85"),
            ("cz_sk_rodne_cislo", "710319/2745"),
        ] {
            assert!(kinds(value).contains(&kind), "{kind} {value}: {:?}", kinds(value));
        }
    }

    #[test]
    fn one_wrong_digit_breaks_a_checksum() {
        for value in [
            "943 476 5918",
            "86095742718",
            "2 55 08 14 168 025 37",
            "RSSMRA85T10A562T",
            "54362315L",
            "85.07.30-033.29",
            "44051401358",
            "2341 2341 2347",
            "390.533.447-06",
            "131052-308U",
            "756.9217.0769.84",
        ] {
            assert_eq!(kinds(value), Vec::<&str>::new(), "{value}");
        }
        for value in ["000-12-3456", "078-05-1120", "123-45-6789", "900-12-3456"] {
            assert!(!kinds(value).contains(&"us_ssn"), "{value}");
        }
    }

    #[test]
    fn schemes_are_found_by_their_word() {
        assert!(SCHEMES.iter().all(|one| scheme(one.kind).is_some_and(|found| found.kind == one.kind)));
    }
}
