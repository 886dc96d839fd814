//! Are Parquet files read, whole and broken?

use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::seen;

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Values of Thrift's compact protocol.
enum T {
    I(i64),
    S(&'static str),
    L(Vec<T>),
    St(Vec<(i16, T)>),
}

fn kind(value: &T) -> u8 {
    match value {
        T::I(_) => 6,
        T::S(_) => 8,
        T::L(_) => 9,
        T::St(_) => 12,
    }
}

fn encoded(value: &T) -> Vec<u8> {
    match value {
        T::I(number) => varint(((number << 1) ^ (number >> 63)) as u64),
        T::S(text) => [varint(text.len() as u64), text.as_bytes().to_vec()].concat(),
        T::L(items) => {
            let first = items.first().map_or(12, kind);
            let head = if items.len() < 15 {
                vec![(items.len() as u8) << 4 | first]
            } else {
                [vec![0xF0 | first], varint(items.len() as u64)].concat()
            };
            [head, items.iter().flat_map(encoded).collect()].concat()
        }
        T::St(fields) => {
            let mut last = 0;
            let mut bytes = Vec::new();
            for (id, value) in fields {
                bytes.push(((id - last) as u8) << 4 | kind(value));
                bytes.extend(encoded(value));
                last = *id;
            }
            bytes.push(0);
            bytes
        }
    }
}

fn page(count: i64, encoding: i64, content: &[u8]) -> Vec<u8> {
    let header = T::St(vec![
        (1, T::I(0)),
        (2, T::I(content.len() as i64)),
        (3, T::I(content.len() as i64)),
        (5, T::St(vec![(1, T::I(count)), (2, T::I(encoding)), (3, T::I(3)), (4, T::I(3))])),
    ]);
    [encoded(&header), content.to_vec()].concat()
}

fn dictionary(count: i64, content: &[u8]) -> Vec<u8> {
    let header = T::St(vec![
        (1, T::I(2)),
        (2, T::I(content.len() as i64)),
        (3, T::I(content.len() as i64)),
        (7, T::St(vec![(1, T::I(count)), (2, T::I(0))])),
    ]);
    [encoded(&header), content.to_vec()].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u32).to_le_bytes()[..], value.as_bytes()].concat()
}

/// Three rows of a name, a date that may be missing, and a list of numbers.
fn sample(rows: i64) -> Vec<u8> {
    let mut bytes = b"PAR1".to_vec();
    let mut chunks = Vec::new();
    let columns: [(i64, i64, Vec<Vec<u8>>); 3] = [
        (6, 3, vec![dictionary(2, &[text("Ada"), text("Bo")].concat()), page(3, 8, &[1, 0x03, 0b010])]),
        (
            1,
            3,
            vec![page(
                3,
                0,
                &[&[2, 0, 0, 0, 0x03, 0b101][..], &19723_i32.to_le_bytes(), &0_i32.to_le_bytes()].concat(),
            )],
        ),
        (
            2,
            4,
            vec![page(
                4,
                0,
                &[
                    &[2, 0, 0, 0, 0x03, 0b0010][..],
                    &[2, 0, 0, 0, 0x03, 0b1011],
                    &7_i64.to_le_bytes(),
                    &8_i64.to_le_bytes(),
                    &9_i64.to_le_bytes(),
                ]
                .concat(),
            )],
        ),
    ];
    for (physical, count, pages) in columns {
        let start = bytes.len() as i64;
        let has_dictionary = pages.len() > 1;
        let data = start + if has_dictionary { pages[0].len() as i64 } else { 0 };
        bytes.extend(pages.concat());
        let mut metadata = vec![(1, T::I(physical)), (4, T::I(0)), (5, T::I(count)), (9, T::I(data))];
        if has_dictionary {
            metadata.push((11, T::I(start)));
        }
        chunks.push(T::St(vec![(2, T::I(0)), (3, T::St(metadata))]));
    }
    let leaf = |physical, repetition, name, converted| {
        T::St(vec![(1, T::I(physical)), (3, T::I(repetition)), (4, T::S(name)), (6, T::I(converted))])
    };
    let footer = encoded(&T::St(vec![
        (1, T::I(1)),
        (
            2,
            T::L(vec![
                T::St(vec![(4, T::S("schema")), (5, T::I(3))]),
                leaf(6, 0, "name", 0),
                leaf(1, 1, "hired", 6),
                leaf(2, 2, "tags", 18),
            ]),
        ),
        (3, T::I(rows)),
        (4, T::L(vec![T::St(vec![(1, T::L(chunks)), (3, T::I(rows))])])),
    ]));
    bytes.extend(&footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    bytes
}

#[test]
fn rows_are_put_together_from_columns() {
    let (kind, seen) = seen(&sample(3));
    assert_eq!(kind, ContentType::Parquet);
    assert_eq!(seen.gaps, []);
    assert_eq!(
        seen.rows,
        ["#0: name|hired|tags", "#1: Ada|2024-01-01|7 8", "#2: Bo||", "#3: Ada|1970-01-01|9"]
    );
}

#[test]
fn pages_are_unpacked_by_brotli() {
    use super::pages::unpack;
    use crate::extract::tests::allowance;
    // A window of 2^16, one block that is not compressed, and an empty last one (RFC 7932, 9.2).
    let stored = |content: &[u8]| {
        let header = (((content.len() - 1) << 4) | 1 << 20) as u32;
        [&header.to_le_bytes()[..3], content, &[3]].concat()
    };
    let packed = stored(b"abcde");
    assert_eq!(unpack(4, &packed, 5, &mut allowance()).unwrap(), b"abcde");
    for broken in [&packed[..5], b"\xff\xff", b""] {
        assert_eq!(
            unpack(4, broken, 5, &mut allowance()).map_err(|gap| gap.reason),
            Err(GapReason::Malformed)
        );
    }
}

#[test]
fn encrypted_files_are_named_so() {
    assert_eq!(seen(b"PARE....PARE").1.encrypted, ["parquet"]);
}

#[test]
fn more_rows_than_values_are_a_gap() {
    let (_, seen) = seen(&sample(1_000_000_000_000));
    assert_eq!(seen.rows.len(), 4);
    assert_eq!(seen.reasons(), [GapReason::Truncated]);
}

#[test]
fn a_cut_file_is_a_gap() {
    let bytes = sample(3);
    assert_eq!(seen(&bytes[..bytes.len() - 1]).1.reasons(), [GapReason::Truncated]);
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in 4_usize..600, value: u8) {
        let mut bytes = sample(3);
        let at = at.min(bytes.len() - 1);
        bytes[at] = value;
        seen(&bytes);
    }
}
