//! Which text does a ToUnicode map give for a code (ISO 32000-2, 9.10.3)?

use std::collections::HashMap;

use super::super::object::{Lexer, Object};

/// Codes that one map may cover, as many as two bytes can tell apart.
const CODES_MAX: usize = 1 << 16;

/// A map from codes to text.
#[derive(Debug, Default)]
pub(super) struct CMap {
    texts: HashMap<u32, String>,
    /// Lengths of codes in bytes, and the first bytes that such codes begin with.
    lengths: Vec<(usize, u8, u8)>,
}

impl CMap {
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut map = Self::default();
        let mut lexer = Lexer::new(text, 0);
        // What stands between `begin…` and `end…`.
        let mut operands: Vec<Object<'_>> = Vec::new();
        while let Some(object) = lexer.object() {
            match object {
                Object::Word(word) if word.starts_with(b"begin") => operands.clear(),
                Object::Word(b"endcodespacerange") => map.code_lengths(&operands),
                Object::Word(b"endbfchar") => map.characters(&operands),
                Object::Word(b"endbfrange") => map.ranges(&operands),
                Object::Word(_) => {}
                operand if operands.len() < 3 * CODES_MAX => operands.push(operand),
                _ => {}
            }
        }
        map
    }

    fn code_lengths(&mut self, operands: &[Object<'_>]) {
        for pair in operands.chunks_exact(2) {
            let [Object::String(low), Object::String(high)] = pair else { continue };
            if let (Some(&first), Some(&last), 1..=4) = (low.first(), high.first(), low.len()) {
                self.lengths.push((low.len(), first, last));
            }
        }
    }

    fn characters(&mut self, operands: &[Object<'_>]) {
        for pair in operands.chunks_exact(2) {
            let [Object::String(code), Object::String(text)] = pair else { continue };
            self.insert(number(code), &utf16(text));
        }
    }

    fn ranges(&mut self, operands: &[Object<'_>]) {
        for triple in operands.chunks_exact(3) {
            let [Object::String(first), Object::String(last), target] = triple else { continue };
            let (first, last) = (number(first), number(last));
            match target {
                Object::String(text) => {
                    // The last unit counts up.
                    let Some((head, unit)) = text.split_last_chunk::<2>() else { continue };
                    let unit = u16::from_be_bytes(*unit);
                    for code in (first..=last).take(CODES_MAX) {
                        let next = unit.wrapping_add((code - first) as u16).to_be_bytes();
                        if !self.insert(code, &utf16(&[head, &next].concat())) {
                            break;
                        }
                    }
                }
                Object::Array(texts) => {
                    for (code, text) in (first..=last).zip(texts) {
                        if let Object::String(text) = text {
                            self.insert(code, &utf16(text));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn insert(&mut self, code: u32, text: &str) -> bool {
        // A ligature stands for a few characters, not for a page.
        if text.len() <= 64 {
            self.texts.insert(code, text.to_owned());
        }
        self.texts.len() < CODES_MAX
    }

    pub(super) fn get(&self, code: &[u8]) -> Option<&str> {
        self.texts.get(&number(code)).map(String::as_str)
    }

    /// How many bytes the code at the front of `string` has.
    pub(super) fn code_length(&self, string: &[u8]) -> usize {
        let first = string.first().copied().unwrap_or_default();
        let matching = self.lengths.iter().find(|(_, low, high)| (*low..=*high).contains(&first));
        matching.map_or(2, |(length, _, _)| *length)
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |number, &byte| number << 8 | u32::from(byte))
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_ranges_are_mapped() {
        let map = CMap::parse(
            b"1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0003> <00660069> endbfchar
              2 beginbfrange <0010> <0012> <0041> <0020> <0021> [<0078> <0079>] endbfrange",
        );
        assert_eq!(map.get(&[0, 3]), Some("fi"));
        assert_eq!(map.get(&[0, 0x12]), Some("C"));
        assert_eq!(map.get(&[0, 0x21]), Some("y"));
        assert_eq!(map.get(&[0, 0x22]), None);
        assert_eq!(map.code_length(&[0, 3]), 2);
    }

    #[test]
    fn a_range_over_everything_is_bounded() {
        let map = CMap::parse(b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange");
        assert!(map.texts.len() <= CODES_MAX);
    }
}
