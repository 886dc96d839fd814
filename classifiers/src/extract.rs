//! How does an object become text and rows? One file per family of formats below this one.
//!
//! Formats that need random access are read by [`whole`], those with a grammar from front to back by a [`Stream`], compressed
//! bytes by a [`Decompressor`]; plain text and what is made of lines is the session's own. Extractors never fail: what they
//! cannot read becomes a [`Gap`] in the [`Sink`].

mod avro;
mod cards;
mod compound;
mod dates;
mod decompress;
mod fields;
mod html;
mod mail;
mod markup;
mod member;
mod office;
mod orc;
mod parquet;
mod pdf;
mod prose;
mod rtf;
mod sevenz;
mod sqlite;
mod tar;
mod xml;
mod zip;

pub(crate) use decompress::Decompressor;
pub(crate) use tar::header_holds as tar_header_holds;

use crate::content_type::ContentType;
use crate::{Gap, GapReason};

/// Bytes of one part (a file in an archive, a table of strings, a page) that are held in memory at most.
///
/// It bounds the peak where a small object unpacks to a large one; parts beyond it are a gap unless the sink takes them in
/// pieces ([`Sink::begin_file`]).
pub(crate) const HELD_BYTES_MAX: usize = 24 << 20;

/// Where in an object something stands: outermost part first, for example `["reports.zip", "q3.xlsx", "sheet Staff"]`.
///
/// The parts are content (names inside archives are written by strangers) and are masked before they leave the crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) Vec<String>);

impl Place {
    /// The place of a part inside this one.
    pub(crate) fn part(&self, name: impl Into<String>) -> Self {
        let mut parts = self.0.clone();
        parts.push(name.into());
        Self(parts)
    }
}

/// What takes the extracted content.
pub(crate) trait Sink {
    /// Running text: a page, a paragraph, a mail's body. In pieces of any length, broken between words where possible.
    fn text(&mut self, place: &Place, text: &str);

    /// One row of a table. `table` is the same for all rows of one table; the first row may be its header.
    fn row(&mut self, table: &Place, row: u64, cells: &[&str]);

    /// One record with named fields (JSON object, LDIF entry, vCard): `(name, value)` in order, names may repeat.
    fn record(&mut self, table: &Place, row: u64, fields: &[(&str, &str)]);

    /// A whole file inside a container: the session types and extracts it in turn, one level deeper.
    fn file(&mut self, place: &Place, bytes: &[u8], budget: &mut Budget);

    /// A file inside a container that is to come in pieces, so that its size needs no memory: [`Sink::push_file`] brings them
    /// and [`Sink::end_file`] ends it. `false` from a sink that takes files only whole, by [`Sink::file`].
    ///
    /// Files that are open at the same time are nested: the pieces belong to the one opened last.
    fn begin_file(&mut self, place: &Place, budget: &mut Budget) -> bool {
        let _ = (place, budget);
        false
    }

    /// The next piece of the file that was opened last.
    fn push_file(&mut self, bytes: &[u8], budget: &mut Budget) {
        let _ = (bytes, budget);
    }

    /// The end of the file that was opened last, reached or given up (then a gap tells).
    fn end_file(&mut self, budget: &mut Budget) {
        let _ = budget;
    }

    /// A container whose content is encrypted: which scheme, for example `office_agile` or `zip_aes`.
    fn encrypted(&mut self, place: &Place, scheme: &'static str);

    /// Something that could not be read.
    fn gap(&mut self, gap: Gap);
}

/// What is left of an object's allowance, shared by everything nested in it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// Bytes that may still be unpacked.
    pub(crate) unpacked_bytes: u64,
    /// Archive entries that may still be opened.
    pub(crate) entries: u32,
    /// Levels that may still be descended.
    pub(crate) depth: u32,
}

impl Budget {
    /// Takes `bytes` from the allowance; the gap to report where it is used up.
    pub(crate) fn unpack(&mut self, bytes: u64) -> Result<(), Gap> {
        match self.unpacked_bytes.checked_sub(bytes) {
            Some(left) => {
                self.unpacked_bytes = left;
                Ok(())
            }
            None => {
                self.unpacked_bytes = 0;
                Err(Gap {
                    reason: GapReason::LimitReached,
                    detail: "unpacks to more bytes than one object may".to_owned(),
                })
            }
        }
    }

    /// Takes one archive entry from the allowance; the gap to report where it is used up.
    pub(crate) fn entry(&mut self) -> Result<(), Gap> {
        match self.entries.checked_sub(1) {
            Some(left) => {
                self.entries = left;
                Ok(())
            }
            None => Err(limit_reached("holds more files than one object may")),
        }
    }
}

pub(crate) fn limit_reached(detail: &str) -> Gap {
    Gap { reason: GapReason::LimitReached, detail: detail.to_owned() }
}

pub(crate) fn malformed(detail: &str) -> Gap {
    Gap { reason: GapReason::Malformed, detail: detail.to_owned() }
}

pub(crate) fn truncated(detail: &str) -> Gap {
    Gap { reason: GapReason::Truncated, detail: detail.to_owned() }
}

pub(crate) fn unsupported(detail: &str) -> Gap {
    Gap { reason: GapReason::Unsupported, detail: detail.to_owned() }
}

/// What an extractor works with: where its object stands, who takes the content, what may be spent.
struct Work<'a> {
    place: &'a Place,
    sink: &'a mut dyn Sink,
    budget: &'a mut Budget,
}

impl Work<'_> {
    /// The same work on a part of the object.
    fn at<'b>(&'b mut self, place: &'b Place) -> Work<'b> {
        Work { place, sink: self.sink, budget: self.budget }
    }

    /// Tells the sink of a failure that ends a part, but not the object.
    fn settle(&mut self, result: Result<(), Gap>) {
        if let Err(gap) = result {
            self.sink.gap(gap);
        }
    }
}

/// Extracts an object that is all in memory, and says what it turned out to be: a container's members may refine `kind`.
///
/// For kinds that are read [`Whole`](crate::content_type::Reading::Whole), and for those that have a [`Stream`], which is then
/// given one push. Compressed kinds are for [`Decompressor`], plain text is the caller's; asked for those, or for a format
/// without a reader, this is a gap.
pub(crate) fn whole(
    kind: ContentType,
    bytes: &[u8],
    place: &Place,
    sink: &mut dyn Sink,
    budget: &mut Budget,
) -> ContentType {
    if let Some(mut stream) = Stream::new(kind, place) {
        stream.push(bytes, sink, budget);
        stream.finish(sink, budget);
        return kind;
    }
    let mut work = Work { place, sink, budget };
    match kind {
        ContentType::Zip => return zip::extract(bytes, &mut work),
        ContentType::Compound => return compound::extract(bytes, &mut work),
        ContentType::SevenZip => sevenz::extract(bytes, &mut work),
        ContentType::Avro => avro::extract(bytes, &mut work),
        ContentType::Orc => orc::extract(bytes, &mut work),
        ContentType::Parquet => parquet::extract(bytes, &mut work),
        ContentType::Sqlite => sqlite::extract(bytes, &mut work),
        ContentType::Pdf => pdf::extract(bytes, &mut work),
        _ => work.sink.gap(unsupported("no reader for this format")),
    }
    kind
}

/// Unpacks a block of snappy, which states its size.
fn snappy(packed: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let broken = |_| malformed("a snappy block breaks its own rules");
    let size = snap::raw::decompress_len(packed).map_err(broken)?;
    if size > HELD_BYTES_MAX {
        return Err(limit_reached("a snappy block is more than what is held in memory"));
    }
    budget.unpack(size as u64)?;
    snap::raw::Decoder::new().decompress_vec(packed).map_err(broken)
}

/// A format that is read from front to back as its bytes come by, at constant memory.
pub(crate) struct Stream {
    place: Place,
    reader: Box<dyn Reader + Send>,
}

/// What a streamed format does with its bytes.
trait Reader {
    /// Takes the next bytes, of any length.
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>);

    /// Ends the object.
    fn finish(&mut self, work: &mut Work<'_>);
}

impl Stream {
    /// For a kind that streams and has a grammar of its own; nothing for any other. Text is expected in UTF-8.
    pub(crate) fn new(kind: ContentType, place: &Place) -> Option<Self> {
        let reader: Box<dyn Reader + Send> = match kind {
            ContentType::Tar => Box::new(tar::Tar::default()),
            ContentType::Html => Box::new(html::Html::default()),
            ContentType::Xml => Box::new(xml::Xml::default()),
            ContentType::Ldif => Box::new(cards::Cards::ldif()),
            ContentType::Vcard | ContentType::Calendar => Box::new(cards::Cards::vcard()),
            ContentType::Rtf => Box::new(rtf::Rtf::default()),
            ContentType::Mail => Box::new(mail::Mail::message()),
            ContentType::Mbox => Box::new(mail::Mail::mailbox()),
            _ => return None,
        };
        Some(Self { place: place.clone(), reader })
    }

    /// Takes the next bytes, of any length.
    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink, budget: &mut Budget) {
        self.reader.push(bytes, &mut Work { place: &self.place, sink, budget });
    }

    /// Ends the object.
    pub(crate) fn finish(&mut self, sink: &mut dyn Sink, budget: &mut Budget) {
        self.reader.finish(&mut Work { place: &self.place, sink, budget });
    }
}

#[cfg(test)]
pub(crate) mod tests;
