//! Which words does a text consist of, seen as a planner or a rule maker would write them?
//!
//! Years, quarters, versions, check boxes and the like become one token each, so that the model learns that *a* quarter
//! stands there and not which one. The tokens keep their line's kind: a heading says more than a sentence.

/// What kind of line a token stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Running text.
    Prose,
    /// A Markdown heading, or a short line without a full stop.
    Heading,
    /// A bullet or a numbered item.
    Item,
    /// A row of a Markdown table.
    Row,
}

/// What the reader of a text's lines is told.
pub trait Reader {
    /// A line begins.
    fn line(&mut self, kind: Line);
    /// A token: a word in lower case, or a class such as `<quarter>`.
    fn token(&mut self, token: &str);
}

/// Longest word that is one; longer runs of letters are data.
const WORD_BYTES_MAX: usize = 24;

/// Reads a whole text, line by line. Code fences are left out: what is planned or ruled is written in prose.
pub fn read(text: &str, reader: &mut impl Reader) {
    let mut in_code = false;
    let mut lower = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        if in_code || line.is_empty() {
            continue;
        }
        let (kind, body) = kind_of(line);
        reader.line(kind);
        for word in body.split_whitespace() {
            if word.contains("://") {
                reader.token("<url>");
                // `[text](url)`: the text in front of it is prose.
                if let Some((before, _)) = word.split_once("](") {
                    pieces(before, &mut lower, reader);
                }
            } else {
                pieces(word, &mut lower, reader);
            }
        }
    }
}

fn kind_of(line: &str) -> (Line, &str) {
    if line.starts_with('#') {
        return (Line::Heading, line.trim_start_matches('#'));
    }
    if line.starts_with('|') {
        return (Line::Row, line);
    }
    if let Some(item) = line.strip_prefix(['-', '*', '+', '•']).filter(|rest| rest.starts_with([' ', '\t']))
    {
        return (Line::Item, item);
    }
    let after_number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    if after_number.len() < line.len() && after_number.starts_with(['.', ')']) {
        return (Line::Item, after_number.get(1..).unwrap_or_default());
    }
    let short = line.len() <= 60 && line.split_whitespace().count() <= 8;
    if short && line.starts_with(char::is_uppercase) && !line.ends_with(['.', ',', ';', ')', '"']) {
        return (Line::Heading, line);
    }
    (Line::Prose, line)
}

/// Splits what stands between two blanks into tokens.
fn pieces(word: &str, lower: &mut String, reader: &mut impl Reader) {
    if let Some(class) = symbol(word) {
        reader.token(class);
        return;
    }
    for piece in word.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’')) {
        if piece.is_empty() {
            continue;
        }
        lower.clear();
        if piece.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            lower.push_str(piece);
            lower.make_ascii_lowercase();
        } else {
            lower.extend(piece.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
        }
        match class_of(lower, word) {
            Some(class) => reader.token(class),
            None if lower.len() <= WORD_BYTES_MAX && !lower.is_empty() => reader.token(lower),
            None => reader.token("<data>"),
        }
    }
}

fn symbol(word: &str) -> Option<&'static str> {
    Some(match word {
        "[x]" | "[X]" | "✅" | "✔" | "✔️" | "☑" | "☑️" | "🟢" => "<done>",
        "[" | "]" | "[]" | "☐" | "⬜" => "<open>",
        "🚧" | "🔄" | "⏳" | "🟡" | "🏗️" | "🔨" => "<doing>",
        "📅" | "🎯" | "🚀" | "🗺️" | "🔮" | "📋" | "💡" => "<plan>",
        "❌" | "🔴" | "⛔" => "<not>",
        _ => return None,
    })
}

/// The class of a token that has digits in it; `word` is what it stands in.
fn class_of(token: &str, word: &str) -> Option<&'static str> {
    let bytes = token.as_bytes();
    let first = *bytes.first()?;
    if first.is_ascii_digit() {
        return Some(match bytes {
            [b'1', b'9', _, _] | [b'2', b'0', _, _] if token.bytes().all(|b| b.is_ascii_digit()) => "<year>",
            _ if word.starts_with('#') => "<issue>",
            _ if word.ends_with('%') => "<percent>",
            _ if word.starts_with(['$', '€', '£']) => "<money>",
            _ if token.bytes().all(|b| b.is_ascii_digit()) => "<number>",
            _ => "<mixed>",
        });
    }
    let digits = bytes.get(1..).is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit));
    match (first, bytes.len()) {
        (b'q', 2) if digits => Some("<quarter>"),
        (b'h', 2) if matches!(bytes, [_, b'1' | b'2']) => Some("<quarter>"),
        (b'v', _) if digits => Some("<version>"),
        (b'f', 4 | 6) if token.starts_with("fy") => Some("<quarter>"),
        _ if bytes.iter().any(u8::is_ascii_digit) => Some("<mixed>"),
        _ => None,
    }
}
