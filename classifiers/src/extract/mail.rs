//! What does a mail say, and what is attached to it (RFC 5322, RFC 2045 to 2047), one or a whole mailbox of them?
//!
//! Read line by line as it comes by: an attachment of any size goes to the sink in pieces.

mod headers;
mod transfer;

use super::html::Html;
use super::member::Member;
use super::{Reader, Work, limit_reached, truncated};
use headers::Headers;
use transfer::Transfer;
pub(super) use transfer::{base64, quoted_printable};

/// Bytes of a line that are held; the rest of a longer one is read as a line of its own.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Parts within parts.
const BOUNDARIES_MAX: usize = 32;

/// What lines are taken for.
enum State {
    /// Of a message, or of a part of one.
    Headers(Headers),
    /// The content of a part.
    Body(Body),
    /// Lines that are for no reader: between parts, and before a mailbox's first message.
    Skip,
}

/// A part's content on its way out.
struct Body {
    transfer: Transfer,
    content: Content,
}

enum Content {
    Text(encoding_rs::Decoder),
    Html(encoding_rs::Decoder, Box<Html>),
    File(Member),
    Nothing,
}

/// A message or mailbox being read.
pub(super) struct Mail {
    state: State,
    line: Vec<u8>,
    /// What separates the parts that are open, outermost first.
    boundaries: Vec<Vec<u8>>,
    is_mailbox: bool,
    messages: u64,
    after_blank: bool,
    /// Whether the text of a line came without its start, which was too long.
    continues: bool,
}

impl Mail {
    pub(super) fn message() -> Self {
        Self { state: State::Headers(Headers::message()), ..Self::mailbox() }.with_mailbox(false)
    }

    pub(super) fn mailbox() -> Self {
        Self {
            state: State::Skip,
            line: Vec::new(),
            boundaries: Vec::new(),
            is_mailbox: true,
            messages: 0,
            after_blank: true,
            continues: false,
        }
    }

    fn with_mailbox(self, is_mailbox: bool) -> Self {
        Self { is_mailbox, ..self }
    }

    /// One line, with its end where it has one.
    fn take(&mut self, line: &[u8], work: &mut Work<'_>) {
        let whole_line = !std::mem::replace(&mut self.continues, !line.ends_with(b"\n"));
        let bare = trim_end(line);
        if whole_line && self.is_mailbox && self.after_blank && bare.starts_with(b"From ") {
            self.end_body(work);
            self.boundaries.clear();
            self.state = State::Headers(Headers::message());
            self.after_blank = false;
            return;
        }
        self.after_blank = whole_line && bare.is_empty();
        if whole_line && self.is_boundary(bare, work) {
            return;
        }
        match &mut self.state {
            State::Headers(headers) => {
                if bare.is_empty() && whole_line {
                    self.end_headers(work);
                } else {
                    headers.line(bare);
                }
            }
            State::Body(body) => body.line(line, work),
            State::Skip => {}
        }
    }

    /// Ends a part where `line` is one of the boundaries that are open.
    fn is_boundary(&mut self, line: &[u8], work: &mut Work<'_>) -> bool {
        let Some(marked) = line.strip_prefix(b"--") else { return false };
        let found = self.boundaries.iter().rposition(|boundary| {
            marked.strip_prefix(boundary.as_slice()).is_some_and(|rest| rest.is_empty() || rest == b"--")
        });
        let Some(depth) = found else { return false };
        let closes = marked.ends_with(b"--")
            && self.boundaries.get(depth).is_some_and(|b| marked.len() == b.len() + 2);
        if matches!(self.state, State::Headers(_)) {
            self.end_headers(work);
        }
        self.end_body(work);
        self.boundaries.truncate(if closes { depth } else { depth + 1 });
        self.state = if closes { State::Skip } else { State::Headers(Headers::part()) };
        true
    }

    /// Begins what the headers announce.
    fn end_headers(&mut self, work: &mut Work<'_>) {
        let State::Headers(headers) = std::mem::replace(&mut self.state, State::Skip) else { return };
        if headers.is_message {
            self.messages += 1;
            headers.give(self.messages, work);
        }
        if let Some(scheme) = headers.encryption() {
            work.sink.encrypted(work.place, scheme);
        }
        let media_type = headers.media_type();
        if media_type.starts_with("multipart/") {
            match headers.boundary() {
                Some(_) if self.boundaries.len() >= BOUNDARIES_MAX => {
                    work.sink.gap(limit_reached("parts of the mail are nested deeper than mails are"));
                }
                Some(boundary) => self.boundaries.push(boundary),
                None => {}
            }
            return;
        }
        if media_type == "message/rfc822" && headers.file_name().is_none() {
            self.state = State::Headers(Headers::message());
            return;
        }
        let is_text = headers.file_name().is_none() && !headers.is_attachment();
        let decoder = || headers.charset().new_decoder_without_bom_handling();
        let content = match media_type.as_str() {
            "text/plain" | "text/enriched" if is_text => Content::Text(decoder()),
            "text/html" if is_text => Content::Html(decoder(), Box::default()),
            _ => match work.budget.entry() {
                Ok(()) => {
                    let name = headers.file_name().unwrap_or_else(|| media_type.replace('/', "."));
                    Content::File(Member::begin(work.place.part(name), work.sink, work.budget))
                }
                Err(gap) => {
                    work.sink.gap(gap);
                    Content::Nothing
                }
            },
        };
        self.state = State::Body(Body { transfer: headers.transfer(), content });
    }

    fn end_body(&mut self, work: &mut Work<'_>) {
        if let State::Body(body) = std::mem::replace(&mut self.state, State::Skip) {
            body.end(work);
        }
    }
}

impl Body {
    fn line(&mut self, line: &[u8], work: &mut Work<'_>) {
        let content = &mut self.content;
        self.transfer.line(line, &mut |bytes| content.push(bytes, work));
    }

    fn end(mut self, work: &mut Work<'_>) {
        let content = &mut self.content;
        self.transfer.finish(&mut |bytes| content.push(bytes, work));
        match self.content {
            Content::Html(_, mut html) => html.finish(work),
            Content::File(member) => member.end(work.sink, work.budget),
            Content::Text(_) | Content::Nothing => {}
        }
    }
}

impl Content {
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>) {
        match self {
            Self::Text(decoder) => work.sink.text(work.place, &decode(decoder, bytes)),
            Self::Html(decoder, html) => html.push(decode(decoder, bytes).as_bytes(), work),
            Self::File(member) => member.push(bytes, work.sink, work.budget),
            Self::Nothing => {}
        }
    }
}

fn decode(decoder: &mut encoding_rs::Decoder, bytes: &[u8]) -> String {
    let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len());
    let mut text = String::with_capacity(room);
    let _ = decoder.decode_to_string(bytes, &mut text, false);
    text
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

impl Reader for Mail {
    fn push(&mut self, mut bytes: &[u8], work: &mut Work<'_>) {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
            let room = LINE_BYTES_MAX - self.line.len().min(LINE_BYTES_MAX);
            let (piece, rest) = bytes.split_at_checked(end.min(room)).unwrap_or((bytes, &[]));
            bytes = rest;
            let complete = piece.ends_with(b"\n");
            if self.line.is_empty() && complete {
                self.take(piece, work);
                continue;
            }
            self.line.extend_from_slice(piece);
            if complete || self.line.len() >= LINE_BYTES_MAX {
                let line = std::mem::take(&mut self.line);
                self.take(&line, work);
                self.line = line;
                self.line.clear();
            }
        }
    }

    fn finish(&mut self, work: &mut Work<'_>) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(&line, work);
        }
        if matches!(self.state, State::Headers(_)) {
            self.end_headers(work);
        }
        self.end_body(work);
        if !self.boundaries.is_empty() {
            work.sink.gap(truncated("the mail ends inside one of its parts"));
        }
    }
}

#[cfg(test)]
mod tests;
