//! What stands in text that is neither table nor log: Markdown's tables, YAML's records, assignments of configuration?

use super::yaml::Yaml;
use crate::extract::Place;
use crate::gather::Gather;

/// Lines that are longer hold no assignment made by hand.
const LINE_BYTES_MAX: usize = 1024;

/// The parser of one text.
#[derive(Debug)]
pub(crate) struct Prose {
    place: Place,
    /// The table being read, and its number.
    table: Option<Place>,
    tables: u64,
    lines: u64,
    /// The records of a text that is YAML.
    yaml: Option<Yaml>,
    /// Whether further text could change what kind of document it is.
    reads_on: bool,
}

impl Prose {
    pub(super) fn new(place: &Place, head: &[u8]) -> Self {
        let yaml = super::yaml::is_yaml(head).then(|| Yaml::new(place));
        Self { place: place.clone(), table: None, tables: 0, lines: 0, yaml, reads_on: true }
    }

    pub(super) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        if self.reads_on {
            self.reads_on = gather.planning.push(&String::from_utf8_lossy(bytes));
        }
        for line in super::lines(bytes) {
            self.lines += 1;
            if line.len() > LINE_BYTES_MAX {
                continue;
            }
            if let Some(yaml) = &mut self.yaml {
                yaml.line(gather, line);
            }
            if line.trim_ascii_start().first() == Some(&b'|') {
                self.table_row(gather, line);
                continue;
            }
            self.table = None;
            if let Some(at) = memchr::memchr2(b'=', b':', line) {
                self.assignment(gather, line, at);
            }
        }
    }

    pub(super) fn finish(self, gather: &mut Gather) {
        if let Some(yaml) = self.yaml {
            yaml.finish(gather);
        }
    }

    /// A row of a Markdown table; the line below its header is dashes.
    fn table_row(&mut self, gather: &mut Gather, line: &[u8]) {
        if line.iter().all(|b| matches!(b, b'|' | b'-' | b':' | b' ')) {
            return;
        }
        let line = String::from_utf8_lossy(line);
        let row = line.trim().trim_matches('|');
        let cells: Vec<&str> =
            row.split('|').map(|cell| cell.trim().trim_matches(['*', '`', '<', '>'])).collect();
        if self.table.is_none() {
            self.tables += 1;
            self.table = Some(self.place.part(format!("table {}", self.tables)));
        }
        let key = gather.key;
        if let Some(table) = self.table.as_ref().and_then(|place| gather.table(place)) {
            table.row(&cells, key);
        }
    }

    fn assignment(&self, gather: &mut Gather, line: &[u8], at: usize) {
        let (Some(name), Some(value)) = (line.get(..at), line.get(at + 1..)) else { return };
        if !crate::credential::could_name_a_secret(name) {
            return;
        }
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        gather.secrets.assignment(
            &name,
            &value,
            &self.place.part(format!("line {}", self.lines)),
            gather.key,
        );
    }
}
