//! Which parts of a large bucket can be listed at one time, when nothing is known of its keys?
//!
//! A listing begins as one span of all keys. Where there are requests to spare, a span is split at a key that need not exist: in
//! the tree of the keys seen last, at a character so near the root that whole pages lie below it, in the middle of the characters
//! that may still follow there. A part that turns out empty costs one request. Nothing is measured or assumed of how keys
//! are distributed: between two characters there may be anything, and the parts always make up the whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::estate::Object;

/// Pages that a bucket must have before it is split at all: most buckets have fewer.
const PAGES_UNSPLIT: usize = 3;
/// How many times its last page's part of an alphabet must be left of it for a span to be split there.
const PAGES_LEFT_MIN: u32 = 2;
/// Bytes of keys whose alphabets are remembered; S3 allows no longer ones.
const KEY_BYTES: usize = 1024;

/// One request of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Names the span.
    pub(super) span: u64,
    /// The bound that the span begins at.
    pub(super) begin: Option<String>,
    /// How to go on, in the provider's words; without it the span is asked about for the first time.
    pub(super) token: Option<String>,
}

/// To which of two spans the key at the bound between them belongs, if there is one: as the provider's way to begin has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtBound {
    /// A listing begins after the key that it is told (`start-after` of S3).
    BelongsBefore,
    /// A listing begins with the key that it is told (`lexicographicStart` of Google Cloud).
    BelongsAfter,
}

/// Part of a listing.
#[derive(Debug, Default)]
struct Span {
    begin: Option<String>,
    end: Option<String>,
    token: Option<String>,
    /// The first and the last key of its last page.
    page: Option<(String, String)>,
    asked: bool,
}

/// A server lists keys in another order than that of their bytes, and the listing was split because it did not seem to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotInOrder;

/// Divides a listing.
#[derive(Debug)]
pub(super) struct Spans {
    /// Spans at one time.
    most: usize,
    at_bound: AtBound,
    /// Bytes that all keys begin with.
    prefix_bytes: usize,
    spans: BTreeMap<u64, Span>,
    named: u64,
    /// Pages that held a key.
    pages: usize,
    /// Whether every page so far was in the order of its keys: only then can it be split.
    in_order: bool,
    /// The ASCII characters seen at each byte of a key.
    alphabets: Vec<u128>,
}

impl Spans {
    pub(super) fn new(most: usize, prefix: &str, at_bound: AtBound) -> Self {
        Self {
            most,
            at_bound,
            prefix_bytes: prefix.len(),
            spans: BTreeMap::from([(0, Span::default())]),
            named: 1,
            pages: 0,
            in_order: true,
            alphabets: vec![0; KEY_BYTES],
        }
    }

    /// What to ask next, if anything: what a span has left, else what a new one holds.
    pub(super) fn next(&mut self) -> Option<Ask> {
        let waiting = self.spans.iter().find(|(_, span)| !span.asked).map(|(name, _)| *name);
        let name = waiting.or_else(|| self.split())?;
        let span = self.spans.get_mut(&name)?;
        span.asked = true;
        Some(Ask { span: name, begin: span.begin.clone(), token: span.token.clone() })
    }

    /// Takes a page and the token of the next one: what of it belongs to its span.
    pub(super) fn answered(
        &mut self,
        name: u64,
        mut objects: Vec<Object>,
        next: Option<String>,
    ) -> Result<Vec<Object>, NotInOrder> {
        let Some(span) = self.spans.get_mut(&name) else { return Ok(objects) };
        let begin = span.page.as_ref().map(|(_, last)| last).or(span.begin.as_ref());
        let follows = objects.first().is_none_or(|first| begin.is_none_or(|begin| first.key >= *begin));
        if !follows || !objects.is_sorted_by(|one, other| one.key <= other.key) {
            if self.named > 1 {
                self.spans.remove(&name);
                return Err(NotInOrder);
            }
            self.in_order = false;
        }
        let listed = objects.len();
        if let Some(end) = span.end.as_ref() {
            objects.truncate(match self.at_bound {
                AtBound::BelongsBefore => objects.partition_point(|object| object.key <= *end),
                AtBound::BelongsAfter => objects.partition_point(|object| object.key < *end),
            });
        }
        span.asked = false;
        span.token = next;
        if let (Some(first), Some(last)) = (objects.first(), objects.last()) {
            self.pages += 1;
            span.page = Some((first.key.clone(), last.key.clone()));
            for object in [Some(first), objects.get(objects.len() / 2), Some(last)].into_iter().flatten() {
                for (alphabet, byte) in self.alphabets.iter_mut().zip(object.key.bytes()) {
                    *alphabet |= bit(char::from(byte));
                }
            }
        }
        if objects.len() < listed || self.spans.get(&name).is_some_and(|span| span.token.is_none()) {
            self.spans.remove(&name);
        }
        Ok(objects)
    }

    /// Gives up a span that could not be listed.
    pub(super) fn failed(&mut self, name: u64) {
        self.spans.remove(&name);
    }

    /// Splits the span that seems to have most left; the new part's name.
    fn split(&mut self) -> Option<u64> {
        // Twice as many in each round, so that a small bucket costs few requests more.
        let most = self.most.min(self.pages.saturating_sub(PAGES_UNSPLIT).max(1));
        if !self.in_order || self.spans.len() >= most {
            return None;
        }
        let places = self.spans.iter().filter_map(|(name, span)| Some((self.place(span)?, *name)));
        let (place, name) = places.min_by_key(|(place, _)| (place.depth, Reverse(place.left)))?;
        let span = self.spans.get_mut(&name)?;
        let end = span.end.replace(place.key.clone());
        let new = self.named;
        self.named += 1;
        self.spans.insert(new, Span { begin: Some(place.key), end, ..Span::default() });
        Some(new)
    }

    /// Where a span can be split, as near to the root as it can: behind what its last page lies in, before its end.
    fn place(&self, span: &Span) -> Option<Place> {
        let (first, last) = span.page.as_ref()?;
        let end = span.end.as_deref();
        // Nearer to the root nothing is left of the span; farther from it a page is more than what lies below a character.
        let nearest = end.map_or(0, |end| shared_bytes(last, end)).max(self.prefix_bytes);
        let farthest = shared_bytes(first, last);
        last.char_indices().filter(|(depth, _)| (nearest..=farthest).contains(depth)).find_map(
            |(depth, char)| {
                let mut alphabet = self.alphabet(depth, char);
                let taken = if depth == farthest {
                    alphabet & !above(char) & !below(char_at(first, depth)?)
                } else {
                    // What was not seen yet may follow; if nothing does, that is learnt.
                    alphabet |= bit(char) << 1;
                    0
                };
                let bound = end.filter(|_| depth == nearest).and_then(|end| char_at(end, depth));
                let left = alphabet & above(char) & bound.map_or(u128::MAX, below);
                if left.count_ones() < PAGES_LEFT_MIN * taken.count_ones() {
                    return None;
                }
                let key = format!("{}{}", last.get(..depth)?, middle(left)?);
                let inside = key > *last && end.is_none_or(|end| *key < *end);
                inside.then_some(Place { depth, left: left.count_ones(), key })
            },
        )
    }

    /// The characters that may stand at a depth where one was seen.
    fn alphabet(&self, depth: usize, char: char) -> u128 {
        let seen = self.alphabets.get(depth).copied().unwrap_or(0) | bit(char);
        if char.is_ascii_digit() { seen | DIGITS } else { seen }
    }
}

/// Where a span can be split.
struct Place {
    depth: usize,
    /// How many characters may follow there.
    left: u32,
    key: String,
}

const DIGITS: u128 = 0x3ff << b'0';

/// A set of one character; others than ASCII are in none, and keys are not split at them.
fn bit(char: char) -> u128 {
    if char.is_ascii() { 1 << u32::from(char) } else { 0 }
}

/// The set of all characters before one.
fn below(char: char) -> u128 {
    if char.is_ascii() { bit(char) - 1 } else { u128::MAX }
}

/// The set of all characters after one.
fn above(char: char) -> u128 {
    !(below(char) | bit(char))
}

/// The character in the middle of a set.
fn middle(mut set: u128) -> Option<char> {
    for _ in 1..set.count_ones().div_ceil(2) {
        set &= set - 1;
    }
    char::from_u32(set.trailing_zeros()).filter(char::is_ascii)
}

fn char_at(key: &str, depth: usize) -> Option<char> {
    key.get(depth..)?.chars().next()
}

fn shared_bytes(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests;
