//! Where are the objects of a PDF, whatever its cross-references claim?
//!
//! The file is searched for objects from front to back and the table of cross-references is not used at all: tables lie, point
//! in circles and are missing from cut files, while the objects themselves are there or are not.

use std::cell::Cell;
use std::collections::HashMap;

use memchr::memmem;

use super::crypt::Key;
use super::filter;
use super::object::{Dict, Lexer, Object, is_space};
use crate::Gap;
use crate::extract::{Budget, HELD_BYTES_MAX, limit_reached};

/// Objects of one file.
const OBJECTS_MAX: usize = 1 << 20;

/// Bytes that may be parsed for all references together: each is parsed anew whenever it is followed.
const EFFORT: u64 = 512 << 20;

/// What opening a string counts for against [`EFFORT`]: the cipher is made ready for each.
const OPENING_EFFORT: u64 = 256;

/// Bytes that a key is charged as: one of 256 bits is hashed some seventy times, however small its file is.
const KEY_BYTES: u64 = 128 << 10;

/// Where an object was found.
#[derive(Debug, Clone, Copy)]
enum Location {
    /// At this offset in the file, with this generation.
    File(usize, u32),
    /// In the object stream of this index, at this offset.
    Stream(usize, usize),
}

/// The objects of a file.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    /// Decoded object streams.
    streams: &'a [Vec<u8>],
    objects: HashMap<u32, Location>,
    key: Option<Key>,
    effort: Cell<u64>,
}

/// What the search through a file found.
#[derive(Default)]
pub(super) struct Found {
    objects: HashMap<u32, Location>,
    pub(super) streams: Vec<Vec<u8>>,
    /// The key of a file that is locked but asks for no password.
    key: Option<Key>,
    /// Whether it asks for one.
    pub(super) is_closed: bool,
    pub(super) gaps: Vec<Gap>,
}

/// An object as the search comes by it.
struct Passed<'a> {
    number: u32,
    generation: u32,
    at: usize,
    dict: Option<Dict<'a>>,
    /// The packed bytes, where it is a stream.
    raw: Option<&'a [u8]>,
}

/// Goes from object to object, front to back, for as long as `visit` wants.
fn pass<'a>(bytes: &'a [u8], mut visit: impl FnMut(Passed<'a>) -> bool) {
    let mut at = 0;
    while let Some(next) = memmem::find(bytes.get(at..).unwrap_or_default(), b"obj") {
        let word = at + next;
        at = word + 3;
        let Some((number, generation)) = number_before(bytes, word) else { continue };
        let start = at;
        let mut lexer = Lexer::new(bytes, at);
        let object = lexer.object();
        // Binary data must not be taken for objects.
        at = lexer.at.max(at);
        let dict = if let Some(Object::Dict(dict)) = object { Some(dict) } else { None };
        let raw = dict.as_ref().and_then(|dict| stream_after(bytes, &mut lexer, dict));
        if raw.is_some() {
            at = lexer.at;
        }
        if !visit(Passed { number, generation, at: start, dict, raw }) {
            return;
        }
    }
}

/// The encryption dictionary that a trailer or a stream of cross-references names, and the first half of the identifier
/// there (7.5.5, 7.5.8).
fn encryption(bytes: &[u8]) -> Option<(Dict<'_>, Vec<u8>)> {
    let names_it = |dict: &Dict<'_>| dict.get("Encrypt").is_some_and(|encrypt| *encrypt != Object::Null);
    let mut trailer: Option<Dict<'_>> = None;
    let mut starts: HashMap<u32, usize> = HashMap::new();
    pass(bytes, |passed| {
        starts.insert(passed.number, passed.at);
        let named = passed.dict.filter(|dict| dict.name("Type") == Some(b"XRef") && names_it(dict));
        trailer = named.or(trailer.take());
        starts.len() < OBJECTS_MAX
    });
    let mut at = 0;
    while let Some(next) = memmem::find(bytes.get(at..).unwrap_or_default(), b"trailer") {
        let mut lexer = Lexer::new(bytes, at + next + 7);
        if let Some(Object::Dict(dict)) =
            lexer.object().filter(|object| object.as_dict().is_some_and(names_it))
        {
            trailer = Some(dict);
        }
        at = lexer.at;
    }
    let trailer = trailer?;
    let resolved = |object: &Object<'_>| match object {
        Object::Reference(number) => Lexer::new(bytes, *starts.get(number)?).object(),
        _ => None,
    };
    let dict = match trailer.get("Encrypt")? {
        Object::Dict(dict) => dict.clone(),
        reference => match resolved(reference) {
            Some(Object::Dict(dict)) => dict,
            _ => Dict::default(),
        },
    };
    let id = trailer.get("ID").and_then(|id| match id {
        Object::Array(halves) => halves.first().cloned(),
        reference => resolved(reference)?.as_array()?.first().cloned(),
    });
    let id = if let Some(Object::String(id)) = id { id } else { Vec::new() };
    Some((dict, id))
}

impl Found {
    /// Searches `bytes` for objects; of those with the same number the last one counts, as in a file that was updated.
    pub(super) fn search(bytes: &[u8], budget: &mut Budget) -> Self {
        let mut found = Self::default();
        if memmem::find(bytes, b"/Encrypt").is_some()
            && let Some((dict, id)) = encryption(bytes)
        {
            if let Err(gap) = budget.unpack(KEY_BYTES) {
                found.gaps.push(gap);
                return found;
            }
            found.key = Key::of(&dict, &id);
            found.is_closed = found.key.is_none();
        }
        let mut held = 0;
        pass(bytes, |passed| {
            if found.objects.len() >= OBJECTS_MAX {
                found.gaps.push(limit_reached("the PDF has more objects than files have"));
                return false;
            }
            found.objects.insert(passed.number, Location::File(passed.at, passed.generation));
            if let (Some(dict), Some(raw)) = (&passed.dict, passed.raw)
                && dict.name("Type") == Some(b"ObjStm")
                && !found.is_closed
            {
                let opened =
                    found.key.as_ref().map(|key| key.stream((passed.number, passed.generation), raw));
                held = found.object_stream(dict, opened.as_deref().unwrap_or(raw), held, budget);
            }
            true
        });
        found
    }

    /// Notes the objects of an object stream (7.5.7): pairs of number and offset, then the objects.
    fn object_stream(&mut self, dict: &Dict<'_>, raw: &[u8], held: usize, budget: &mut Budget) -> usize {
        let content = match filter::unpack(dict, raw, budget) {
            Ok(content) if held + content.len() <= HELD_BYTES_MAX => content,
            Ok(_) => {
                self.gaps
                    .push(limit_reached("the PDF's object streams are more than what is held in memory"));
                return held;
            }
            Err(gap) => {
                self.gaps.push(gap);
                return held;
            }
        };
        let first = dict.number("First").unwrap_or(0.0) as usize;
        let count = dict.number("N").unwrap_or(0.0) as usize;
        let mut pairs = Lexer::new(content.get(..first).unwrap_or_default(), 0);
        for _ in 0..count.min(OBJECTS_MAX - self.objects.len().min(OBJECTS_MAX)) {
            let (Some(Object::Number(number)), Some(Object::Number(offset))) =
                (pairs.object(), pairs.object())
            else {
                break;
            };
            self.objects.insert(number as u32, Location::Stream(self.streams.len(), first + offset as usize));
        }
        let held = held + content.len();
        self.streams.push(content);
        held
    }
}

impl<'a> File<'a> {
    pub(super) fn new(bytes: &'a [u8], streams: &'a [Vec<u8>], found: Found) -> Self {
        Self { bytes, streams, objects: found.objects, key: found.key, effort: Cell::new(EFFORT) }
    }

    /// Numbers of all objects, in order.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.objects.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// Whether references could no longer be followed because too much was parsed for them.
    pub(super) fn is_exhausted(&self) -> bool {
        self.effort.get() == 0
    }

    pub(super) fn object(&self, number: u32) -> Option<Object<'a>> {
        Some(self.parse(number)?.0)
    }

    /// What `object` refers to, or `object` itself.
    pub(super) fn resolve(&self, object: &Object<'a>) -> Option<Object<'a>> {
        let mut object = object.clone();
        // A reference may lead to a reference; in a circle it leads nowhere.
        for _ in 0..8 {
            match object {
                Object::Reference(number) => object = self.object(number)?,
                object => return Some(object),
            }
        }
        None
    }

    /// What the entry of a dictionary refers to.
    pub(super) fn entry(&self, dict: &Dict<'a>, name: &str) -> Option<Object<'a>> {
        self.resolve(dict.get(name)?)
    }

    pub(super) fn dict(&self, dict: &Dict<'a>, name: &str) -> Option<Dict<'a>> {
        match self.entry(dict, name)? {
            Object::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The dictionary and packed bytes of a stream.
    pub(super) fn stream(&self, number: u32) -> Option<(Dict<'a>, &'a [u8])> {
        let (object, mut lexer) = self.parse(number)?;
        let Object::Dict(dict) = object else { return None };
        let raw = stream_after(self.bytes, &mut lexer, &dict)?;
        Some((self.with_filters(dict), raw))
    }

    /// The content of a stream.
    pub(super) fn content(&self, number: u32, budget: &mut Budget) -> Option<Result<Vec<u8>, Gap>> {
        let (dict, raw) = self.stream(number)?;
        let sealed = match (self.objects.get(&number), &self.key) {
            (Some(Location::File(_, generation)), Some(key)) => Some((key, *generation)),
            _ => None,
        };
        let Some((key, generation)) = sealed else { return Some(filter::unpack(&dict, raw, budget)) };
        // Opened in memory: as much as may be held, and charged as what it becomes.
        let opened = filter::charge(raw.len(), budget).map(|()| key.stream((number, generation), raw));
        Some(opened.and_then(|opened| filter::unpack(&dict, &opened, budget)))
    }

    /// Filters and their parameters may themselves be references.
    fn with_filters(&self, dict: Dict<'a>) -> Dict<'a> {
        let resolved = dict.iter().map(|(key, value)| match (key, value) {
            (b"Filter" | b"DecodeParms", Object::Reference(_)) => {
                (key, self.resolve(value).unwrap_or(Object::Null))
            }
            _ => (key, value.clone()),
        });
        resolved.collect()
    }

    fn parse(&self, number: u32) -> Option<(Object<'a>, Lexer<'a>)> {
        let (bytes, at) = match *self.objects.get(&number)? {
            Location::File(at, _) => (self.bytes, at),
            Location::Stream(stream, at) => (self.streams.get(stream)?.as_slice(), at),
        };
        if self.is_exhausted() {
            return None;
        }
        let mut lexer = Lexer::new(bytes, at);
        let mut object = lexer.object()?;
        self.spend((lexer.at - at.min(lexer.at)) as u64);
        // Those within an object stream were opened with it.
        if let (Some(Location::File(_, generation)), Some(key)) = (self.objects.get(&number), &self.key) {
            object.map_strings(&mut |sealed| {
                self.spend(OPENING_EFFORT);
                key.string((number, *generation), sealed)
            });
        }
        Some((object, lexer))
    }

    fn spend(&self, effort: u64) {
        self.effort.set(self.effort.get().saturating_sub(effort));
    }
}

impl<'a> FromIterator<(&'a [u8], Object<'a>)> for Dict<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a [u8], Object<'a>)>>(entries: T) -> Self {
        Self::of(entries.into_iter().collect())
    }
}

/// The object's number and generation in `12 0 obj`, where `obj` stands at `word`.
fn number_before(bytes: &[u8], word: usize) -> Option<(u32, u32)> {
    // Two numbers of at most ten and five digits, and some space.
    let window = bytes.get(word.saturating_sub(24)..word)?;
    let (generation, rest) = last_number(window)?;
    let (number, _) = last_number(rest)?;
    (generation <= 65_535).then_some((number, generation))
}

/// The number at the end of `bytes`, which space must follow, and what is before it.
fn last_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let trimmed = bytes.len() - bytes.iter().rev().take_while(|&&byte| is_space(byte)).count();
    let digits = bytes.get(..trimmed)?.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(bytes.get(trimmed - digits..trimmed)?).ok()?;
    Some((text.parse().ok()?, bytes.get(..trimmed - digits)?))
}

/// The bytes of the stream whose dictionary `lexer` has just read; the lexer is moved behind them.
fn stream_after<'a>(bytes: &'a [u8], lexer: &mut Lexer<'a>, dict: &Dict<'_>) -> Option<&'a [u8]> {
    lexer.skip_space();
    let after = lexer.rest().strip_prefix(b"stream")?;
    let after = after
        .strip_prefix(b"\r\n")
        .or_else(|| after.strip_prefix(b"\n"))
        .or_else(|| after.strip_prefix(b"\r"));
    let start = bytes.len() - after.unwrap_or(lexer.rest().get(6..)?).len();
    let ends_at = |end: usize| {
        let mut lexer = Lexer::new(bytes, end);
        lexer.skip_space();
        lexer.rest().starts_with(b"endstream")
    };
    // The stated length, if the stream does end there; lengths may be references, or lie.
    let stated = dict.number("Length").map(|length| start.saturating_add(length.max(0.0) as usize));
    let end = match stated.filter(|&end| end <= bytes.len() && ends_at(end)) {
        Some(end) => end,
        None => start + memmem::find(bytes.get(start..)?, b"endstream").unwrap_or(bytes.len() - start),
    };
    lexer.at = end;
    bytes.get(start..end)
}
