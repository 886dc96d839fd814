//! What are the records of a YAML text: the mappings in a sequence, and the mappings under names of one mapping?
//!
//! Read line by line in block style, as people and exporters write it; what else YAML can say (flow style, anchors, blocks of
//! text) is no record here and is seen as running bytes all the same.

use crate::extract::Place;
use crate::gather::Gather;

/// Mappings within mappings that are followed.
const DEPTH_MAX: usize = 16;
/// Fields kept of one record, and bytes of one value.
const FIELDS_MAX: usize = 128;
const VALUE_BYTES_MAX: usize = 512;
/// Lines of the head that are looked at.
const LINES_COMPARED: usize = 64;

/// Whether most lines of a text are keys or items of YAML, and some of them nested.
pub(super) fn is_yaml(head: &[u8]) -> bool {
    let (mut lines, mut keyed, mut nested) = (0, 0, 0);
    for line in super::lines(head).filter(|line| !is_empty(line)).take(LINES_COMPARED) {
        lines += 1;
        let bare = line.trim_ascii();
        let item = bare.strip_prefix(b"- ");
        keyed += usize::from(item.is_some() || bare == b"---" || bare == b"-" || key(bare).is_some());
        nested += usize::from(line.first() == Some(&b' ') || item.is_some());
    }
    lines >= 3 && nested >= 1 && keyed * 10 >= lines * 9
}

/// A mapping that is open.
#[derive(Debug)]
struct Mapping {
    /// The column of its keys.
    indent: usize,
    /// What it stands under, or in which sequence.
    name: String,
    is_item: bool,
    fields: Vec<(String, String)>,
}

/// The reader of one text.
#[derive(Debug)]
pub(super) struct Yaml {
    place: Place,
    open: Vec<Mapping>,
    /// The key without a value that came last, and its column.
    parent: (usize, String),
    /// The column of a block of text, whose lines are none of ours.
    block: Option<usize>,
}

impl Yaml {
    pub(super) fn new(place: &Place) -> Self {
        Self { place: place.clone(), open: Vec::new(), parent: (0, String::new()), block: None }
    }

    /// Takes the next line.
    pub(super) fn line(&mut self, gather: &mut Gather, line: &[u8]) {
        if is_empty(line) {
            return;
        }
        let mut indent = line.len() - line.trim_ascii_start().len();
        if self.block.is_some_and(|block| indent > block) {
            return;
        }
        self.block = None;
        let mut rest = line.trim_ascii();
        if rest == b"---" {
            return self.close(gather, 0);
        }
        let is_item = rest.starts_with(b"- ");
        while let Some(item) = rest.strip_prefix(b"- ") {
            // An item ends the one before it, and all that was open in it.
            self.close(gather, indent + 1);
            let inside = item.trim_ascii_start();
            indent += rest.len() - inside.len();
            rest = inside;
        }
        let Some((name, value)) = key(rest) else { return };
        self.close(gather, indent + 1);
        if self.open.last().is_none_or(|mapping| mapping.indent < indent) {
            if self.open.len() >= DEPTH_MAX {
                return;
            }
            let name = if self.parent.0 <= indent { self.parent.1.clone() } else { String::new() };
            self.open.push(Mapping { indent, name, is_item, fields: Vec::new() });
        }
        let name = String::from_utf8_lossy(name);
        match value {
            b"" => self.parent = (indent, name.into_owned()),
            [b'|' | b'>', ..] => self.block = Some(indent),
            _ => {
                let value = value.get(..VALUE_BYTES_MAX).unwrap_or(value);
                if let Some(mapping) = self.open.last_mut().filter(|one| one.fields.len() < FIELDS_MAX) {
                    mapping
                        .fields
                        .push((name.into_owned(), String::from_utf8_lossy(unquoted(value)).into_owned()));
                }
            }
        }
    }

    pub(super) fn finish(mut self, gather: &mut Gather) {
        self.close(gather, 0);
    }

    /// Ends the mappings whose keys stand at a column or further right.
    fn close(&mut self, gather: &mut Gather, column: usize) {
        while let Some(mapping) = self.open.pop_if(|mapping| mapping.indent >= column) {
            // The next item of a sequence has no name before it.
            self.parent = (0, mapping.name.clone());
            match self.open.last_mut() {
                // Part of a record: `job: {…}` within a person.
                Some(outer) if !mapping.is_item && (outer.is_item || !outer.fields.is_empty()) => {
                    let room = FIELDS_MAX.saturating_sub(outer.fields.len());
                    let inner = mapping.fields.into_iter().take(room);
                    outer
                        .fields
                        .extend(inner.map(|(name, value)| (format!("{}.{name}", mapping.name), value)));
                }
                // `jane: {…}` under `staff` is a record of the staff; an item is one of its sequence.
                Some(outer) if !mapping.is_item => record(gather, &self.place, &outer.name, &mapping.fields),
                _ => record(gather, &self.place, &mapping.name, &mapping.fields),
            }
        }
    }
}

fn record(gather: &mut Gather, place: &Place, name: &str, fields: &[(String, String)]) {
    if fields.len() < 2 {
        return;
    }
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let key = gather.key;
    let place = if name.is_empty() { place.clone() } else { place.part(name) };
    if let Some(table) = gather.table(&place) {
        table.record(&fields, key);
    }
}

fn is_empty(line: &[u8]) -> bool {
    matches!(line.trim_ascii().first(), None | Some(b'#'))
}

/// `key: value` or `key:`, with a key as people write it.
fn key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b':', line)?;
    let (name, rest) = (line.get(..at)?, line.get(at + 1..)?);
    let is_named = !name.is_empty()
        && name.len() <= 64
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b >= 0x80 || b"_-./ \"'".contains(b));
    (is_named && matches!(rest.first(), None | Some(b' '))).then(|| (unquoted(name), rest.trim_ascii()))
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] | [b'\'', inside @ .., b'\''] => inside,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sketch::HashKey;

    fn tables(yaml: &str) -> Vec<(Vec<String>, u64, Vec<String>)> {
        let mut gather = Gather::new(HashKey::new([1; 32]));
        let mut reader = Yaml::new(&Place::default());
        yaml.lines().for_each(|line| reader.line(&mut gather, line.as_bytes()));
        reader.finish(&mut gather);
        let names = |table: &crate::table::Table| table.columns.iter().map(|c| c.name.clone()).collect();
        gather.tables.iter().map(|table| (table.place.0.clone(), table.rows, names(table))).collect()
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn mappings_of_a_sequence_are_records() {
        let found = tables(
            "staff:\n- name: Ada\n  mail: a@b.example\n- name: 'Bo'\n  mail: b@b.example\n  notes: |\n    x: y\n",
        );
        assert_eq!(found, [(words(&["staff"]), 2, words(&["name", "mail"]))]);
    }

    #[test]
    fn mappings_under_names_are_records_of_what_holds_them() {
        let found = tables(
            "staff:\n  ada:\n    mail: a@b.example\n    title: Clerk\n  bo:\n    mail: b@b.example\n    title: Cook\n",
        );
        assert_eq!(found, [(words(&["staff"]), 2, words(&["mail", "title"]))]);
    }

    #[test]
    fn what_is_nested_in_a_record_is_part_of_it() {
        let found = tables(
            "- name: Ada\n  job:\n    title: Clerk\n    pay: 1\n- name: Bo\n  job:\n    title: Cook\n    pay: 2\n",
        );
        assert_eq!(found, [(words(&[]), 2, words(&["name", "job.title", "job.pay"]))]);
    }

    #[test]
    fn yaml_is_told_from_prose() {
        assert!(is_yaml(b"a:\n  - b: c\n    d: e\n"));
        assert!(!is_yaml(b"Dear all,\nnote: this is prose.\nIt goes on.\n"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(yaml in "([ -]{0,6}[a-c\"']{0,3}:? ?[a-c|>']{0,3}\n){0,40}") {
            tables(&yaml);
        }
    }
}
