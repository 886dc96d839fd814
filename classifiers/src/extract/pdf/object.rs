//! What are the objects of a PDF, as written (ISO 32000-2, 7.3)?

/// Objects within objects that are parsed.
const DEPTH_MAX: u32 = 64;

/// Anything that a PDF is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object<'a> {
    Null,
    Number(f64),
    String(Vec<u8>),
    Name(&'a [u8]),
    Array(Vec<Object<'a>>),
    Dict(Dict<'a>),
    /// A reference to the object of this number.
    Reference(u32),
    /// A bare word: an operator in a content stream, `true`, `endobj`.
    Word(&'a [u8]),
}

/// Names and what they stand for, in order. Dictionaries are short.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Dict<'a>(Vec<(&'a [u8], Object<'a>)>);

impl<'a> Dict<'a> {
    pub(super) fn of(entries: Vec<(&'a [u8], Object<'a>)>) -> Self {
        Self(entries)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Object<'a>> {
        self.0.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &Object<'a>)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub(super) fn name(&self, name: &str) -> Option<&'a [u8]> {
        self.get(name)?.as_name()
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_number()
    }
}

impl<'a> Object<'a> {
    pub(super) fn as_name(&self) -> Option<&'a [u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn as_dict(&self) -> Option<&Dict<'a>> {
        if let Self::Dict(dict) = self { Some(dict) } else { None }
    }

    pub(super) fn as_array(&self) -> Option<&[Object<'a>]> {
        if let Self::Array(array) = self { Some(array) } else { None }
    }

    pub(super) fn as_reference(&self) -> Option<u32> {
        if let Self::Reference(number) = self { Some(*number) } else { None }
    }

    /// Puts another string in the place of each string in the object.
    pub(super) fn map_strings(&mut self, map: &mut dyn FnMut(&[u8]) -> Vec<u8>) {
        match self {
            Self::String(string) => *string = map(string),
            Self::Array(items) => items.iter_mut().for_each(|item| item.map_strings(map)),
            Self::Dict(Dict(entries)) => entries.iter_mut().for_each(|(_, value)| value.map_strings(map)),
            Self::Null | Self::Number(_) | Self::Name(_) | Self::Reference(_) | Self::Word(_) => {}
        }
    }
}

/// Items that are kept of one object, with those within it: in memory each takes many times the bytes that it is written in.
const ITEMS_MAX: usize = 1 << 18;

/// Reads objects from bytes, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    /// Items that this object may still have.
    left: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, left: ITEMS_MAX }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                self.at += memchr::memchr2(b'\n', b'\r', self.rest()).unwrap_or(self.rest().len());
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// The next object; nothing at the end. What is no object is passed over.
    pub(super) fn object(&mut self) -> Option<Object<'a>> {
        self.left = ITEMS_MAX;
        self.object_at(0)
    }

    fn object_at(&mut self, depth: u32) -> Option<Object<'a>> {
        self.skip_space();
        match self.peek()? {
            b'/' => {
                self.at += 1;
                Some(Object::Name(self.regular()))
            }
            b'(' => Some(Object::String(self.literal_string())),
            b'<' if self.rest().starts_with(b"<<") => {
                self.at += 2;
                Some(self.dict(depth))
            }
            b'<' => Some(Object::String(self.hex_string())),
            b'[' => {
                self.at += 1;
                Some(self.array(depth))
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => Some(self.number_or_reference()),
            b'>' if self.rest().starts_with(b">>") => {
                self.at += 2;
                Some(Object::Word(b">>"))
            }
            b')' | b'>' | b']' | b'{' | b'}' => {
                let word = self.rest().get(..1).unwrap_or_default();
                self.at += 1;
                Some(Object::Word(word))
            }
            _ => match self.regular() {
                b"null" => Some(Object::Null),
                word => Some(Object::Word(word)),
            },
        }
    }

    /// A run of characters that are neither space nor delimiter.
    fn regular(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| is_space(byte) || is_delimiter(byte)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn number_or_reference(&mut self) -> Object<'a> {
        let number = self.number();
        // `12 0 R`: look ahead, at most a few bytes.
        if number.fract() == 0.0 && (0.0..f64::from(u32::MAX)).contains(&number) {
            let mut ahead = self.clone();
            ahead.skip_space();
            let digits = ahead.rest().iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
            if (1..6).contains(&digits) {
                ahead.at += digits;
                ahead.skip_space();
                let after = ahead.rest();
                let ends = after.get(1).is_none_or(|&byte| is_space(byte) || is_delimiter(byte));
                if after.first() == Some(&b'R') && ends {
                    self.at = ahead.at + 1;
                    return Object::Reference(number as u32);
                }
            }
        }
        Object::Number(number)
    }

    fn number(&mut self) -> f64 {
        let text = self.regular();
        let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        parsed.filter(|number| number.is_finite()).unwrap_or(0.0)
    }

    fn array(&mut self, depth: u32) -> Object<'a> {
        let mut items = Vec::new();
        loop {
            let keeps = self.keeps();
            match self.inner(depth) {
                Some(item) if item != Object::Word(b"]") && !is_end(&item) => {
                    if keeps {
                        items.push(item);
                    }
                }
                _ => return Object::Array(items),
            }
        }
    }

    fn dict(&mut self, depth: u32) -> Object<'a> {
        let mut entries = Vec::new();
        while let Some(key) = self.inner(depth) {
            match key {
                Object::Name(key) => match (self.keeps(), self.inner(depth)) {
                    (_, Some(Object::Word(b">>")) | None) => break,
                    (true, Some(value)) => entries.push((key, value)),
                    (false, Some(_)) => {}
                },
                Object::Word(b">>") => break,
                key if is_end(&key) => break,
                // A value without a name.
                _ => {}
            }
        }
        Object::Dict(Dict(entries))
    }

    /// Whether one more item of the object is kept.
    fn keeps(&mut self) -> bool {
        let keeps = self.left > 0;
        self.left = self.left.saturating_sub(1);
        keeps
    }

    fn inner(&mut self, depth: u32) -> Option<Object<'a>> {
        if depth >= DEPTH_MAX {
            // Deeper than any real file: give up on the rest of these bytes.
            self.at = self.bytes.len();
            return None;
        }
        self.object_at(depth + 1)
    }

    fn literal_string(&mut self) -> Vec<u8> {
        let mut string = Vec::new();
        let mut depth = 0_u32;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => {
                    depth += 1;
                    if depth > 1 {
                        string.push(byte);
                    }
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                    string.push(byte);
                }
                b'\\' => self.escape(&mut string),
                _ => string.push(byte),
            }
        }
        string
    }

    fn escape(&mut self, string: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => string.push(b'\n'),
            b'r' => string.push(b'\r'),
            b't' => string.push(b'\t'),
            b'b' => string.push(8),
            b'f' => string.push(12),
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
            }
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                string.push((value & 0xFF) as u8);
            }
            _ => string.push(byte),
        }
    }

    fn hex_string(&mut self) -> Vec<u8> {
        self.at += 1;
        let rest = self.rest();
        let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        hex(rest.get(..end).unwrap_or_default())
    }
}

/// The bytes of hexadecimal digits, anything else passed over; a last single digit is the upper half of a byte.
pub(super) fn hex(text: &[u8]) -> Vec<u8> {
    let mut digits = text.iter().filter_map(|&byte| char::from(byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len() / 2);
    while let Some(high) = digits.next() {
        let low = digits.next().unwrap_or(0);
        bytes.push((high * 16 + low) as u8);
    }
    bytes
}

/// Words that end an object whatever is still open in it.
fn is_end(object: &Object<'_>) -> bool {
    matches!(object, Object::Word(b"endobj" | b"stream" | b"endstream" | b"xref" | b"trailer"))
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Object<'_> {
        Lexer::new(text.as_bytes(), 0).object().unwrap()
    }

    #[test]
    fn objects_are_read() {
        let dict =
            parsed("<< /Type /Page % remark\n /Kids [1 0 R -2.5 (a\\(b\\051 (c)) <4142 4>] /X null >>");
        let dict = dict.as_dict().unwrap();
        assert_eq!(dict.name("Type"), Some(b"Page".as_slice()));
        assert_eq!(
            dict.get("Kids").unwrap().as_array().unwrap(),
            [
                Object::Reference(1),
                Object::Number(-2.5),
                Object::String(b"a(b) (c)".to_vec()),
                Object::String(b"AB@".to_vec())
            ]
        );
        assert_eq!(dict.get("X"), Some(&Object::Null));
    }

    #[test]
    fn of_an_object_without_end_the_beginning_is_kept() {
        let text = format!("[{}]", "[1 ".repeat(3) + &"2 ".repeat(2 * ITEMS_MAX));
        let Object::Array(outer) = parsed(&text) else { panic!("an array") };
        let inner = outer[0].as_array().unwrap()[1].as_array().unwrap()[1].as_array().unwrap();
        assert!(inner.len() <= ITEMS_MAX && inner.len() > ITEMS_MAX / 2);
    }

    #[test]
    fn what_is_never_closed_ends() {
        for text in ["[", "<<", "(", "<", "[[[[", "<</A", "<</A<</B", ")", "((("] {
            parsed(text);
        }
        parsed(&"[".repeat(1 << 20));
        parsed(&"<</A".repeat(1 << 18));
    }
}
