//! How is this text laid out, and what are its rows?

mod delimited;
mod json;
mod log;
mod prose;
mod sql;
mod yaml;

use crate::extract::Place;
use crate::gather::Gather;
use crate::scan::Sought;

/// What the lines of a text are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Parts of something that runs on.
    Running,
    /// Rows, one each.
    Rows,
    /// Events, one each.
    Log,
}

/// A layout of text, with what its parser remembers between lines.
#[derive(Debug)]
pub(crate) enum Structure {
    /// Rows of cells with a delimiter between them.
    Delimited(delimited::Delimited),
    /// One JSON value a line.
    JsonLines(json::JsonLines),
    /// One JSON value over many lines, or one very long one.
    JsonDocument(Box<json::Walker>),
    /// One event a line.
    Log(log::Log),
    /// Statements that make and fill tables.
    Sql(Box<sql::Sql>),
    /// Everything else: words, Markdown, code, configuration.
    Prose(prose::Prose),
}

impl Structure {
    /// Chooses by the first block of a text.
    pub(crate) fn of(head: &[u8], place: &Place) -> Self {
        let start = head.trim_ascii_start();
        if matches!(start.first(), Some(b'{' | b'[')) {
            if json::is_lines(start) {
                return Self::JsonLines(json::JsonLines::new(place));
            }
            if json::looks_like_json(start) {
                return Self::JsonDocument(Box::new(json::Walker::new(place)));
            }
        }
        if log::is_log(head) {
            return Self::Log(log::Log::new(place));
        }
        if sql::is_dump(head) {
            return Self::Sql(Box::new(sql::Sql::new(place)));
        }
        match delimited::delimiter(head) {
            Some(delimiter) => Self::Delimited(delimited::Delimited::new(place, delimiter)),
            None => Self::Prose(prose::Prose::new(place, head)),
        }
    }

    /// The media type of the layout.
    pub(crate) fn media_type(&self) -> &'static str {
        match self {
            Self::Delimited(table) if table.is_tabbed() => "text/tab-separated-values",
            Self::Delimited(_) => "text/csv",
            Self::JsonLines(_) => "application/jsonl",
            Self::JsonDocument(_) => "application/json",
            Self::Log(_) => "text/x-log",
            Self::Sql(_) => "application/sql",
            Self::Prose(_) => "text/plain",
        }
    }

    /// What its lines are.
    pub(crate) fn layout(&self) -> Layout {
        match self {
            Self::Delimited(_) | Self::JsonLines(_) | Self::Sql(_) => Layout::Rows,
            Self::Log(_) => Layout::Log,
            Self::JsonDocument(_) | Self::Prose(_) => Layout::Running,
        }
    }

    /// What is still to be looked for in running bytes, given what is known of the rows.
    pub(crate) fn sought(&self) -> Sought {
        let directory = match self {
            Self::Delimited(table) => table.is_directory(),
            Self::JsonLines(lines) => lines.is_directory(),
            _ => false,
        };
        if directory { Sought::Secrets } else { Sought::All }
    }

    /// Takes the next bytes of the text; they end with a line, but for lines longer than a block and the text's end.
    pub(crate) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        match self {
            Self::Delimited(table) => table.push(gather, bytes),
            Self::JsonLines(lines) => lines.push(gather, bytes),
            Self::JsonDocument(walker) => walker.push(gather, bytes),
            Self::Log(log) => log.push(gather, bytes),
            Self::Sql(sql) => sql.push(gather, bytes),
            Self::Prose(prose) => prose.push(gather, bytes),
        }
    }

    /// Ends the text.
    pub(crate) fn finish(self, gather: &mut Gather) {
        match self {
            Self::Delimited(table) => table.finish(gather),
            Self::JsonLines(lines) => lines.finish(gather),
            Self::JsonDocument(walker) => walker.finish(gather),
            Self::Log(log) => log.finish(gather),
            Self::Prose(prose) => prose.finish(gather),
            Self::Sql(_) => {}
        }
    }
}

/// The lines of a block, each with whether it is whole; a line's end is `\n` or `\r\n`.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = tail.get(1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}
