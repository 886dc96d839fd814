//! Which rows does an SQLite database hold (<https://www.sqlite.org/fileformat2.html>)?
//!
//! A reader of the pages, not the library: SQL that a stranger's schema names is never run, and no page is visited twice.

mod record;
mod schema;

use std::collections::HashSet;

use super::{Work, limit_reached, malformed, truncated};
use crate::Gap;
use record::{Value, varint};
use schema::Table;

/// Bytes of one row that are held.
const ROW_BYTES_MAX: usize = 4 << 20;

/// Tables of one database.
const TABLES_MAX: usize = 10_000;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) {
    let Some(database) = Database::open(bytes) else {
        return work.sink.gap(malformed("the database has an impossible header"));
    };
    let mut tables = Vec::new();
    let mut seen = HashSet::new();
    let schema = database.walk(1, &mut seen, &mut |_, values| {
        if tables.len() < TABLES_MAX {
            tables.extend(Table::read(values, database.encoding));
        }
        Ok(())
    });
    work.settle(schema);
    for table in tables {
        let place = work.place.part(format!("table {}", table.name));
        rows(&database, &table, &mut seen, &mut work.at(&place));
    }
}

fn rows(database: &Database<'_>, table: &Table, seen: &mut HashSet<u32>, work: &mut Work<'_>) {
    let (place, mut number) = (work.place, 0);
    let (sink, budget) = (&mut *work.sink, &mut *work.budget);
    let names: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let walked = database.walk(table.root, seen, &mut |rowid, values| {
        let cells: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(at, value)| match value {
                // The key of a row stands in its cell's header, and here only nothing.
                Value::Null if table.key == Some(at) => rowid.to_string(),
                value => value.text(database.encoding),
            })
            .collect();
        budget.unpack(cells.iter().map(|cell| cell.len() as u64 + 1).sum())?;
        if number == 0 && !names.is_empty() {
            sink.row(place, 0, &names);
        }
        number += 1;
        sink.row(place, number, &cells.iter().map(String::as_str).collect::<Vec<_>>());
        Ok(())
    });
    work.settle(walked);
}

/// Takes a row: its id and its values.
type Rows<'a> = dyn FnMut(i64, &[Value<'_>]) -> Result<(), Gap> + 'a;

/// The pages of a database.
struct Database<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    /// Bytes of a page that its content may use.
    usable: usize,
    encoding: record::Encoding,
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let page_bytes = match u16_at(bytes, 16)? {
            1 => 65_536,
            size => usize::from(size),
        };
        let usable = page_bytes.checked_sub(usize::from(*bytes.get(20)?))?;
        if !page_bytes.is_power_of_two() || page_bytes < 512 || usable < 480 {
            return None;
        }
        let encoding = match bytes.get(59)? {
            2 => record::Encoding::Utf16Le,
            3 => record::Encoding::Utf16Be,
            _ => record::Encoding::Utf8,
        };
        Some(Self { bytes, page_bytes, usable, encoding })
    }

    /// A page by its number, from 1.
    fn page(&self, number: u32) -> Result<&'a [u8], Gap> {
        let start = (number as usize).checked_sub(1).and_then(|index| index.checked_mul(self.page_bytes));
        let page = start.and_then(|start| self.bytes.get(start..start.checked_add(self.page_bytes)?));
        page.ok_or_else(|| truncated("the database refers to pages that are not in it"))
    }

    /// Gives every row of the tree whose root is the page of this number.
    fn walk(&self, root: u32, seen: &mut HashSet<u32>, rows: &mut Rows<'_>) -> Result<(), Gap> {
        let mut open = vec![root];
        let mut result = Ok(());
        while let Some(number) = open.pop() {
            if !seen.insert(number) {
                result = Err(malformed("pages of the database belong to more than one table"));
                continue;
            }
            let page = match self.page(number) {
                Ok(page) => page,
                Err(gap) => {
                    result = Err(gap);
                    continue;
                }
            };
            // The first page begins with the header of the file.
            let header = if number == 1 { 100 } else { 0 };
            match page.get(header) {
                Some(kind @ (2 | 5)) => {
                    let first = open.len();
                    for cell in cells(page, header, 12) {
                        open.extend(u32_at(page, cell));
                        if *kind == 2 {
                            // In an index, the inner pages hold rows too.
                            self.row(page, cell + 4, false, rows)?;
                        }
                    }
                    open.extend(u32_at(page, header + 8));
                    // The first child is to be taken first.
                    if let Some(children) = open.get_mut(first..) {
                        children.reverse();
                    }
                }
                Some(kind @ (10 | 13)) => {
                    for cell in cells(page, header, 8) {
                        self.row(page, cell, *kind == 13, rows)?;
                    }
                }
                _ => result = Err(malformed("a page of the database is of no known kind")),
            }
        }
        result
    }

    /// One row: the size of its content, for tables its id, then the content, which may go on in other pages.
    fn row(&self, page: &[u8], at: usize, has_id: bool, rows: &mut Rows<'_>) -> Result<(), Gap> {
        let broken = || malformed("a row of the database breaks the rules of its format");
        let mut cell = page.get(at..).ok_or_else(broken)?;
        let size = usize::try_from(varint(&mut cell).ok_or_else(broken)?).map_err(|_| broken())?;
        let id = if has_id { varint(&mut cell).ok_or_else(broken)? } else { 0 };
        if size > ROW_BYTES_MAX {
            return Err(limit_reached("a row of the database is more than what is held in memory"));
        }
        let local = self.local_bytes(size, has_id);
        let start = cell.get(..local).ok_or_else(broken)?;
        let mut content = std::borrow::Cow::Borrowed(start);
        if local < size {
            let mut next = u32_at(cell, local).ok_or_else(broken)?;
            let owned = content.to_mut();
            // Each page that content goes on in has at least some of it, so this ends.
            while owned.len() < size && next != 0 {
                let page = self.page(next)?;
                next = u32_at(page, 0).unwrap_or(0);
                let more = page.get(4..self.usable).unwrap_or_default();
                owned.extend_from_slice(more.get(..size - owned.len()).unwrap_or(more));
            }
        }
        let values = record::values(&content).ok_or_else(broken)?;
        rows(id, &values)
    }

    /// How much of a row's content is in its own page ("B-tree Pages", the rule with P, U, X, M and K).
    fn local_bytes(&self, size: usize, is_table: bool) -> usize {
        let usable = self.usable;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if size <= most {
            return size;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let local = least + (size - least) % (usable - 4);
        if local <= most { local } else { least }
    }
}

/// Offsets of the cells of a page.
fn cells(page: &[u8], header: usize, header_bytes: usize) -> impl Iterator<Item = usize> {
    let count = usize::from(u16_at(page, header + 3).unwrap_or(0));
    let pointers = page.get(header + header_bytes..).unwrap_or_default();
    (0..count).map_while(move |at| u16_at(pointers, at * 2).map(usize::from))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
