//! How do the bytes of a text become blocks that every detector can look at, in bounded memory?
//!
//! Whatever the chunks that come in, blocks are cut by the content alone: that is why chunking cannot change a result.

mod encoding;

use crate::extract::Place;
use crate::gather::Gather;
use crate::sightings::{Position, Start};
use crate::structure::{Layout, Structure};
pub(crate) use encoding::Decoder;

/// Bytes of a block; fits the second-level cache together with what is made of it.
const BLOCK: usize = 64 << 10;
/// Bytes of the block before that stay, so that words before a value can be seen.
const BEHIND: usize = 512;
/// How far before its end a block without line ends may be cut at a blank or comma.
const CUT_WITHIN: usize = 4 << 10;
/// Armored keys are not cut in two when they begin this close to the block's end.
const ARMOR_BYTES: usize = 8 << 10;

/// A text on its way through the detectors.
#[derive(Debug)]
pub(crate) struct TextStream {
    place: Place,
    decoder: Decoder,
    structure: Option<Structure>,
    /// What was looked at already and stays as surroundings, then what was not.
    buffer: Vec<u8>,
    looked_at: usize,
    /// Where in the text the buffer begins.
    offset: u64,
}

impl TextStream {
    /// A text whose encoding is told by its first bytes.
    pub(crate) fn new(place: Place, head: &[u8]) -> Self {
        Self {
            place,
            decoder: Decoder::of(head),
            structure: None,
            buffer: Vec::with_capacity(BEHIND + BLOCK),
            looked_at: 0,
            offset: 0,
        }
    }

    /// The media type, once a block or the end was seen.
    pub(crate) fn media_type(&self) -> &'static str {
        self.structure.as_ref().map_or("text/plain", Structure::media_type)
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        let mut decoder = std::mem::take(&mut self.decoder);
        decoder.decode(bytes, |text| self.decoded(gather, text));
        self.decoder = decoder;
    }

    /// Ends the text; tells its media type.
    pub(crate) fn finish(mut self, gather: &mut Gather) -> &'static str {
        let mut decoder = std::mem::take(&mut self.decoder);
        decoder.finish(|text| self.decoded(gather, text));
        let end = self.buffer.len();
        self.look(gather, end);
        let media_type = self.media_type();
        if let Some(structure) = self.structure.take() {
            structure.finish(gather);
        }
        media_type
    }

    fn decoded(&mut self, gather: &mut Gather, mut text: &[u8]) {
        while !text.is_empty() {
            let room = (self.looked_at + BLOCK - self.buffer.len()).min(text.len());
            let (now, later) = text.split_at_checked(room).unwrap_or((text, b""));
            self.buffer.extend_from_slice(now);
            text = later;
            if self.buffer.len() == self.looked_at + BLOCK {
                let end = self.looked_at + cut(self.buffer.get(self.looked_at..).unwrap_or_default());
                self.look(gather, end);
                self.keep_surroundings();
            }
        }
    }

    /// Shows the detectors what stands up to `end`.
    fn look(&mut self, gather: &mut Gather, end: usize) {
        let Some(block) = self.buffer.get(self.looked_at..end).filter(|block| !block.is_empty()) else {
            return;
        };
        let structure = self.structure.get_or_insert_with(|| Structure::of(block, &self.place));
        structure.push(gather, block);
        if let Some(copies) = &mut gather.copies {
            match structure.layout() {
                Layout::Running => copies.text(&self.place, block),
                Layout::Rows => copies.lines(&self.place, block, false),
                Layout::Log => copies.lines(&self.place, block, true),
            }
        }
        let sought = structure.sought();
        let position = Position { place: &self.place, start: Start::Byte(self.offset) };
        gather.scan(self.buffer.get(..end).unwrap_or_default(), self.looked_at, position, sought);
        self.looked_at = end;
    }

    fn keep_surroundings(&mut self) {
        let gone = self.looked_at.saturating_sub(BEHIND);
        self.buffer.drain(..gone);
        self.looked_at -= gone;
        self.offset += gone as u64;
    }
}

/// Where to cut a full block: behind its last line, before a key's armor that it does not hold whole, and where there is no
/// line end, at a blank, comma or bracket near the end.
fn cut(block: &[u8]) -> usize {
    let mut end = match memchr::memrchr(b'\n', block) {
        Some(at) => at + 1,
        None => {
            let tail = block.len().saturating_sub(CUT_WITHIN);
            let near = block.get(tail..).unwrap_or_default();
            let at = near
                .iter()
                .rposition(|b| matches!(b, b' ' | b',' | b';' | b'\t' | b'}' | b')' | b'>' | b'\r'));
            at.map_or(block.len(), |at| tail + at + 1)
        }
    };
    let tail = end.saturating_sub(ARMOR_BYTES);
    // Forwards to the last one, which is searched in vectors; backwards is not.
    let begins = memchr::memmem::find_iter(block.get(tail..end).unwrap_or_default(), b"-----BEGIN ");
    if let Some(begin) = begins.last()
        && tail + begin > 0
        && memchr::memmem::find(block.get(tail + begin..end).unwrap_or_default(), b"-----END ").is_none()
    {
        end = tail + begin;
    }
    end
}
