//! What are the records of JSON, line by line or in one value of any size?

use crate::extract::Place;
use crate::gather::Gather;
use crate::table::{Key, Table};

/// Fields kept of one record.
const FIELDS_MAX: usize = 256;
/// Bytes kept of one value, and of the path to it.
const VALUE_BYTES_MAX: usize = 512;
const PATH_BYTES_MAX: usize = 128;
/// Levels followed; what lies deeper is scanned as running bytes only.
const DEPTH_MAX: usize = 64;
/// Lines that are longer are not typed.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Whether the text holds one object a line.
pub(super) fn is_lines(start: &[u8]) -> bool {
    let mut lines = super::lines(start).filter(|line| !line.trim_ascii().is_empty());
    let (Some(first), second) = (lines.next(), lines.next()) else { return false };
    let is_object = |line: &[u8]| line.trim_ascii().first() == Some(&b'{');
    let first = first.trim_ascii();
    first.len() > 2 && is_object(first) && first.last() == Some(&b'}') && second.is_some_and(is_object)
}

/// Whether a text that begins with a bracket goes on as JSON does.
pub(super) fn looks_like_json(start: &[u8]) -> bool {
    match start.get(1..).unwrap_or_default().trim_ascii_start().first() {
        Some(b'"' | b'{' | b'[' | b']' | b'}') => true,
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => start.first() == Some(&b'['),
        Some(_) => false,
        None => true,
    }
}

/// One object a line: the first lines are read in full, of the others only the keys that count.
#[derive(Debug)]
pub(crate) struct JsonLines {
    table: Table,
    walker: Walker,
    /// `"name":` for each key column, and the column.
    needles: Option<Vec<(usize, memchr::memmem::Finder<'static>)>>,
}

impl JsonLines {
    pub(super) fn new(place: &Place) -> Self {
        Self { table: Table::new(place.clone()), walker: Walker::new(place), needles: None }
    }

    pub(super) fn is_directory(&self) -> bool {
        self.table.is_directory()
    }

    pub(super) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        for line in super::lines(bytes) {
            if line.is_empty() {
                continue;
            }
            if self.table.takes_next(gather.key) && line.len() <= LINE_BYTES_MAX {
                self.typed(gather, line);
            } else {
                self.counted(gather, line);
            }
        }
    }

    pub(super) fn finish(self, gather: &mut Gather) {
        gather.keep(self.table);
    }

    fn typed(&mut self, gather: &mut Gather, line: &[u8]) {
        self.walker.restart();
        let mut records: Vec<(String, Vec<(String, String)>)> = Vec::new();
        self.walker.walk(line, &mut |path, fields| records.push((path.to_owned(), fields.to_vec())));
        for (path, fields) in records {
            if path.is_empty() {
                let fields = borrowed(&fields);
                gather.record(&self.table.place, &fields);
                self.table.record(&fields, gather.key);
            } else {
                emit(gather, &self.table.place.part(path), &fields);
            }
        }
    }

    fn counted(&mut self, gather: &Gather, line: &[u8]) {
        let Self { table, needles, .. } = self;
        let needles = needles.get_or_insert_with(|| {
            let columns = table.keys().flat_map(|key| match key {
                Key::Column(at) => [Some(at), None],
                Key::Pair(first, last) => [Some(first), Some(last)],
            });
            let named = columns
                .flatten()
                .filter_map(|at| Some((at, table.columns.get(at)?.name.rsplit('.').next()?.to_owned())));
            named
                .map(|(at, name)| (at, memchr::memmem::Finder::new(&format!("\"{name}\":")).into_owned()))
                .collect()
        });
        let cell = |at: usize| {
            let (_, needle) = needles.iter().find(|(column, _)| *column == at)?;
            let value = line.get(needle.find(line)? + needle.needle().len()..)?.trim_ascii_start();
            match value.strip_prefix(b"\"") {
                Some(text) => text.get(..memchr::memchr(b'"', text)?),
                None => value.get(..value.iter().position(|b| matches!(b, b',' | b'}' | b']' | b' '))?),
            }
        };
        table.count(cell, gather.key);
        if table.rows == crate::table::TYPED_ROWS {
            self.needles = None;
        }
    }
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn emit(gather: &mut Gather, place: &Place, fields: &[(String, String)]) {
    let fields = borrowed(fields);
    gather.record(place, &fields);
    let key = gather.key;
    if let Some(table) = gather.table(place) {
        table.record(&fields, key);
    }
}

/// What a walker expects next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    String,
    Escape,
    Literal,
}

/// One open bracket.
#[derive(Debug, Clone, Copy)]
struct Frame {
    is_object: bool,
    /// How long the path was outside.
    path: usize,
    /// Where the fields of this record begin, if this object is a record of its own.
    record: Option<usize>,
}

/// Reads JSON piece by piece and tells its records: each outermost object, and each object in an array.
#[derive(Debug)]
pub(crate) struct Walker {
    place: Place,
    state: State,
    frames: Vec<Frame>,
    /// Levels beyond [`DEPTH_MAX`].
    beyond: u64,
    path: String,
    /// Whether the string being read is a key, and the bytes of it or of a value.
    key: bool,
    token: Vec<u8>,
    fields: Vec<(String, String)>,
}

type Record<'a> = &'a mut dyn FnMut(&str, &[(String, String)]);

impl Walker {
    pub(super) fn new(place: &Place) -> Self {
        Self {
            place: place.clone(),
            state: State::Between,
            frames: Vec::new(),
            beyond: 0,
            path: String::new(),
            key: false,
            token: Vec::new(),
            fields: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        let place = self.place.clone();
        self.walk(bytes, &mut |path, fields| {
            if path.is_empty() {
                emit(gather, &place, fields);
            } else {
                emit(gather, &place.part(path), fields);
            }
        });
    }

    pub(super) fn finish(mut self, gather: &mut Gather) {
        // What was open when the bytes ended is still worth judging.
        if !self.fields.is_empty() {
            emit(gather, &self.place, &std::mem::take(&mut self.fields));
        }
    }

    fn restart(&mut self) {
        self.state = State::Between;
        self.frames.clear();
        self.beyond = 0;
        self.path.clear();
        self.token.clear();
        self.fields.clear();
        self.key = false;
    }

    fn walk(&mut self, bytes: &[u8], record: Record<'_>) {
        let mut rest = bytes;
        while let Some((byte, tail)) = rest.split_first() {
            match self.state {
                State::String => {
                    let end = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                    self.keep(rest.get(..end).unwrap_or_default());
                    rest = rest.get(end..).unwrap_or_default();
                    match rest.split_first() {
                        Some((b'"', tail)) => {
                            self.state = State::Between;
                            self.string_ends();
                            rest = tail;
                        }
                        Some((_, tail)) => {
                            self.state = State::Escape;
                            rest = tail;
                        }
                        None => {}
                    }
                    continue;
                }
                State::Escape => {
                    self.keep(match byte {
                        b'n' | b'r' | b't' => b" ",
                        b'u' => b"\\u",
                        _ => std::slice::from_ref(byte),
                    });
                    self.state = State::String;
                }
                State::Literal
                    if !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b':') =>
                {
                    self.keep(std::slice::from_ref(byte));
                }
                State::Literal | State::Between => {
                    if self.state == State::Literal {
                        self.state = State::Between;
                        self.value_ends();
                    }
                    self.structural(*byte, record);
                }
            }
            rest = tail;
        }
    }

    fn structural(&mut self, byte: u8, record: Record<'_>) {
        match byte {
            b'{' | b'[' => self.opens(byte == b'{'),
            b'}' | b']' => self.closes(record),
            b'"' => {
                self.state = State::String;
                self.token.clear();
            }
            b',' => {
                if let Some(frame) = self.frames.last().filter(|_| self.beyond == 0) {
                    self.path.truncate(frame.path);
                    self.key = frame.is_object;
                }
            }
            b':' | b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                self.state = State::Literal;
                self.token.clear();
                self.token.push(byte);
            }
        }
    }

    fn opens(&mut self, is_object: bool) {
        if self.frames.len() >= DEPTH_MAX {
            self.beyond += 1;
            return;
        }
        let in_array = self.frames.last().is_none_or(|frame| !frame.is_object);
        let record = (is_object && in_array).then_some(self.fields.len());
        self.frames.push(Frame { is_object, path: self.path.len(), record });
        self.key = is_object;
    }

    fn closes(&mut self, record: Record<'_>) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        self.path.truncate(frame.path);
        self.key = false;
        if let Some(start) = frame.record {
            if let Some(fields) = self.fields.get(start..).filter(|fields| !fields.is_empty()) {
                record(&self.path, fields);
            }
            self.fields.truncate(start);
        }
    }

    fn string_ends(&mut self) {
        if !self.key {
            return self.value_ends();
        }
        self.key = false;
        let name = String::from_utf8_lossy(&self.token);
        let outside = self.frames.last().map_or(0, |frame| frame.path);
        self.path.truncate(outside);
        if self.path.len() + name.len() < PATH_BYTES_MAX {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(&name);
        }
    }

    fn value_ends(&mut self) {
        // The path of a record's field begins where the record's own ends.
        let (start, outside) = self
            .frames
            .iter()
            .rev()
            .find_map(|frame| frame.record.map(|start| (start, frame.path)))
            .unwrap_or((0, 0));
        if self.beyond == 0
            && self.fields.len() - start.min(self.fields.len()) < FIELDS_MAX
            && !self.token.is_empty()
        {
            let name = self.path.get(outside..).unwrap_or_default().trim_start_matches('.');
            self.fields.push((name.to_owned(), String::from_utf8_lossy(&self.token).into_owned()));
        }
        self.token.clear();
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = VALUE_BYTES_MAX.saturating_sub(self.token.len()).min(bytes.len());
        self.token.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(json: &str, piece: usize) -> Vec<(String, Vec<(String, String)>)> {
        let mut walker = Walker::new(&Place::default());
        let mut all = Vec::new();
        for piece in json.as_bytes().chunks(piece) {
            walker.walk(piece, &mut |path, fields| all.push((path.to_owned(), fields.to_vec())));
        }
        all
    }

    #[test]
    fn objects_in_arrays_are_records() {
        let json = r#"{"org": "acme", "people": [{"name": {"first": "Jane"}, "age": 4}, {"name": {"first": "J\"o"}, "tags": ["a", "b"]}], "n": 2}"#;
        let found = records(json, 1024);
        let fields = |list: &[(&str, &str)]| {
            list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            found,
            [
                ("people".to_owned(), fields(&[("name.first", "Jane"), ("age", "4")])),
                ("people".to_owned(), fields(&[("name.first", "J\"o"), ("tags", "a"), ("tags", "b")])),
                (String::new(), fields(&[("org", "acme"), ("n", "2")])),
            ]
        );
    }

    #[test]
    fn layouts_are_told_apart() {
        assert!(is_lines(b"{\"a\":1}\n{\"a\":2}\n") && !is_lines(b"{\n\"a\":1}\n"));
        assert!(looks_like_json(b"[1, 2]") && looks_like_json(b"{ \"a\""));
        assert!(!looks_like_json(b"[link](there)"));
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_records(
            json in r#"(\[|\{|\}|\]|,|:|"[a-z\\]{0,4}"|[0-9]{1,3}|true| ){0,60}"#, piece in 1_usize..9,
        ) {
            prop_assert_eq!(records(&json, piece), records(&json, 10_000));
        }
    }
}
