//! What kind of content is this, by its first bytes?
//!
//! Bytes decide; the name is a tie-break among kinds of text, which have no magic numbers. A container whose members decide
//! (a zip that is a spreadsheet, a compound file that is a letter) is named by [`crate::extract`] once it has been opened.

mod magic;
mod text;

pub(crate) use text::Encoding;

/// Bytes of a head that are worth gathering before [`detect`]: more than this changes no answer.
pub(crate) const HEAD_BYTES: usize = 8 << 10;

/// A kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ContentType {
    Plain,
    Log,
    Csv,
    Tsv,
    Json,
    JsonLines,
    Xml,
    Yaml,
    Html,
    Markdown,
    Rtf,
    Ldif,
    Vcard,
    Calendar,
    Sql,
    Mail,
    Mbox,
    Pem,

    Tar,

    Zip,
    Jar,
    Docx,
    Xlsx,
    Xlsb,
    Pptx,
    Odt,
    Ods,
    Odp,
    Compound,
    Doc,
    Xls,
    Ppt,
    Msg,
    Pdf,
    Parquet,
    Avro,
    Orc,
    Sqlite,
    SevenZip,
    Rar,

    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    Zlib,
    Lzma,

    Jpeg,
    Png,
    Gif,
    Webp,
    Tiff,
    Heif,
    Mp4,
    Matroska,
    Avi,
    Mp3,
    Wav,
    Ogg,
    Flac,
    Font,
    Executable,

    Binary,
}

/// How content of a type is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Text that streams; [`crate::extract::stream`] has a reader for the kinds with a grammar of their own.
    Text,
    /// Not text, but readable from front to back by [`crate::extract::stream`].
    Stream,
    /// Needs the whole object in memory, for [`crate::extract::whole`].
    Whole,
    /// One compressed stream, for [`crate::extract::Decompressor`]; what comes out has a type of its own.
    Compressed,
    /// Known, and there is nothing to read in it.
    Opaque,
    /// Bytes of no known kind.
    Unknown,
}

impl ContentType {
    /// The media type, registered where one is.
    pub(crate) fn media_type(self) -> &'static str {
        self.facts().0
    }

    /// How it is read.
    pub(crate) fn reading(self) -> Reading {
        self.facts().1
    }

    fn facts(self) -> (&'static str, Reading) {
        use Reading::{Compressed, Opaque, Stream, Text, Unknown, Whole};
        match self {
            Self::Plain => ("text/plain", Text),
            Self::Log => ("text/x-log", Text),
            Self::Csv => ("text/csv", Text),
            Self::Tsv => ("text/tab-separated-values", Text),
            Self::Json => ("application/json", Text),
            Self::JsonLines => ("application/jsonl", Text),
            Self::Xml => ("application/xml", Text),
            Self::Yaml => ("application/yaml", Text),
            Self::Html => ("text/html", Text),
            Self::Markdown => ("text/markdown", Text),
            Self::Rtf => ("application/rtf", Text),
            Self::Ldif => ("text/x-ldif", Text),
            Self::Vcard => ("text/vcard", Text),
            Self::Calendar => ("text/calendar", Text),
            Self::Sql => ("application/sql", Text),
            Self::Mail => ("message/rfc822", Text),
            Self::Mbox => ("application/mbox", Text),
            Self::Pem => ("application/x-pem-file", Text),
            Self::Tar => ("application/x-tar", Stream),
            Self::Zip => ("application/zip", Whole),
            Self::Jar => ("application/java-archive", Whole),
            Self::Docx => ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", Whole),
            Self::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Whole),
            Self::Xlsb => ("application/vnd.ms-excel.sheet.binary.macroEnabled.12", Whole),
            Self::Pptx => {
                ("application/vnd.openxmlformats-officedocument.presentationml.presentation", Whole)
            }
            Self::Odt => ("application/vnd.oasis.opendocument.text", Whole),
            Self::Ods => ("application/vnd.oasis.opendocument.spreadsheet", Whole),
            Self::Odp => ("application/vnd.oasis.opendocument.presentation", Whole),
            Self::Compound => ("application/x-ole-storage", Whole),
            Self::Doc => ("application/msword", Whole),
            Self::Xls => ("application/vnd.ms-excel", Whole),
            Self::Ppt => ("application/vnd.ms-powerpoint", Whole),
            Self::Msg => ("application/vnd.ms-outlook", Whole),
            Self::Pdf => ("application/pdf", Whole),
            Self::Parquet => ("application/vnd.apache.parquet", Whole),
            Self::Avro => ("application/vnd.apache.avro", Whole),
            Self::Orc => ("application/vnd.apache.orc", Whole),
            Self::Sqlite => ("application/vnd.sqlite3", Whole),
            Self::SevenZip => ("application/x-7z-compressed", Whole),
            Self::Rar => ("application/vnd.rar", Whole),
            Self::Gzip => ("application/gzip", Compressed),
            Self::Bzip2 => ("application/x-bzip2", Compressed),
            Self::Xz => ("application/x-xz", Compressed),
            Self::Zstd => ("application/zstd", Compressed),
            Self::Lz4 => ("application/x-lz4", Compressed),
            Self::Zlib => ("application/zlib", Compressed),
            Self::Lzma => ("application/x-lzma", Compressed),
            Self::Jpeg => ("image/jpeg", Opaque),
            Self::Png => ("image/png", Opaque),
            Self::Gif => ("image/gif", Opaque),
            Self::Webp => ("image/webp", Opaque),
            Self::Tiff => ("image/tiff", Opaque),
            Self::Heif => ("image/heif", Opaque),
            Self::Mp4 => ("video/mp4", Opaque),
            Self::Matroska => ("video/x-matroska", Opaque),
            Self::Avi => ("video/x-msvideo", Opaque),
            Self::Mp3 => ("audio/mpeg", Opaque),
            Self::Wav => ("audio/wav", Opaque),
            Self::Ogg => ("audio/ogg", Opaque),
            Self::Flac => ("audio/flac", Opaque),
            Self::Font => ("font/sfnt", Opaque),
            Self::Executable => ("application/x-executable", Opaque),
            Self::Binary => ("application/octet-stream", Unknown),
        }
    }
}

/// The type of an object that begins with `head` (its first [`HEAD_BYTES`], or all of it where it is shorter).
///
/// `name` is the object's key; it only decides among kinds of text. An empty object is plain text.
pub(crate) fn detect(head: &[u8], name: &str) -> ContentType {
    if let Some(found) = magic::detect(head) {
        return found;
    }
    match Encoding::of(head) {
        Some(encoding) => text::kind(&encoding.decode(head), name),
        // Weak magic numbers, which a text may begin with too.
        None => magic::detect_weak(head).unwrap_or(ContentType::Binary),
    }
}

#[cfg(test)]
mod tests;
