//! Is this a number that a state gave to a person? One function per scheme, with its checksum, in a file per part of the world.

mod elsewhere;
mod europe;

use super::Digits;
pub(crate) use elsewhere::is_dashed_ssn;

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
        let digits = compact.as_slice().iter().filter(|b| b.is_ascii_digit()).count();
        (compact.length >= 8 && (digits >= 6 || (compact.length == 10 && digits == 4))).then_some(compact)
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
        is_valid: europe::it_codice_fiscale,
        context: &["codice fiscale", "fiscale", "c.f."],
        certainty: 1.0,
    },
    Scheme {
        kind: "fr_nir",
        is_valid: europe::fr_nir,
        context: &["nir", "sécurité sociale", "securite sociale", "insee", "sécu"],
        certainty: 0.999,
    },
    Scheme { kind: "ch_ahv", is_valid: europe::ch_ahv, context: &["ahv", "avs"], certainty: 1.0 },
    Scheme {
        kind: "us_ssn",
        is_valid: elsewhere::us_ssn,
        context: &["ssn", "social security"],
        certainty: 0.9,
    },
    Scheme {
        kind: "uk_nino",
        is_valid: europe::uk_nino,
        context: &["nino", "national insurance", "ni number", "ni no"],
        certainty: 0.99,
    },
    Scheme {
        kind: "lu_matricule",
        is_valid: europe::lu_matricule,
        context: &["matricule", "sécurité sociale"],
        certainty: 0.999,
    },
    Scheme {
        kind: "si_emso",
        is_valid: europe::si_emso,
        context: &["emšo", "emso", "jmbg"],
        certainty: 0.97,
    },
    Scheme {
        kind: "cy_tic",
        is_valid: europe::cy_tic,
        context: &["tic", "αφτ", "tax identification"],
        certainty: 0.96,
    },
    Scheme { kind: "in_pan", is_valid: elsewhere::in_pan, context: &["pan", "income tax"], certainty: 0.0 },
    Scheme {
        kind: "es_dni",
        is_valid: europe::es_dni,
        context: &["dni", "nie", "nif", "documento nacional"],
        certainty: 0.95,
    },
    Scheme {
        kind: "fi_hetu",
        is_valid: europe::fi_hetu,
        context: &["hetu", "henkilötunnus", "henkilotunnus"],
        certainty: 0.99,
    },
    Scheme { kind: "ie_pps", is_valid: europe::ie_pps, context: &["pps", "ppsn"], certainty: 0.95 },
    Scheme {
        kind: "in_aadhaar",
        is_valid: elsewhere::in_aadhaar,
        context: &["aadhaar", "aadhar", "uidai"],
        certainty: 0.92,
    },
    Scheme {
        kind: "de_tax_id",
        is_valid: europe::de_tax_id,
        context: &["steuer", "idnr", "tax id"],
        certainty: 0.98,
    },
    Scheme { kind: "br_cpf", is_valid: elsewhere::br_cpf, context: &["cpf"], certainty: 0.99 },
    Scheme {
        kind: "be_nrn",
        is_valid: europe::be_nrn,
        context: &["rijksregister", "registre national", "niss", "insz", "nrn"],
        certainty: 0.99,
    },
    Scheme { kind: "pl_pesel", is_valid: europe::pl_pesel, context: &["pesel"], certainty: 0.96 },
    Scheme {
        kind: "no_fnr",
        is_valid: europe::no_fnr,
        context: &["fødselsnummer", "fodselsnummer", "personnummer"],
        certainty: 0.99,
    },
    Scheme { kind: "hr_oib", is_valid: europe::hr_oib, context: &["oib"], certainty: 0.9 },
    Scheme {
        kind: "baltic_code",
        is_valid: europe::baltic_code,
        context: &["isikukood", "asmens kodas"],
        certainty: 0.96,
    },
    Scheme { kind: "gr_amka", is_valid: europe::gr_amka, context: &["amka", "αμκα"], certainty: 0.96 },
    Scheme { kind: "ro_cnp", is_valid: europe::ro_cnp, context: &["cnp"], certainty: 0.97 },
    Scheme {
        kind: "se_personnummer",
        is_valid: europe::se_personnummer,
        context: &["personnummer", "samordningsnummer"],
        certainty: 0.96,
    },
    Scheme { kind: "uk_nhs", is_valid: europe::uk_nhs, context: &["nhs"], certainty: 0.9 },
    Scheme { kind: "bg_egn", is_valid: europe::bg_egn, context: &["egn", "егн"], certainty: 0.96 },
    Scheme {
        kind: "at_svnr",
        is_valid: europe::at_svnr,
        context: &["svnr", "sozialversicherung"],
        certainty: 0.96,
    },
    Scheme {
        kind: "cz_sk_rodne_cislo",
        is_valid: europe::cz_sk_rodne_cislo,
        context: &["rodné číslo", "rodne cislo", "rodné"],
        certainty: 0.97,
    },
    Scheme {
        kind: "nl_bsn",
        is_valid: europe::nl_bsn,
        context: &["bsn", "burgerservice", "sofinummer"],
        certainty: 0.9,
    },
    Scheme {
        kind: "ca_sin",
        is_valid: elsewhere::ca_sin,
        context: &["sin", "social insurance"],
        certainty: 0.9,
    },
    Scheme { kind: "au_tfn", is_valid: elsewhere::au_tfn, context: &["tfn", "tax file"], certainty: 0.9 },
    Scheme { kind: "pt_nif", is_valid: europe::pt_nif, context: &["nif", "contribuinte"], certainty: 0.9 },
    Scheme {
        kind: "lv_personas_kods",
        is_valid: europe::lv_personas_kods,
        context: &["personas kods", "p.k."],
        certainty: 0.93,
    },
    Scheme { kind: "dk_cpr", is_valid: europe::dk_cpr, context: &["cpr"], certainty: 0.96 },
    Scheme {
        kind: "hu_tax_id",
        is_valid: europe::hu_tax_id,
        context: &["adóazonosító", "adoazonosito"],
        certainty: 0.98,
    },
    Scheme { kind: "hu_taj", is_valid: europe::hu_taj, context: &["taj"], certainty: 0.9 },
    Scheme { kind: "mt_id", is_valid: europe::mt_id, context: &["identity card", "id card"], certainty: 0.0 },
];

/// The scheme by its stable word.
pub(crate) fn scheme(kind: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.kind == kind)
}

fn is_day_of_month(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Verhoeff's dihedral checksum over all digits.
fn is_verhoeff(digits: &Digits) -> bool {
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
    check == 0
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
            ("dk_cpr", "120785-9245"),
            ("si_emso", "0101006501959"),
            ("lv_personas_kods", "161175-12648"),
            ("lv_personas_kods", "32699943404"),
            ("cy_tic", "03134334E"),
            ("lu_matricule", "1985041212393"),
            ("hu_taj", "290 420 522"),
            ("hu_tax_id", "8579500559"),
            ("mt_id", "1234567M"),
            ("in_pan", "ABCPE1234F"),
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
            "0101006501958",
            "1985041212394",
            "03134334F",
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
