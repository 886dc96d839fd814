//! Are databases read, whole and broken?

use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::seen;

const PAGE: usize = 512;

fn varint(value: usize) -> Vec<u8> {
    if value < 128 { vec![value as u8] } else { vec![0x80 | (value >> 7) as u8, (value & 0x7F) as u8] }
}

fn record(values: &[&str]) -> Vec<u8> {
    let kinds: Vec<u8> = values
        .iter()
        .flat_map(|text| if text.is_empty() { vec![0] } else { varint(text.len() * 2 + 13) })
        .collect();
    let mut bytes = vec![kinds.len() as u8 + 1];
    bytes.extend(kinds);
    values.iter().for_each(|text| bytes.extend(text.as_bytes()));
    bytes
}

fn cell(id: u8, content: &[u8]) -> Vec<u8> {
    [varint(content.len()), vec![id], content.to_vec()].concat()
}

/// A page of a tree, its cells at the end.
fn page(kind: u8, first: bool, cells: &[Vec<u8>], right: u32) -> Vec<u8> {
    let header = if first { 100 } else { 0 };
    let mut bytes = vec![0; PAGE];
    bytes[header] = kind;
    bytes[header + 3..header + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
    bytes[header + 8..header + 12].copy_from_slice(&right.to_be_bytes());
    let mut pointers = header + if kind == 5 { 12 } else { 8 };
    let mut end = PAGE;
    for cell in cells {
        end -= cell.len();
        bytes[end..end + cell.len()].copy_from_slice(cell);
        bytes[pointers..pointers + 2].copy_from_slice(&(end as u16).to_be_bytes());
        pointers += 2;
    }
    bytes
}

fn database() -> Vec<u8> {
    let mut schema =
        record(&["table", "staff", "staff", "?", "CREATE TABLE staff (id INTEGER PRIMARY KEY, name, note)"]);
    // The root page, 2, as a number of one byte.
    schema[4] = 1;
    let at = schema.iter().position(|&byte| byte == b'?').unwrap();
    schema[at] = 2;
    let long = "x".repeat(900);
    let content = record(&["", "Cy", &long]);
    // By the rule of the format: 39 + (content - 39) % 508 bytes here, the rest in other pages.
    let local = 39 + (content.len() - 39) % 508;
    assert!(local <= PAGE - 35);
    let mut spilled = [varint(content.len()), vec![3], content[..local].to_vec()].concat();
    spilled.extend(5_u32.to_be_bytes());
    let mut rest = content[local..].chunks(508);
    let mut spill = |next: u32| {
        let mut page = [&next.to_be_bytes()[..], rest.next().unwrap()].concat();
        page.resize(PAGE, 0);
        page
    };
    let mut first = page(13, true, &[cell(1, &schema)], 0);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&(PAGE as u16).to_be_bytes());
    first[59] = 1;
    [
        first,
        page(5, false, &[[&3_u32.to_be_bytes()[..], &[2]].concat()], 4),
        page(13, false, &[cell(1, &record(&["", "Ada", "a"])), cell(2, &record(&["", "Bo", "b"]))], 0),
        page(13, false, &[spilled], 0),
        spill(0),
    ]
    .concat()
}

#[test]
fn rows_are_read_under_their_names() {
    let (kind, seen) = seen(&database());
    assert_eq!(kind, ContentType::Sqlite);
    assert_eq!(
        &seen.rows[..3],
        ["table staff#0: id|name|note", "table staff#1: 1|Ada|a", "table staff#2: 2|Bo|b"]
    );
    assert_eq!(seen.rows[3], format!("table staff#3: 3|Cy|{}", "x".repeat(900)));
    assert_eq!(seen.gaps, []);
}

#[test]
fn a_cut_database_is_a_gap() {
    let (_, seen) = seen(&database()[..4 * PAGE]);
    assert_eq!(seen.rows.len(), 3);
    assert_eq!(seen.reasons(), [GapReason::Truncated]);
}

#[test]
fn pages_in_a_circle_end() {
    let mut bytes = database();
    bytes[PAGE + 8..PAGE + 12].copy_from_slice(&2_u32.to_be_bytes());
    assert_eq!(seen(&bytes).1.reasons(), [GapReason::Malformed]);
}

proptest! {
    #[test]
    fn broken_databases_never_panic(at in 0_usize..5 * PAGE, value: u8, cut in 0_usize..5 * PAGE) {
        let mut bytes = database();
        bytes[at] = value;
        seen(&bytes);
        seen(&bytes[..cut]);
    }
}
