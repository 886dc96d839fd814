//! Which records and which text does an XML document hold, when nothing is known of its schema?
//!
//! An element whose children are mostly elements with text in them is a record of those; other text is running text.

use super::markup::{Attributes, Token, Tokenizer};
use super::{Reader, Work, limit_reached};

/// Elements within elements that are told apart.
const DEPTH_MAX: usize = 64;

/// Bytes of the text and the fields of all open elements.
const HELD_BYTES_MAX: usize = 1 << 20;

/// An element that is open.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    /// Names and values of the children that ended, and of its own attributes.
    fields: Vec<(String, String)>,
}

/// A document being read.
#[derive(Debug)]
pub(super) struct Xml {
    tokenizer: Tokenizer,
    tree: Tree,
}

#[derive(Debug, Default)]
struct Tree {
    open: Vec<Element>,
    /// Elements beyond [`DEPTH_MAX`].
    too_deep: usize,
    held: usize,
    number: u64,
    cut: bool,
}

impl Default for Xml {
    fn default() -> Self {
        Self { tokenizer: Tokenizer::xml(), tree: Tree::default() }
    }
}

impl Reader for Xml {
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>) {
        let tree = &mut self.tree;
        self.tokenizer.push(bytes, &mut |token| tree.take(token, work));
    }

    fn finish(&mut self, work: &mut Work<'_>) {
        let tree = &mut self.tree;
        self.tokenizer.finish(&mut |token| tree.take(token, work));
        self.tree.too_deep = 0;
        while !self.tree.open.is_empty() {
            self.tree.close(work);
        }
        if self.tree.cut {
            work.sink.gap(limit_reached("an element holds more than what is held in memory"));
        }
    }
}

impl Tree {
    fn take(&mut self, token: Token<'_>, work: &mut Work<'_>) {
        match token {
            Token::Open { name, attributes, empty } => self.open(name, attributes, empty, work),
            Token::Close { .. } if self.too_deep > 0 => self.too_deep -= 1,
            Token::Close { name } => {
                // A tag that closes nothing is passed over; one that closes more than the last closes that too.
                if self.open.iter().any(|element| element.name == name) {
                    while self.open.last().is_some_and(|element| element.name != name) {
                        self.close(work);
                    }
                    self.close(work);
                }
            }
            Token::Text(text) => self.text(text, work),
        }
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>, empty: bool, work: &mut Work<'_>) {
        if self.open.len() >= DEPTH_MAX {
            self.too_deep += usize::from(!empty);
            return;
        }
        self.held += name.len();
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        for (name, value) in attributes.iter() {
            self.field(name, &value);
        }
        if empty {
            self.close(work);
        }
    }

    fn text(&mut self, text: &str, work: &mut Work<'_>) {
        if self.held + text.len() > HELD_BYTES_MAX {
            // Too much for a record: let go of it as running text.
            return work.sink.text(work.place, text);
        }
        if let Some(element) = self.open.last_mut() {
            self.held += text.len();
            element.text.push_str(text);
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let bytes = name.len() + value.len();
        if self.held + bytes > HELD_BYTES_MAX {
            self.cut = true;
        } else if let Some(element) = self.open.last_mut() {
            self.held += bytes;
            element.fields.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Ends the innermost element: without fields it is a field of the one around it, else a record.
    fn close(&mut self, work: &mut Work<'_>) {
        let Some(element) = self.open.pop() else { return };
        let fields_bytes: usize = element.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.held = self.held.saturating_sub(element.name.len() + element.text.len() + fields_bytes);
        let text = element.text.trim();
        if element.fields.is_empty() && !self.open.is_empty() {
            if !text.is_empty() {
                self.field(&element.name, text);
            }
            return;
        }
        let mut fields: Vec<(&str, &str)> =
            element.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !text.is_empty() {
            fields.push((&element.name, text));
        }
        if !fields.is_empty() {
            self.number += 1;
            work.sink.record(work.place, self.number, &fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::content_type::ContentType;
    use crate::extract::tests::seen;

    #[test]
    fn elements_of_fields_become_records() {
        let (kind, seen) = seen(
            b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY e 'boom'>]><staff><person id='7'><name>Ada &amp; Bo</name>\
              <mail>a@a.example</mail></person><person><name>&e;</name></person></staff>",
        );
        assert_eq!(kind, ContentType::Xml);
        assert_eq!(seen.records, ["#1: id=7|name=Ada & Bo|mail=a@a.example", "#2: name=&e;"]);
    }

    #[test]
    fn a_document_of_one_text_is_a_record_of_it() {
        assert_eq!(seen(b"<?xml version='1.0'?><note>hello</note>").1.records, ["#1: note=hello"]);
    }

    #[test]
    fn elements_without_end_lose_no_text() {
        let document = format!("<?xml version='1.0'?>{}deep", "<a b='c'>".repeat(100_000));
        seen(document.as_bytes());
        let document = format!("<?xml version='1.0'?><a>{}", "<b>some text</b>".repeat(200_000));
        // What no longer fits into the record is running text.
        let (_, seen) = seen(document.as_bytes());
        let words = |text: &str| text.matches("some text").count();
        assert_eq!(words(&seen.text) + words(&seen.records.concat()), 200_000);
    }
}
