//! Which character is a glyph, by its name or its place in one of the old encodings?

/// Names of glyphs that are not letters (Adobe Glyph List, the part that Latin text uses).
const NAMES: &[(&str, char)] = &[
    ("space", ' '),
    ("exclam", '!'),
    ("quotedbl", '"'),
    ("numbersign", '#'),
    ("dollar", '$'),
    ("percent", '%'),
    ("ampersand", '&'),
    ("quotesingle", '\''),
    ("parenleft", '('),
    ("parenright", ')'),
    ("asterisk", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("hyphen", '-'),
    ("minus", '-'),
    ("period", '.'),
    ("slash", '/'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("less", '<'),
    ("equal", '='),
    ("greater", '>'),
    ("question", '?'),
    ("at", '@'),
    ("bracketleft", '['),
    ("backslash", '\\'),
    ("bracketright", ']'),
    ("asciicircum", '^'),
    ("underscore", '_'),
    ("grave", '`'),
    ("braceleft", '{'),
    ("bar", '|'),
    ("braceright", '}'),
    ("asciitilde", '~'),
    ("quoteleft", '‘'),
    ("quoteright", '’'),
    ("quotedblleft", '“'),
    ("quotedblright", '”'),
    ("quotesinglbase", '‚'),
    ("quotedblbase", '„'),
    ("endash", '–'),
    ("emdash", '—'),
    ("bullet", '•'),
    ("ellipsis", '…'),
    ("fi", 'ﬁ'),
    ("fl", 'ﬂ'),
    ("ff", 'ﬀ'),
    ("ffi", 'ﬃ'),
    ("ffl", 'ﬄ'),
    ("Euro", '€'),
    ("sterling", '£'),
    ("cent", '¢'),
    ("yen", '¥'),
    ("section", '§'),
    ("paragraph", '¶'),
    ("copyright", '©'),
    ("registered", '®'),
    ("trademark", '™'),
    ("degree", '°'),
    ("plusminus", '±'),
    ("multiply", '×'),
    ("divide", '÷'),
    ("mu", 'µ'),
    ("guillemotleft", '«'),
    ("guillemotright", '»'),
    ("guilsinglleft", '‹'),
    ("guilsinglright", '›'),
    ("exclamdown", '¡'),
    ("questiondown", '¿'),
    ("periodcentered", '·'),
    ("germandbls", 'ß'),
    ("AE", 'Æ'),
    ("ae", 'æ'),
    ("OE", 'Œ'),
    ("oe", 'œ'),
    ("Oslash", 'Ø'),
    ("oslash", 'ø'),
    ("Eth", 'Ð'),
    ("eth", 'ð'),
    ("Thorn", 'Þ'),
    ("thorn", 'þ'),
    ("dotlessi", 'ı'),
    ("Lslash", 'Ł'),
    ("lslash", 'ł'),
    ("dagger", '†'),
    ("daggerdbl", '‡'),
    ("perthousand", '‰'),
    ("nbspace", ' '),
    ("sfthyphen", '-'),
];

/// Marks that a letter's name ends with, and the letters that have them.
const MARKS: &[(&str, &str, &str)] = &[
    ("acute", "AEIOUYaeiouyCcLlNnRrSsZz", "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹź"),
    ("grave", "AEIOUaeiou", "ÀÈÌÒÙàèìòù"),
    ("circumflex", "AEIOUaeiou", "ÂÊÎÔÛâêîôû"),
    ("dieresis", "AEIOUYaeiouy", "ÄËÏÖÜŸäëïöüÿ"),
    ("tilde", "ANOano", "ÃÑÕãñõ"),
    ("ring", "AUau", "ÅŮåů"),
    ("cedilla", "CScsTt", "ÇŞçşŢţ"),
    ("caron", "CDENRSTZcdenrstz", "ČĎĚŇŘŠŤŽčďěňřšťž"),
    ("ogonek", "AEae", "ĄĘąę"),
    ("hungarumlaut", "OUou", "ŐŰőű"),
    ("breve", "Aa", "Ăă"),
    ("dotaccent", "Zz", "Żż"),
    ("macron", "AEIOUaeiou", "ĀĒĪŌŪāēīōū"),
];

/// The character of a glyph by its name; nothing for names that a program made up.
pub(super) fn character(name: &[u8]) -> Option<char> {
    let name = std::str::from_utf8(name).ok()?;
    // `a.alt` is another drawing of `a`.
    let name = name.split_once('.').map_or(name, |(stem, _)| stem);
    let mut chars = name.chars();
    if let (Some(letter), None) = (chars.next(), chars.next()) {
        return Some(letter);
    }
    if let Some(&(_, character)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(character);
    }
    let code = name.strip_prefix("uni").filter(|hex| hex.len() == 4).or_else(|| name.strip_prefix('u'));
    if let Some(character) = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
        return Some(character);
    }
    let (letter, mark) = name.split_at_checked(1)?;
    let (_, plain, marked) = MARKS.iter().find(|(known, _, _)| *known == mark)?;
    plain.chars().zip(marked.chars()).find(|(from, _)| letter.starts_with(*from)).map(|(_, to)| to)
}

/// The characters of the 256 codes in an encoding by name; without a name, of the standard one.
pub(super) fn base_encoding(name: Option<&[u8]>) -> Vec<Option<char>> {
    let codes: Vec<u8> = (0..=255).collect();
    let encoding = match name {
        Some(b"MacRomanEncoding" | b"MacExpertEncoding") => encoding_rs::MACINTOSH,
        _ => encoding_rs::WINDOWS_1252,
    };
    let text = encoding.decode_without_bom_handling(&codes).0;
    let mut table: Vec<Option<char>> = text.chars().map(|c| Some(c).filter(|c| !c.is_control())).collect();
    if name.is_none() {
        // Where the standard encoding differs from that of Windows in what text uses (Annex D.2).
        const STANDARD: &[(usize, char)] = &[
            (0x27, '’'),
            (0x60, '‘'),
            (0xAE, 'ﬁ'),
            (0xAF, 'ﬂ'),
            (0xB1, '–'),
            (0xB7, '•'),
            (0xB9, '„'),
            (0xBA, '”'),
            (0xBC, '…'),
            (0xD0, '—'),
            (0xE1, 'Æ'),
            (0xE9, 'Ø'),
            (0xF1, 'æ'),
            (0xF9, 'ø'),
            (0xFB, 'ß'),
        ];
        for &(code, character) in STANDARD {
            if let Some(entry) = table.get_mut(code) {
                *entry = Some(character);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glyphs_are_known_by_name() {
        assert_eq!(character(b"A"), Some('A'));
        assert_eq!(character(b"odieresis"), Some('ö'));
        assert_eq!(character(b"comma.alt"), Some(','));
        assert_eq!(character(b"uni20AC"), Some('€'));
        assert_eq!(character(b"g123"), None);
    }

    #[test]
    fn every_marked_letter_has_a_plain_one() {
        for (mark, plain, marked) in MARKS {
            assert_eq!(plain.chars().count(), marked.chars().count(), "{mark}");
        }
    }

    #[test]
    fn encodings_have_all_codes() {
        for name in [None, Some(b"WinAnsiEncoding".as_slice()), Some(b"MacRomanEncoding")] {
            let table = base_encoding(name);
            assert_eq!(table.len(), 256);
            assert_eq!(table[usize::from(b'a')], Some('a'));
        }
    }
}
