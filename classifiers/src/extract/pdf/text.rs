//! Which characters do the codes of a font stand for, and how wide are they?

mod cmap;
mod glyphs;

use std::collections::HashMap;

use super::file::File;
use super::object::{Dict, Object};
use crate::extract::Budget;
use cmap::CMap;

/// The width of a glyph of which nothing is said, in thousandths of the font's size.
const USUAL_WIDTH: f64 = 500.0;

/// Widths that are kept for one font.
const WIDTHS_MAX: usize = 1 << 16;

/// A font, as far as text needs it.
#[derive(Debug, Default)]
pub(super) struct Font {
    to_unicode: Option<CMap>,
    /// For fonts with codes of one byte: what each stands for.
    simple: Option<Vec<Option<char>>>,
    widths: HashMap<u32, f64>,
    default_width: f64,
    /// Codes of two bytes.
    is_composite: bool,
}

impl Font {
    pub(super) fn read(dict: &Dict<'_>, file: &File<'_>, budget: &mut Budget) -> Self {
        let map = dict.get("ToUnicode").and_then(Object::as_reference);
        let map = map.and_then(|number| file.content(number, budget)).and_then(Result::ok);
        let is_composite = dict.name("Subtype") == Some(b"Type0");
        let mut font = Self {
            to_unicode: map.map(|text| CMap::parse(&text)),
            is_composite,
            default_width: USUAL_WIDTH,
            ..Self::default()
        };
        if is_composite {
            font.composite_widths(dict, file);
        } else {
            font.simple = Some(simple_encoding(dict, file));
            font.simple_widths(dict, file);
        }
        font
    }

    fn simple_widths(&mut self, dict: &Dict<'_>, file: &File<'_>) {
        let first = dict.number("FirstChar").unwrap_or(0.0) as u32;
        // Type 3 fonts measure in a unit of their own.
        let scale = match file.entry(dict, "FontMatrix") {
            Some(Object::Array(matrix)) => {
                matrix.first().and_then(Object::as_number).unwrap_or(0.001) * 1000.0
            }
            _ => 1.0,
        };
        let Some(Object::Array(widths)) = file.entry(dict, "Widths") else { return };
        for (at, width) in widths.iter().take(256).enumerate() {
            if let Some(width) = width.as_number() {
                self.widths.insert(first.saturating_add(at as u32), width * scale);
            }
        }
    }

    /// `[ 120 [400 325] 7080 8032 1000 ]`: widths from a code on, or one width for a range (9.7.4.3).
    fn composite_widths(&mut self, dict: &Dict<'_>, file: &File<'_>) {
        let Some(Object::Array(descendants)) = file.entry(dict, "DescendantFonts") else { return };
        let Some(Object::Dict(font)) = descendants.first().and_then(|font| file.resolve(font)) else {
            return;
        };
        self.default_width = font.number("DW").unwrap_or(1000.0);
        let Some(Object::Array(widths)) = file.entry(&font, "W") else { return };
        let mut widths = widths.iter();
        while let (Some(first), Some(second)) = (widths.next().and_then(Object::as_number), widths.next()) {
            let first = first as u32;
            match file.resolve(second) {
                Some(Object::Array(list)) => {
                    for (at, width) in list.iter().take(WIDTHS_MAX).enumerate() {
                        self.width_of(first.saturating_add(at as u32), width);
                    }
                }
                Some(Object::Number(last)) => {
                    let Some(width) = widths.next() else { break };
                    for code in (first..=last as u32).take(WIDTHS_MAX) {
                        if !self.width_of(code, width) {
                            break;
                        }
                    }
                }
                _ => break,
            }
        }
    }

    fn width_of(&mut self, code: u32, width: &Object<'_>) -> bool {
        if let Some(width) = width.as_number() {
            self.widths.insert(code, width);
        }
        self.widths.len() < WIDTHS_MAX
    }

    /// Calls `each` with every code of a shown string: what it stands for, how wide it is, whether it is a one-byte blank.
    pub(super) fn decode(&self, mut string: &[u8], each: &mut dyn FnMut(Option<&str>, f64, bool)) {
        while !string.is_empty() {
            let length = match &self.to_unicode {
                Some(map) if self.is_composite => map.code_length(string),
                _ if self.is_composite => 2,
                _ => 1,
            };
            let (code, rest) = string.split_at_checked(length).unwrap_or((string, &[]));
            string = rest;
            let number = code.iter().fold(0_u32, |number, &byte| number << 8 | u32::from(byte));
            let width = self.widths.get(&number).copied().unwrap_or(self.default_width);
            let is_blank = length == 1 && number == 32;
            let mut buffer = [0; 4];
            let text = match self.to_unicode.as_ref().and_then(|map| map.get(code)) {
                Some(text) => Some(text),
                None => {
                    let simple =
                        self.simple.as_ref().and_then(|table| table.get(number as usize).copied().flatten());
                    simple.map(|character| &*character.encode_utf8(&mut buffer))
                }
            };
            each(text, width, is_blank);
        }
    }
}

/// What the 256 codes of a simple font stand for: a base encoding, and differences from it (9.6.5).
fn simple_encoding(dict: &Dict<'_>, file: &File<'_>) -> Vec<Option<char>> {
    let encoding = file.entry(dict, "Encoding");
    let (base, differences) = match &encoding {
        Some(Object::Name(name)) => (Some(*name), None),
        Some(Object::Dict(dict)) => (dict.name("BaseEncoding"), file.entry(dict, "Differences")),
        _ => (None, None),
    };
    let mut table = glyphs::base_encoding(base);
    if let Some(Object::Array(items)) = differences {
        let mut code = 0_usize;
        for item in &items {
            match item {
                Object::Number(number) => code = *number as usize,
                Object::Name(name) => {
                    if let Some(entry) = table.get_mut(code) {
                        *entry = glyphs::character(name);
                    }
                    code += 1;
                }
                _ => {}
            }
        }
    }
    table
}
