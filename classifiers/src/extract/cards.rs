//! Which entries does a directory export or a file of cards hold (LDIF, RFC 2849; vCard, RFC 6350; iCalendar, RFC 5545)?
//!
//! All three are lines of `name: value` where a line that begins with a blank goes on from the one before it.

use super::mail::{base64, quoted_printable};
use super::{Reader, Work, limit_reached};

/// Bytes of one entry that are held: photographs in them are longer, and are left out.
const ENTRY_BYTES_MAX: usize = 512 << 10;

/// Values that are pictures or certificates, whatever they are called.
const VALUE_BYTES_MAX: usize = 32 << 10;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Grammar {
    /// Entries end at an empty line.
    Ldif,
    /// Entries stand between `BEGIN:` and `END:`.
    Vcard,
}

/// A file of entries being read.
#[derive(Debug)]
pub(super) struct Cards {
    grammar: Grammar,
    /// The line that is coming, and the one before it, which may go on.
    line: Vec<u8>,
    folded: Vec<u8>,
    fields: Vec<(String, String)>,
    bytes: usize,
    number: u64,
    cut: bool,
}

impl Cards {
    pub(super) fn ldif() -> Self {
        Self::new(Grammar::Ldif)
    }

    pub(super) fn vcard() -> Self {
        Self::new(Grammar::Vcard)
    }

    fn new(grammar: Grammar) -> Self {
        Self {
            grammar,
            line: Vec::new(),
            folded: Vec::new(),
            fields: Vec::new(),
            bytes: 0,
            number: 0,
            cut: false,
        }
    }

    /// A line as written, without its end.
    fn raw_line(&mut self, work: &mut Work<'_>) {
        let line = std::mem::take(&mut self.line);
        let bare = line.strip_suffix(b"\r").unwrap_or(&line);
        match bare.split_first() {
            Some((b' ' | b'\t', rest)) => self.folded.extend_from_slice(rest),
            _ => {
                self.end_line(work);
                self.folded.extend_from_slice(bare);
                if bare.is_empty() && self.grammar == Grammar::Ldif {
                    self.end_entry(work);
                }
            }
        }
        self.line = line;
        self.line.clear();
    }

    /// A whole line, with all that it goes on to.
    fn end_line(&mut self, work: &mut Work<'_>) {
        let folded = std::mem::take(&mut self.folded);
        let text = String::from_utf8_lossy(&folded);
        if self.grammar == Grammar::Ldif && text.starts_with('#') {
            return;
        }
        let Some((name, value)) = text.split_once(':') else { return };
        match self.grammar {
            Grammar::Ldif => {
                let value = match value.strip_prefix(':') {
                    Some(encoded) => super::dates::readable(&base64(encoded.as_bytes())),
                    None => value.trim_start().to_owned(),
                };
                self.add(name, value);
            }
            Grammar::Vcard => {
                let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
                // `item1.EMAIL`: a group that ties lines together.
                let name = name.rsplit('.').next().unwrap_or(name);
                let is_packed = |kind: &str| parameters.to_ascii_uppercase().contains(kind);
                if name.eq_ignore_ascii_case("BEGIN") || name.eq_ignore_ascii_case("END") {
                    // An event in a calendar ends what was said of the calendar.
                    return self.end_entry(work);
                }
                let value = if is_packed("QUOTED-PRINTABLE") {
                    String::from_utf8_lossy(&quoted_printable(value.as_bytes())).into_owned()
                } else if is_packed("ENCODING=B") || value.starts_with("data:") {
                    String::new()
                } else {
                    unescaped(value)
                };
                // In a calendar, names of people are parameters.
                if let Some(name) = parameters.split(';').find_map(|parameter| parameter.strip_prefix("CN="))
                {
                    self.add("CN", name.trim_matches('"').to_owned());
                }
                self.add(name, value);
            }
        }
    }

    fn add(&mut self, name: &str, value: String) {
        // What the grammar says of itself is nothing that the entry says.
        let of_grammar = ["VERSION", "PRODID"].iter().any(|own| name.eq_ignore_ascii_case(own));
        if of_grammar || value.is_empty() || value.len() > VALUE_BYTES_MAX {
            return;
        }
        self.bytes += name.len() + value.len();
        if self.bytes > ENTRY_BYTES_MAX {
            self.cut = true;
            return;
        }
        self.fields.push((name.to_owned(), value));
    }

    fn end_entry(&mut self, work: &mut Work<'_>) {
        if !self.fields.is_empty() {
            self.number += 1;
            let fields: Vec<(&str, &str)> =
                self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            work.sink.record(work.place, self.number, &fields);
        }
        self.fields.clear();
        self.bytes = 0;
    }
}

/// A value without the backslashes before its commas, and with the ends of lines that they stand for as blanks.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            _ => text.push(c),
        }
    }
    text
}

impl Reader for Cards {
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (content, ends) = match piece.strip_suffix(b"\n") {
                Some(content) => (content, true),
                None => (piece, false),
            };
            // What one value may not hold need not be gathered.
            let room = ENTRY_BYTES_MAX.saturating_sub(self.line.len() + self.folded.len());
            self.cut |= content.len() > room;
            self.line.extend_from_slice(content.get(..room).unwrap_or(content));
            if ends {
                self.raw_line(work);
            }
        }
    }

    fn finish(&mut self, work: &mut Work<'_>) {
        self.raw_line(work);
        self.end_line(work);
        self.end_entry(work);
        if self.cut {
            work.sink.gap(limit_reached("an entry is more than what is held in memory"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::content_type::ContentType;
    use crate::extract::tests::{see, seen};

    const LDIF: &str = "version: 1\n\ndn: uid=ada,dc=a\ncn: Ada\n  Marsh\nsn:: TcO8bGxlcg==\n# remark\nmail: ada@a.example\n\ndn: uid=bo\n";

    #[test]
    fn directory_entries_become_records() {
        let (kind, seen) = seen(LDIF.as_bytes());
        assert_eq!(kind, ContentType::Ldif);
        assert_eq!(
            seen.records,
            ["#1: dn=uid=ada,dc=a|cn=Ada Marsh|sn=Müller|mail=ada@a.example", "#2: dn=uid=bo"]
        );
    }

    #[test]
    fn cards_and_events_become_records() {
        let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\\, Marsh\r\nitem1.EMAIL;TYPE=work:ada@a.exam\r\n ple\r\n\
                    PHOTO;ENCODING=b:AAAA\r\nEND:VCARD\r\n";
        assert_eq!(seen(card.as_bytes()).1.records, ["#1: FN=Ada, Marsh|EMAIL=ada@a.example"]);
        let event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE;CN=\"Bo\":mailto:bo@b.example\nEND:VEVENT\nEND:VCALENDAR\n";
        assert_eq!(seen(event.as_bytes()).1.records, ["#1: CN=Bo|ATTENDEE=mailto:bo@b.example"]);
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let file = [b"dn: x\ncn: ".as_slice(), &vec![b'a'; 2 << 20]].concat();
        assert_eq!(seen(&file).1.reasons(), [crate::GapReason::LimitReached]);
    }

    proptest! {
        #[test]
        fn cutting_a_file_changes_nothing(step in 1_usize..140) {
            let read = |step: usize| see(|work| {
                let mut cards = Cards::ldif();
                LDIF.as_bytes().chunks(step).for_each(|piece| cards.push(piece, work));
                cards.finish(work);
            });
            prop_assert_eq!(read(step), read(usize::MAX));
        }
    }
}
