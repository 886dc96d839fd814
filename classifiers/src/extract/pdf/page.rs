//! Which text does a page show, in which lines (ISO 32000-2, 9.4)?

use std::collections::HashMap;
use std::rc::Rc;

use super::file::File;
use super::object::{Dict, Lexer, Object};
use super::text::Font;
use crate::extract::Budget;

/// Forms within forms.
const FORMS_MAX: usize = 12;

/// Operands of one operator; text arrays are one operand.
const OPERANDS_MAX: usize = 64;

/// Saved states.
const SAVED_MAX: usize = 256;

/// A matrix `[a b c d e f]` that maps (x, y) to (ax + cy + e, bx + dy + f).
type Matrix = [f64; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// `first`, then `second`.
fn multiplied(first: Matrix, second: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = first;
    let [g, h, i, j, k, l] = second;
    [a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l]
}

/// What `q` saves.
#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    leading: f64,
    char_space: f64,
    word_space: f64,
    /// Horizontal scale, 1 for natural.
    scale: f64,
}

/// Fonts that were read, by the number of their object.
pub(super) type Fonts = HashMap<u32, Rc<Font>>;

/// Writes down the text of a page.
pub(super) struct Page<'f, 'a> {
    file: &'f File<'a>,
    fonts: &'f mut Fonts,
    budget: &'f mut Budget,
    state: State,
    saved: Vec<State>,
    text_matrix: Matrix,
    line_matrix: Matrix,
    /// Where the last glyph ended, and how large it was.
    pen: Option<(f64, f64, f64)>,
    forms: Vec<u32>,
    pub(super) text: String,
    /// Codes shown for which no character is known.
    pub(super) unknown: u64,
    /// Pictures shown.
    pub(super) pictures: u64,
    pub(super) gaps: Vec<crate::Gap>,
}

impl<'f, 'a> Page<'f, 'a> {
    pub(super) fn new(file: &'f File<'a>, fonts: &'f mut Fonts, budget: &'f mut Budget) -> Self {
        let state = State {
            matrix: IDENTITY,
            font: None,
            size: 1.0,
            leading: 0.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
        };
        Self {
            file,
            fonts,
            budget,
            state,
            saved: Vec::new(),
            text_matrix: IDENTITY,
            line_matrix: IDENTITY,
            pen: None,
            forms: Vec::new(),
            text: String::new(),
            unknown: 0,
            pictures: 0,
            gaps: Vec::new(),
        }
    }

    /// Runs the streams that `contents` names, with what `resources` names.
    pub(super) fn show(&mut self, contents: &Object<'a>, resources: &Dict<'a>) {
        let streams: Vec<u32> = match contents {
            Object::Reference(number) => match self.file.object(*number) {
                Some(Object::Array(parts)) => parts.iter().filter_map(Object::as_reference).collect(),
                _ => vec![*number],
            },
            Object::Array(parts) => parts.iter().filter_map(Object::as_reference).collect(),
            _ => Vec::new(),
        };
        // Streams are one program: an operator's operands may stand in the stream before it.
        let mut program = Vec::new();
        for number in streams {
            match self.file.content(number, self.budget) {
                Some(Ok(content)) if program.len() + content.len() <= crate::extract::HELD_BYTES_MAX => {
                    program.extend_from_slice(&content);
                    program.push(b'\n');
                }
                Some(Ok(_)) => {
                    self.gaps
                        .push(crate::extract::limit_reached("a page is more than what is held in memory"));
                    break;
                }
                Some(Err(gap)) => self.gaps.push(gap),
                None => {}
            }
        }
        self.run(&program, resources);
    }

    fn run(&mut self, program: &[u8], resources: &Dict<'a>) {
        let mut lexer = Lexer::new(program, 0);
        let mut operands: Vec<Object<'_>> = Vec::new();
        while let Some(object) = lexer.object() {
            match object {
                Object::Word(b"ID") => {
                    self.pictures += 1;
                    skip_inline_image(&mut lexer);
                    operands.clear();
                }
                Object::Word(operator) => {
                    self.operator(operator, &operands, resources);
                    operands.clear();
                }
                operand if operands.len() < OPERANDS_MAX => operands.push(operand),
                _ => {}
            }
        }
    }

    fn operator(&mut self, operator: &[u8], operands: &[Object<'_>], resources: &Dict<'a>) {
        let number = |at: usize| operands.get(at).and_then(Object::as_number).unwrap_or(0.0);
        let matrix = || [number(0), number(1), number(2), number(3), number(4), number(5)];
        let string = |at: usize| match operands.get(at) {
            Some(Object::String(string)) => string.as_slice(),
            _ => &[],
        };
        match operator {
            b"q" if self.saved.len() < SAVED_MAX => self.saved.push(self.state.clone()),
            b"Q" => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            b"cm" => self.state.matrix = multiplied(matrix(), self.state.matrix),
            b"BT" => (self.text_matrix, self.line_matrix) = (IDENTITY, IDENTITY),
            b"Tf" => {
                self.state.size = number(1);
                self.state.font =
                    operands.first().and_then(Object::as_name).and_then(|name| self.font(name, resources));
            }
            b"TL" => self.state.leading = number(0),
            b"Tc" => self.state.char_space = number(0),
            b"Tw" => self.state.word_space = number(0),
            b"Tz" => self.state.scale = number(0) / 100.0,
            b"Tm" => (self.text_matrix, self.line_matrix) = (matrix(), matrix()),
            b"Td" => self.next_line(number(0), number(1)),
            b"TD" => {
                self.state.leading = -number(1);
                self.next_line(number(0), number(1));
            }
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => self.string(string(0)),
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.string(string(0));
            }
            b"\"" => {
                (self.state.word_space, self.state.char_space) = (number(0), number(1));
                self.next_line(0.0, -self.state.leading);
                self.string(string(2));
            }
            b"TJ" => self.strings(operands.first().and_then(Object::as_array).unwrap_or_default()),
            b"Do" => {
                if let Some(name) = operands.first().and_then(Object::as_name) {
                    self.form(name, resources);
                }
            }
            _ => {}
        }
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line_matrix = multiplied([1.0, 0.0, 0.0, 1.0, x, y], self.line_matrix);
        self.text_matrix = self.line_matrix;
    }

    fn strings(&mut self, items: &[Object<'_>]) {
        for item in items {
            match item {
                Object::String(string) => self.string(string),
                Object::Number(offset) => self.advance(-offset / 1000.0 * self.state.size * self.state.scale),
                _ => {}
            }
        }
    }

    fn advance(&mut self, x: f64) {
        self.text_matrix = multiplied([1.0, 0.0, 0.0, 1.0, x, 0.0], self.text_matrix);
    }

    fn string(&mut self, string: &[u8]) {
        let Some(font) = self.state.font.clone() else {
            self.unknown += string.len() as u64;
            return;
        };
        font.decode(string, &mut |text, width, is_blank| {
            self.separate();
            match text {
                Some(text) => self.text.push_str(text),
                None => self.unknown += 1,
            }
            let spaces = self.state.char_space + if is_blank { self.state.word_space } else { 0.0 };
            self.advance((width / 1000.0 * self.state.size + spaces) * self.state.scale);
            self.pen = Some(self.position());
        });
    }

    /// Where the next glyph stands on the page, and its size there.
    fn position(&self) -> (f64, f64, f64) {
        let [a, b, _, _, x, y] = multiplied(self.text_matrix, self.state.matrix);
        (x, y, (a.hypot(b) * self.state.size).abs())
    }

    /// Puts between two glyphs what their distance shows: a line's end, a column's, a word's, or nothing.
    fn separate(&mut self) {
        let Some((from_x, from_y, from_size)) = self.pen else { return };
        let (x, y, size) = self.position();
        let size = size.max(from_size).max(f64::MIN_POSITIVE);
        let (right, up) = ((x - from_x) / size, (y - from_y).abs() / size);
        let separator = if up > 0.5 || right < -2.0 {
            '\n'
        } else if right > 0.9 {
            '\t'
        } else if right > 0.15 {
            ' '
        } else {
            return;
        };
        if !self.text.ends_with(char::is_whitespace) || separator == '\n' && !self.text.ends_with('\n') {
            self.text.push(separator);
        }
    }

    fn font(&mut self, name: &[u8], resources: &Dict<'a>) -> Option<Rc<Font>> {
        let fonts = self.file.dict(resources, "Font")?;
        let (_, entry) = fonts.iter().find(|(key, _)| *key == name)?;
        let number = entry.as_reference();
        if let Some(font) = number.and_then(|number| self.fonts.get(&number)) {
            return Some(Rc::clone(font));
        }
        let Some(Object::Dict(dict)) = self.file.resolve(entry) else { return None };
        let font = Rc::new(Font::read(&dict, self.file, self.budget));
        if let Some(number) = number.filter(|_| self.fonts.len() < 256) {
            self.fonts.insert(number, Rc::clone(&font));
        }
        Some(font)
    }

    /// A form is a page within the page; it may name itself.
    fn form(&mut self, name: &[u8], resources: &Dict<'a>) {
        let Some(objects) = self.file.dict(resources, "XObject") else { return };
        let found = objects.iter().find(|(key, _)| *key == name).and_then(|(_, entry)| entry.as_reference());
        let Some(number) = found else { return };
        let Some((dict, _)) = self.file.stream(number) else { return };
        if dict.name("Subtype") == Some(b"Image") {
            self.pictures += 1;
            return;
        }
        if self.forms.contains(&number) || self.forms.len() >= FORMS_MAX {
            return;
        }
        // Forms that show each other multiply; finding one costs more than its few bytes.
        let charged = self.budget.unpack(512);
        let content =
            match charged.and_then(|()| self.file.content(number, self.budget).transpose()).transpose() {
                Some(Ok(content)) => content,
                Some(Err(gap)) => {
                    // Once the budget is gone, every further form would say so.
                    if !self.gaps.contains(&gap) {
                        self.gaps.push(gap);
                    }
                    return;
                }
                None => return,
            };
        let own = self.file.dict(&dict, "Resources");
        let (state, saved) = (self.state.clone(), std::mem::take(&mut self.saved));
        self.forms.push(number);
        self.run(&content, own.as_ref().unwrap_or(resources));
        self.forms.pop();
        (self.state, self.saved) = (state, saved);
    }
}

/// Moves behind the `EI` that ends a picture written into the program.
fn skip_inline_image(lexer: &mut Lexer<'_>) {
    let rest = lexer.rest();
    let end = memchr::memmem::find_iter(rest, b"EI").find(|&at| {
        let space = |at: Option<&u8>| at.is_none_or(u8::is_ascii_whitespace);
        space(at.checked_sub(1).and_then(|before| rest.get(before))) && space(rest.get(at + 2))
    });
    lexer.at += end.map_or(rest.len(), |at| at + 2);
}
