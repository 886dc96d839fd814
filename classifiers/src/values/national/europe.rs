//! Which numbers do the states of Europe give, and how are they checked?

use super::{Compact, Digits, is_day_of_month, is_verhoeff};

/// HMRC, National Insurance Manual NIM39110.
pub(super) fn uk_nino(value: &Compact) -> bool {
    let prefix = [value.at(0), value.at(1)];
    value.has_shape(b"AA999999A")
        && !b"DFIQUV".contains(&value.at(0))
        && !b"DFIOQUV".contains(&value.at(1))
        && !matches!(&prefix, b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ")
        && matches!(value.at(8), b'A'..=b'D')
        && value.number(2, 6) != 123_456
}

/// NHS Data Dictionary: modulus 11, weights 10–2.
pub(super) fn uk_nhs(value: &Compact) -> bool {
    let Some(digits) = value.digits(10) else { return false };
    let check = 11 - digits.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check % 11 == digits.at(9) && check != 10
}

/// § 139b AO: one digit twice or thrice among the first ten, ISO 7064 mod 11,10.
pub(super) fn de_tax_id(value: &Compact) -> bool {
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
pub(super) fn fr_nir(value: &Compact) -> bool {
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
pub(super) fn it_codice_fiscale(value: &Compact) -> bool {
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
pub(super) fn es_dni(value: &Compact) -> bool {
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
pub(super) fn nl_bsn(value: &Compact) -> bool {
    let Some(digits) = value.digits(9) else { return false };
    let sum = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) as i64 - i64::from(digits.at(8));
    sum % 11 == 0 && !digits.is_counting()
}

/// 97 − the first nine mod 97; a leading 2 for births from 2000 on.
pub(super) fn be_nrn(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let (number, check) = (digits.number(0, 9), digits.number(9, 2));
    let month = digits.number(2, 2) % 20;
    month <= 12
        && digits.number(4, 2) <= 31
        && (97 - number % 97 == check || 97 - (2_000_000_000 + number) % 97 == check)
}

pub(super) fn pl_pesel(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    is_day_of_month(digits.number(2, 2) % 20, digits.number(4, 2))
        && (10 - digits.weighted(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10 == digits.at(10)
}

/// Ten or twelve digits, Luhn over the last ten; day + 60 for coordination numbers (Skatteverket SKV 704).
pub(super) fn se_personnummer(value: &Compact) -> bool {
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

pub(super) fn fi_hetu(value: &Compact) -> bool {
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

pub(super) fn ie_pps(value: &Compact) -> bool {
    if !(value.has_shape(b"9999999A") || value.has_shape(b"9999999AA")) {
        return false;
    }
    let second =
        if value.length == 9 && value.at(8) != b'W' { u64::from(value.at(8) - b'A' + 1) * 9 } else { 0 };
    let sum: u64 = (0..7).map(|i| value.number(i, 1) * (8 - i as u64)).sum::<u64>() + second;
    let check = (sum % 23) as u8;
    value.at(7) == if check == 0 { b'W' } else { b'A' + check - 1 }
}

pub(super) fn pt_nif(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| {
        let rest = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        matches!(digits.at(0), 1..=3) && digits.at(8) == if rest < 2 { 0 } else { 11 - rest }
    })
}

pub(super) fn at_svnr(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        is_day_of_month(digits.number(6, 2), digits.number(4, 2))
            && digits.at(0) != 0
            && digits.weighted(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == digits.at(3)
    })
}

pub(super) fn no_fnr(value: &Compact) -> bool {
    value.digits(11).is_some_and(|digits| {
        is_day_of_month(digits.number(2, 2) % 40, digits.number(0, 2) % 40)
            && digits.weighted(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
            && digits.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    })
}

pub(super) fn hr_oib(value: &Compact) -> bool {
    value.digits(11).is_some_and(iso_7064_mod_11_10)
}

pub(super) fn baltic_code(value: &Compact) -> bool {
    let Some(digits) = value.digits(11) else { return false };
    let first = digits.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let check = if first < 10 { first } else { digits.weighted(&[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 };
    matches!(digits.at(0), 1..=6)
        && is_day_of_month(digits.number(3, 2), digits.number(5, 2))
        && check == digits.at(10)
}

pub(super) fn gr_amka(value: &Compact) -> bool {
    value
        .digits(11)
        .is_some_and(|digits| is_day_of_month(digits.number(2, 2), digits.number(0, 2)) && digits.is_luhn())
}

pub(super) fn ro_cnp(value: &Compact) -> bool {
    value.digits(13).is_some_and(|digits| {
        let rest = digits.weighted(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        is_day_of_month(digits.number(3, 2), digits.number(5, 2))
            && digits.at(12) == if rest == 10 { 1 } else { rest }
    })
}

pub(super) fn bg_egn(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        is_day_of_month(digits.number(2, 2) % 20, digits.number(4, 2))
            && digits.weighted(&[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == digits.at(9)
    })
}

pub(super) fn ch_ahv(value: &Compact) -> bool {
    value.digits(13).is_some_and(|digits| {
        digits.number(0, 3) == 756
            && (10 - digits.weighted(&[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10) % 10 == digits.at(12)
    })
}

pub(super) fn cz_sk_rodne_cislo(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        let month = digits.number(2, 2);
        is_day_of_month(month % 50 % 20, digits.number(4, 2)) && digits.number(0, 10) % 11 == 0
    })
}

/// CPR: modulus 11, which numbers given since 2007 need not meet; those are told by their column or word alone.
pub(super) fn dk_cpr(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        is_day_of_month(digits.number(2, 2), digits.number(0, 2))
            && digits.weighted(&[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    })
}

/// The number of social insurance (TAJ): the odd places thrice, the even ones seven times.
pub(super) fn hu_taj(value: &Compact) -> bool {
    value.digits(9).is_some_and(|digits| digits.weighted(&[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == digits.at(8))
}

/// The tax number of a person: begins with 8, each place times its number, modulus 11.
pub(super) fn hu_tax_id(value: &Compact) -> bool {
    value.digits(10).is_some_and(|digits| {
        digits.at(0) == 8 && digits.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == digits.at(9)
    })
}

/// The citizen number of Slovenia and of what else was Yugoslavia.
pub(super) fn si_emso(value: &Compact) -> bool {
    value.digits(13).is_some_and(|digits| {
        let rest = digits.weighted(&[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        is_day_of_month(digits.number(2, 2), digits.number(0, 2))
            && rest != 1
            && digits.at(12) == if rest == 0 { 0 } else { 11 - rest }
    })
}

/// Personas kods: a date and century, or since 2017 a number from 32 on, and modulus 11.
pub(super) fn lv_personas_kods(value: &Compact) -> bool {
    value.digits(11).is_some_and(|digits| {
        let dated = is_day_of_month(digits.number(2, 2), digits.number(0, 2)) && digits.at(6) <= 2;
        (dated || digits.number(0, 2) >= 32)
            && (1 + digits.weighted(&[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10 == digits.at(10)
    })
}

/// A date of birth and three digits, then Luhn's and Verhoeff's digits over those eleven.
pub(super) fn lu_matricule(value: &Compact) -> bool {
    value.digits(13).is_some_and(|digits| {
        let without = |at: usize| {
            let kept =
                digits.as_slice().iter().take(11).chain(digits.as_slice().get(at..=at).unwrap_or_default());
            let kept: Vec<u8> = kept.map(|digit| b'0' + digit).collect();
            Digits::of(&kept)
        };
        matches!(digits.number(0, 2), 18..=20)
            && is_day_of_month(digits.number(4, 2), digits.number(6, 2))
            && without(11).is_some_and(|digits| digits.is_luhn())
            && without(12).is_some_and(|digits| is_verhoeff(&digits))
    })
}

/// The tax number of a person: eight digits, of which the places 1, 3, 5, 7 have values of their own, and a letter.
pub(super) fn cy_tic(value: &Compact) -> bool {
    const ODD: [u64; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let place = |at: usize| value.number(at, 1);
    let odd = [0, 2, 4, 6].map(|at| ODD.get(place(at) as usize).copied().unwrap_or(0));
    let sum = odd.iter().sum::<u64>() + [1, 3, 5, 7].map(place).iter().sum::<u64>();
    value.has_shape(b"99999999A") && value.at(8) == b'A' + (sum % 26) as u8
}

/// Seven digits and the letter of a register; no checksum.
pub(super) fn mt_id(value: &Compact) -> bool {
    value.has_shape(b"9999999A") && b"ABGHLMPZ".contains(&value.at(7))
}
