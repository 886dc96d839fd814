//! Which tags and which text are in a piece of XML or HTML, whatever its length and whatever it tries?
//!
//! A tokenizer of our own, because extraction needs what parsers do not promise: bytes pushed as they are unpacked, a bound on
//! every token, and no expansion of declared entities at all (a reference to one stays as it is written). It checks no
//! well-formedness: a broken document yields what can be read of it.

use std::borrow::Cow;

use memchr::memmem;

/// Bytes that one tag may take; what is longer is not a tag.
const TAG_BYTES_MAX: usize = 128 << 10;

/// Bytes of text that are gathered before they are handed on.
const TEXT_BYTES_MAX: usize = 32 << 10;

/// What the tokenizer found.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// `<name …>`, or with `empty` `<name …/>`, which no `Close` follows.
    Open { name: &'a str, attributes: Attributes<'a>, empty: bool },
    /// `</name>`.
    Close { name: &'a str },
    /// Character data, decoded. Long runs come in pieces.
    Text(&'a str),
}

/// The attributes of a tag, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    /// The decoded value of the attribute of this local name.
    pub(super) fn get(self, local_name: &str) -> Option<Cow<'a, str>> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(local_name)).map(|(_, value)| value)
    }

    /// Local names and decoded values, in order. Attributes without a value, as HTML has them, have an empty one.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end)?;
            if name.is_empty() && after.is_empty() {
                return None;
            }
            let after = after.trim_start();
            let Some(value) = after.strip_prefix('=') else {
                rest = after;
                return Some((local(name), Cow::Borrowed("")));
            };
            let value = value.trim_start();
            let (value, next) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value.get(1..)?.split_once(quote)?,
                _ => value.split_at_checked(value.find(char::is_whitespace).unwrap_or(value.len()))?,
            };
            rest = next;
            Some((local(name), decode(value)))
        })
    }
}

/// A name without its namespace prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// What the bytes that come next belong to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Text,
    /// Passed over until this ends it: a comment, a declaration, a script.
    Skip(&'static str),
    /// `<!DOCTYPE`, with the brackets that are open in it.
    Doctype {
        brackets: u32,
    },
    Cdata,
}

/// Where tokens go.
pub(super) type Tokens<'a> = dyn FnMut(Token<'_>) + 'a;

/// Cuts a document into tokens as it comes by.
#[derive(Debug)]
pub(super) struct Tokenizer {
    state: State,
    html: bool,
    /// Bytes of an unfinished token.
    rest: Vec<u8>,
    name: String,
}

impl Tokenizer {
    pub(super) fn xml() -> Self {
        Self { state: State::Text, html: false, rest: Vec::new(), name: String::new() }
    }

    /// Names come in lower case; scripts and styles are passed over.
    pub(super) fn html() -> Self {
        Self { html: true, ..Self::xml() }
    }

    /// Takes the next bytes, in UTF-8, of any length.
    pub(super) fn push(&mut self, bytes: &[u8], tokens: &mut Tokens<'_>) {
        if self.rest.is_empty() {
            let taken = self.run(bytes, false, tokens);
            self.rest.extend_from_slice(bytes.get(taken..).unwrap_or_default());
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(bytes);
            let taken = self.run(&rest, false, tokens);
            rest.drain(..taken);
            self.rest = rest;
        }
    }

    /// Ends the document.
    pub(super) fn finish(&mut self, tokens: &mut Tokens<'_>) {
        let rest = std::mem::take(&mut self.rest);
        self.run(&rest, true, tokens);
    }

    /// Tokens from the front of `bytes`; how many bytes they took.
    fn run(&mut self, bytes: &[u8], last: bool, tokens: &mut Tokens<'_>) -> usize {
        let mut taken = 0;
        while let Some(input) = bytes.get(taken..).filter(|input| !input.is_empty()) {
            let step = match self.state {
                State::Text if input.starts_with(b"<") => self.tag(input, last, tokens),
                State::Text => self.text(input, last, tokens),
                State::Skip(end) => self.skip(input, end),
                State::Doctype { brackets } => self.doctype(input, brackets),
                State::Cdata => self.cdata(input, last, tokens),
            };
            if step == 0 {
                break;
            }
            taken += step;
        }
        if last { bytes.len() } else { taken }
    }

    fn text(&mut self, input: &[u8], last: bool, tokens: &mut Tokens<'_>) -> usize {
        let end = match memchr::memchr(b'<', input) {
            Some(end) => end,
            None if last => input.len(),
            None if input.len() < TEXT_BYTES_MAX => return 0,
            None => whole_text(input),
        };
        let text = String::from_utf8_lossy(input.get(..end).unwrap_or_default());
        tokens(Token::Text(&decode(&text)));
        end
    }

    fn cdata(&mut self, input: &[u8], last: bool, tokens: &mut Tokens<'_>) -> usize {
        let (text, taken) = match memmem::find(input, b"]]>") {
            Some(end) => {
                self.state = State::Text;
                (end, end + 3)
            }
            None if last => (input.len(), input.len()),
            None if input.len() < TEXT_BYTES_MAX => return 0,
            None => {
                let end = whole_text(input).min(input.len() - 2);
                (end, end)
            }
        };
        tokens(Token::Text(&String::from_utf8_lossy(input.get(..text).unwrap_or_default())));
        taken
    }

    fn skip(&mut self, input: &[u8], end: &'static str) -> usize {
        match find_ignoring_case(input, end.as_bytes()) {
            Some(at) => {
                self.state = State::Text;
                // The end of a script is a tag of its own; the end of a comment belongs to it.
                if end.starts_with('<') { at.max(1) } else { at + end.len() }
            }
            None => input.len().saturating_sub(end.len() - 1),
        }
    }

    /// Declared entities stand in here; they are passed over unread.
    fn doctype(&mut self, input: &[u8], mut brackets: u32) -> usize {
        for (at, byte) in input.iter().enumerate() {
            match byte {
                b'[' => brackets += 1,
                b']' => brackets = brackets.saturating_sub(1),
                b'>' if brackets == 0 => {
                    self.state = State::Text;
                    return at + 1;
                }
                _ => {}
            }
        }
        self.state = State::Doctype { brackets };
        input.len()
    }

    fn tag(&mut self, input: &[u8], last: bool, tokens: &mut Tokens<'_>) -> usize {
        const OPENERS: [(&[u8], State); 4] = [
            (b"<!--", State::Skip("-->")),
            (b"<![CDATA[", State::Cdata),
            (b"<!DOCTYPE", State::Doctype { brackets: 0 }),
            (b"<?", State::Skip("?>")),
        ];
        for (opener, state) in OPENERS {
            if input.get(..opener.len()).is_some_and(|start| start.eq_ignore_ascii_case(opener)) {
                self.state = state;
                return opener.len();
            }
            if !last && input.len() < opener.len() && opener.starts_with(&input.to_ascii_uppercase()) {
                return 0;
            }
        }
        let is_tag = match input.get(1) {
            Some(byte) => byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'_' | 0x80..),
            None if !last => return 0,
            None => false,
        };
        let end =
            if is_tag { tag_end(input.get(..TAG_BYTES_MAX.min(input.len())).unwrap_or(input)) } else { None };
        let Some(end) = end else {
            if is_tag && !last && input.len() < TAG_BYTES_MAX {
                return 0;
            }
            // A bracket that opens nothing.
            tokens(Token::Text("<"));
            return 1;
        };
        let inside = String::from_utf8_lossy(input.get(1..end).unwrap_or_default());
        self.open_or_close(&inside, tokens);
        end + 1
    }

    fn open_or_close(&mut self, inside: &str, tokens: &mut Tokens<'_>) {
        if inside.starts_with('!') {
            return;
        }
        let (close, inside) = match inside.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, inside),
        };
        let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
        let (name, attributes) = inside.split_at_checked(end).unwrap_or((inside, ""));
        self.name.clear();
        self.name.push_str(local(name));
        if self.html {
            self.name.make_ascii_lowercase();
        }
        if close {
            return tokens(Token::Close { name: &self.name });
        }
        let (attributes, empty) = match attributes.strip_suffix('/') {
            Some(attributes) => (attributes, true),
            None => (attributes, false),
        };
        if self.html && !empty {
            match self.name.as_str() {
                "script" => self.state = State::Skip("</script"),
                "style" => self.state = State::Skip("</style"),
                _ => {}
            }
        }
        tokens(Token::Open { name: &self.name, attributes: Attributes(attributes), empty });
    }
}

/// Where the tag at the front of `input` ends: at the first `>` outside quotes, before any other `<` (which also keeps the
/// search linear where brackets are opened and never closed).
fn tag_end(input: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let stop = input.get(at..)?.iter().position(|byte| matches!(byte, b'<' | b'>' | b'"' | b'\''))?;
        let found = at + stop;
        match *input.get(found)? {
            b'>' => return Some(found),
            b'<' => return None,
            quote => at = found + 2 + memchr::memchr(quote, input.get(found + 1..)?)?,
        }
    }
}

/// As much of a long text as ends between characters and between entity references, if it can be had.
fn whole_text(input: &[u8]) -> usize {
    let tail = input.len().saturating_sub(64);
    let after = input.get(tail..).unwrap_or_default();
    let cut = after.iter().rposition(|byte| byte.is_ascii_whitespace()).map(|at| at + 1);
    let cut = cut
        .or_else(|| memchr::memrchr(b'&', after))
        .or_else(|| after.iter().rposition(|&byte| byte & 0xC0 != 0x80));
    match cut {
        Some(cut) if tail + cut > 0 => tail + cut,
        _ => input.len(),
    }
}

fn find_ignoring_case(input: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.iter().any(u8::is_ascii_alphabetic) {
        return memchr::memchr_iter(b'<', input).find(|&at| {
            input.get(at..at + needle.len()).is_some_and(|here| here.eq_ignore_ascii_case(needle))
        });
    }
    memmem::find(input, needle)
}

/// `text` with its character references replaced. References to declared entities stay as they are.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        // The longest reference known is `&#x10FFFF;`.
        let window = after.get(..after.floor_char_boundary(10)).unwrap_or(after);
        let reference = window.split_once(';').and_then(|(name, _)| Some((character(name)?, name.len() + 1)));
        rest = match reference {
            Some((character, length)) => {
                decoded.push(character);
                after.get(length..).unwrap_or_default()
            }
            None => {
                decoded.push('&');
                after
            }
        };
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|&c| c != '\0');
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        "shy" => '\u{AD}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "bull" => '•',
        "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "euro" => '€',
        "pound" => '£',
        "laquo" => '«',
        "raquo" => '»',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "aacute" => 'á',
        "iacute" => 'í',
        "oacute" => 'ó',
        "uacute" => 'ú',
        "ntilde" => 'ñ',
        "ccedil" => 'ç',
        "aring" => 'å',
        "oslash" => 'ø',
        "aelig" => 'æ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
