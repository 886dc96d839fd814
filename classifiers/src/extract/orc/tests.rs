//! Are ORC files read, whole and broken?

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

fn number(id: u64, value: u64) -> Vec<u8> {
    [varint(id << 3), varint(value)].concat()
}

fn bytes(id: u64, content: &[u8]) -> Vec<u8> {
    [varint(id << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn pack(codec: u64, content: &[u8]) -> Vec<u8> {
    if codec == 0 {
        return content.to_vec();
    }
    let packed = crate::extract::zip::tests::deflate(content);
    let (header, body) = if packed.len() < content.len() {
        (packed.len() << 1, packed)
    } else {
        (content.len() << 1 | 1, content.to_vec())
    };
    [&(header as u32).to_le_bytes()[..3], &body].concat()
}

/// Three rows of a name from a dictionary, a date that may be missing, and a list of texts.
fn sample(codec: u64, rows: u64) -> Vec<u8> {
    let streams: Vec<(u64, u64, Vec<u8>)> = vec![
        (1, 1, vec![0xFD, 0, 1, 0]),
        (1, 3, b"AdaBo".to_vec()),
        (1, 2, vec![0xFE, 3, 2]),
        (2, 0, vec![0xFF, 0b1010_0000]),
        (2, 1, vec![0xFE, 0x96, 0xB4, 0x02, 0]),
        (3, 2, vec![0xFD, 2, 0, 1]),
        (4, 2, vec![0xFD, 1, 1, 1]),
        (4, 1, b"xyz".to_vec()),
    ];
    let packed: Vec<Vec<u8>> = streams.iter().map(|(_, _, content)| pack(codec, content)).collect();
    let data = packed.concat();
    let mut stripe_footer = Vec::new();
    for ((column, kind, _), packed) in streams.iter().zip(&packed) {
        stripe_footer.extend(bytes(
            1,
            &[number(1, *kind), number(2, *column), number(3, packed.len() as u64)].concat(),
        ));
    }
    for (kind, words) in [(0, 0), (1, 2), (0, 0), (0, 0), (0, 0)] {
        stripe_footer.extend(bytes(2, &[number(1, kind), number(2, words)].concat()));
    }
    let stripe_footer = pack(codec, &stripe_footer);
    let stripe = [
        number(1, 3),
        number(2, 0),
        number(3, data.len() as u64),
        number(4, stripe_footer.len() as u64),
        number(5, rows),
    ];
    let root =
        [number(1, 12), bytes(2, &[1, 2, 3]), bytes(3, b"name"), bytes(3, b"hired"), bytes(3, b"tags")]
            .concat();
    let list = [number(1, 10), bytes(2, &[4])].concat();
    let types = [root, number(1, 7), number(1, 15), list, number(1, 7)];
    let footer =
        [bytes(3, &stripe.concat()), types.iter().flat_map(|kind| bytes(4, kind)).collect()].concat();
    let footer = pack(codec, &footer);
    let postscript = [number(1, footer.len() as u64), number(2, codec), bytes(8000, b"ORC")].concat();
    [b"ORC".to_vec(), data, stripe_footer, footer, postscript.clone(), vec![postscript.len() as u8]].concat()
}

#[test]
fn rows_are_put_together_from_streams() {
    for codec in [0, 1] {
        let (kind, seen) = seen(&sample(codec, 3));
        assert_eq!(kind, ContentType::Orc);
        assert_eq!(seen.gaps, []);
        assert_eq!(
            seen.rows,
            ["#0: name|hired|tags", "#1: Ada|2024-01-01|x y", "#2: Bo||", "#3: Ada|1970-01-01|z"]
        );
    }
}

#[test]
fn more_rows_than_values_and_cut_files_are_gaps() {
    assert_eq!(seen(&sample(0, u64::MAX >> 1)).1.reasons(), [GapReason::Malformed]);
    let bytes = sample(0, 3);
    assert_eq!(seen(&bytes[..bytes.len() - 1]).1.reasons(), [GapReason::Truncated]);
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in 4_usize..400, value: u8, codec in 0_u64..2) {
        let mut bytes = sample(codec, 3);
        let at = at.min(bytes.len() - 1);
        bytes[at] = value;
        seen(&bytes);
    }
}
