//! What does a Rich Text document say (RTF 1.9.1)?

use super::prose::Prose;
use super::{Reader, Work, limit_reached};

/// Groups within groups that are told apart.
const GROUPS_MAX: usize = 256;

/// Groups whose content is not text for the reader.
const NO_TEXT: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "generator",
    "pict",
    "objdata",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "xmlnstbl",
    "fldinst",
    "filetbl",
    "revtbl",
    "mmathPr",
    "bkmkstart",
    "bkmkend",
    "blipuid",
];

/// What a group inherits from the one around it.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// Whether its characters are text.
    shown: bool,
    /// Characters that stand after each `\u` for readers that do not know it.
    fallback: u32,
}

/// What the next byte belongs to.
#[derive(Debug)]
enum State {
    Text,
    /// After a backslash.
    Escape,
    /// A control word, with its parameter.
    Word,
    /// `\'` and two digits.
    Hex {
        digits: u8,
        value: u8,
    },
    /// Binary data that was announced.
    Binary {
        left: u64,
    },
}

/// A document being read.
#[derive(Debug)]
pub(super) struct Rtf {
    state: State,
    groups: Vec<Group>,
    /// Groups beyond [`GROUPS_MAX`] that are open.
    too_deep: usize,
    word: String,
    /// Bytes in the document's code page that are not yet text.
    bytes: Vec<u8>,
    code_page: &'static encoding_rs::Encoding,
    /// Half of a character that `\u` gives in two.
    high_surrogate: Option<u32>,
    /// Characters to pass over after a `\u`.
    pass_over: u32,
    in_table: bool,
    table_open: bool,
    prose: Prose,
}

impl Default for Rtf {
    fn default() -> Self {
        Self {
            state: State::Text,
            groups: vec![Group { shown: true, fallback: 1 }],
            too_deep: 0,
            word: String::new(),
            bytes: Vec::new(),
            code_page: encoding_rs::WINDOWS_1252,
            high_surrogate: None,
            pass_over: 0,
            in_table: false,
            table_open: false,
            prose: Prose::default(),
        }
    }
}

impl Reader for Rtf {
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            match &mut self.state {
                State::Binary { left } => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= taken as u64;
                    if *left == 0 {
                        self.state = State::Text;
                    }
                    rest = rest.get(taken..).unwrap_or_default();
                    continue;
                }
                State::Text => self.text_byte(byte, work),
                State::Escape => self.escaped(byte, work),
                State::Hex { digits, value } => {
                    *value = *value << 4 | char::from(byte).to_digit(16).unwrap_or(0) as u8;
                    *digits += 1;
                    if let (2, value) = (*digits, *value) {
                        self.state = State::Text;
                        self.character(value, work);
                    }
                }
                State::Word => {
                    if byte.is_ascii_alphanumeric() || (byte == b'-' && !self.word.contains('-')) {
                        // Control words have at most 32 letters.
                        if self.word.len() < 48 {
                            self.word.push(char::from(byte));
                        }
                    } else {
                        self.end_word(work);
                        if byte == b' ' {
                            // Ends the word and belongs to it.
                        } else if !matches!(self.state, State::Binary { .. }) {
                            self.text_byte(byte, work);
                        }
                    }
                }
            }
            rest = after;
        }
    }

    fn finish(&mut self, work: &mut Work<'_>) {
        if matches!(self.state, State::Word) {
            self.end_word(work);
        }
        self.flush_bytes(work);
        self.prose.finish(work);
    }
}

impl Rtf {
    fn group(&self) -> Group {
        self.groups.last().copied().unwrap_or(Group { shown: true, fallback: 1 })
    }

    fn text_byte(&mut self, byte: u8, work: &mut Work<'_>) {
        self.state = State::Text;
        match byte {
            b'{' => self.open_group(work),
            b'}' => self.close_group(work),
            b'\\' => self.state = State::Escape,
            b'\r' | b'\n' => {}
            _ => self.character(byte, work),
        }
    }

    fn open_group(&mut self, work: &mut Work<'_>) {
        self.flush_bytes(work);
        self.pass_over = 0;
        if self.groups.len() >= GROUPS_MAX {
            if self.too_deep == 0 {
                work.sink.gap(limit_reached("groups of the document are nested deeper than documents are"));
            }
            self.too_deep += 1;
        } else {
            self.groups.push(self.group());
        }
    }

    fn close_group(&mut self, work: &mut Work<'_>) {
        self.flush_bytes(work);
        self.pass_over = 0;
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if self.groups.len() > 1 {
            self.groups.pop();
        }
    }

    fn escaped(&mut self, byte: u8, work: &mut Work<'_>) {
        self.state = State::Text;
        match byte {
            b'\'' => self.state = State::Hex { digits: 0, value: 0 },
            b'*' => self.hide(),
            b'~' => self.write("\u{A0}", work),
            b'\r' | b'\n' => self.line(work),
            b'\\' | b'{' | b'}' => self.character(byte, work),
            _ if byte.is_ascii_alphabetic() => {
                self.word.clear();
                self.word.push(char::from(byte));
                self.state = State::Word;
            }
            _ => {}
        }
    }

    fn hide(&mut self) {
        if let Some(group) = self.groups.last_mut() {
            group.shown = false;
        }
    }

    fn end_word(&mut self, work: &mut Work<'_>) {
        self.state = State::Text;
        let word = std::mem::take(&mut self.word);
        let digits = word.find(|c: char| c.is_ascii_digit() || c == '-').unwrap_or(word.len());
        let (name, parameter) = word.split_at_checked(digits).unwrap_or((&word, ""));
        let parameter: Option<i64> = parameter.parse().ok();
        match name {
            "par" | "line" | "sect" | "page" | "softline" => self.line(work),
            "tab" => self.write("\t", work),
            "emdash" => self.write("—", work),
            "endash" => self.write("–", work),
            "lquote" | "rquote" => self.write("'", work),
            "ldblquote" | "rdblquote" => self.write("\"", work),
            "bullet" => self.write("•", work),
            "u" => self.unicode(parameter.unwrap_or(0), work),
            "uc" => {
                if let Some(group) = self.groups.last_mut() {
                    group.fallback = parameter.and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
                }
            }
            "ansicpg" => self.code_page = code_page(parameter.unwrap_or(1252)),
            "bin" => {
                self.state =
                    State::Binary { left: parameter.and_then(|n| u64::try_from(n).ok()).unwrap_or(0) }
            }
            "intbl" | "trowd" => self.in_table = true,
            "pard" => self.in_table = false,
            "cell" | "nestcell" => self.end_cell(work),
            "row" | "nestrow" => {
                self.flush_bytes(work);
                self.prose.close_row(work);
            }
            _ if NO_TEXT.contains(&name) => self.hide(),
            _ => {}
        }
        if let State::Binary { left: 0 } = self.state {
            self.state = State::Text;
        }
        self.word = word;
        self.word.clear();
    }

    fn end_cell(&mut self, work: &mut Work<'_>) {
        self.flush_bytes(work);
        self.enter_table(work);
        self.prose.close_cell();
    }

    /// Opens the table and its cell when the first text for them comes.
    fn enter_table(&mut self, work: &mut Work<'_>) {
        if !self.table_open {
            self.prose.open_table(work);
            self.table_open = true;
        }
        self.prose.open_cell_if_none();
    }

    fn line(&mut self, work: &mut Work<'_>) {
        self.flush_bytes(work);
        if self.group().shown {
            self.prose.line(work);
        }
    }

    fn character(&mut self, byte: u8, work: &mut Work<'_>) {
        if self.pass_over > 0 {
            self.pass_over -= 1;
        } else if self.group().shown {
            self.bytes.push(byte);
            if self.bytes.len() >= 4096 {
                self.flush_bytes(work);
            }
        }
    }

    fn unicode(&mut self, parameter: i64, work: &mut Work<'_>) {
        // Written as a signed 16-bit number.
        let unit = (parameter & 0xFFFF) as u32;
        let code = match (self.high_surrogate.take(), unit) {
            (_, 0xD800..=0xDBFF) => {
                self.high_surrogate = Some(unit);
                None
            }
            (Some(high), 0xDC00..=0xDFFF) => Some(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00)),
            _ => Some(unit),
        };
        if let Some(character) = code.and_then(char::from_u32) {
            self.write(character.encode_utf8(&mut [0; 4]), work);
        }
        self.pass_over = self.group().fallback;
    }

    fn write(&mut self, text: &str, work: &mut Work<'_>) {
        self.flush_bytes(work);
        self.show(text, work);
    }

    fn show(&mut self, text: &str, work: &mut Work<'_>) {
        if !self.group().shown {
            return;
        }
        if self.in_table {
            self.enter_table(work);
        } else if std::mem::take(&mut self.table_open) {
            self.prose.close_table(work);
        }
        self.prose.text(text, work);
    }

    fn flush_bytes(&mut self, work: &mut Work<'_>) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let text = self.code_page.decode_without_bom_handling(&bytes).0;
        self.show(&text, work);
        self.bytes = bytes;
        self.bytes.clear();
    }
}

fn code_page(number: i64) -> &'static encoding_rs::Encoding {
    let label = match number {
        65001 => "utf-8".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        866 => "ibm866".to_owned(),
        10000 => "macintosh".to_owned(),
        number => format!("windows-{number}"),
    };
    encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::content_type::ContentType;
    use crate::extract::tests::{see, seen};

    #[test]
    fn text_is_read_without_its_dress() {
        let (kind, seen) = seen(
            br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator X;}\pard Gr\'fc\'dfe \b all\b0\par
\u8364?5 \u-10179?\u-8704? {\pict\bin3 }}}}end}",
        );
        assert_eq!(kind, ContentType::Rtf);
        assert_eq!(seen.text, "Grüße all\n€5 😀 end");
    }

    #[test]
    fn cells_become_rows() {
        let (_, seen) = seen(
            br"{\rtf1\trowd\cellx1\cellx2\intbl Name\cell Title\cell\row\trowd\intbl Ada\cell\cell\row\pard after}",
        );
        assert_eq!(seen.rows, ["table 1#1: Name|Title", "table 1#2: Ada|"]);
        assert_eq!(seen.text, "after");
    }

    #[test]
    fn endless_groups_are_a_gap() {
        let document = [b"{\\rtf1".as_slice(), &vec![b'{'; 100_000], b"deep"].concat();
        let (_, seen) = seen(&document);
        assert_eq!(seen.reasons(), [crate::GapReason::LimitReached]);
        assert_eq!(seen.text, "deep");
    }

    proptest! {
        #[test]
        fn cutting_a_document_changes_nothing(
            words in proptest::collection::vec(r"[{}a]|\\[*'{~]|\\(par|cell|row|intbl|pard|trowd|u-?[0-9]{1,5}|bin[0-9]|pict) ?|[0-9 ]", 0..40),
            cut in 0_usize..80,
        ) {
            let document = words.concat();
            let (head, tail) = document.as_bytes().split_at(cut.min(document.len()));
            let read = |pieces: &[&[u8]]| see(|work| {
                let mut rtf = Rtf::default();
                pieces.iter().for_each(|piece| rtf.push(piece, work));
                rtf.finish(work);
            });
            prop_assert_eq!(read(&[head, tail]), read(&[document.as_bytes()]));
        }
    }
}
