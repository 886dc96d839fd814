//! Are compound files read, whole and broken?

use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::seen;

/// Writes a compound file; folders are named in paths. Streams under 4096 bytes go into small sectors, as the format has it.
pub(crate) fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut folders: Vec<String> = Vec::new();
    for (path, _) in streams {
        let mut at = 0;
        while let Some(slash) = path[at..].find('/') {
            at += slash + 1;
            let folder = path[..at - 1].to_owned();
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    // Entry 0 is the root, then folders, then streams.
    let names: Vec<&str> =
        folders.iter().map(String::as_str).chain(streams.iter().map(|(path, _)| *path)).collect();
    let parent = |name: &str| {
        let folder = name.rsplit_once('/').map(|(folder, _)| folder);
        folder.map_or(0, |folder| 1 + folders.iter().position(|known| known == folder).unwrap())
    };
    let children = |of: usize| -> Vec<usize> {
        (0..names.len()).filter(|&at| parent(names[at]) == of).map(|at| at + 1).collect()
    };
    let mut fat: Vec<u32> = Vec::new();
    let mut sectors: Vec<u8> = Vec::new();
    let mut add = |content: &[u8]| -> u32 {
        let start = fat.len() as u32;
        let count = content.len().div_ceil(512).max(1) as u32;
        fat.extend((1..count).map(|at| start + at));
        fat.push(0xFFFF_FFFE);
        sectors.extend(content);
        sectors.resize(fat.len() * 512, 0);
        start
    };
    let (mut small, mut mini_fat) = (Vec::new(), Vec::new());
    let mut starts = Vec::new();
    for (_, content) in streams {
        if content.len() >= 4096 {
            starts.push(add(content));
        } else {
            let start = mini_fat.len() as u32;
            let count = content.len().div_ceil(64).max(1) as u32;
            mini_fat.extend((1..count).map(|at| start + at));
            mini_fat.push(0xFFFF_FFFE_u32);
            small.extend(content);
            small.resize(mini_fat.len() * 64, 0);
            starts.push(start);
        }
    }
    let small_start = add(&small);
    let mini_fat_start = add(&mini_fat.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    let mut directory = Vec::new();
    for entry in 0..=names.len() {
        let name = if entry == 0 { "Root Entry" } else { names[entry - 1].rsplit('/').next().unwrap() };
        let mut bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let name_bytes = bytes.len() as u16 + 2;
        bytes.resize(64, 0);
        bytes.extend(name_bytes.to_le_bytes());
        let is_stream = entry > folders.len();
        bytes.extend([
            if entry == 0 {
                5
            } else if is_stream {
                2
            } else {
                1
            },
            1,
        ]);
        let siblings = if entry == 0 { Vec::new() } else { children(parent(names[entry - 1])) };
        let next = siblings.iter().skip_while(|&&sibling| sibling != entry).nth(1);
        bytes.extend(u32::MAX.to_le_bytes());
        bytes.extend(next.map_or(u32::MAX, |&next| next as u32).to_le_bytes());
        let first_child = if is_stream { None } else { children(entry).first().copied() };
        bytes.extend(first_child.map_or(u32::MAX, |child| child as u32).to_le_bytes());
        bytes.resize(116, 0);
        let (start, size) = match entry {
            0 => (small_start, small.len()),
            _ if is_stream => (starts[entry - 1 - folders.len()], streams[entry - 1 - folders.len()].1.len()),
            _ => (0, 0),
        };
        bytes.extend(start.to_le_bytes());
        bytes.extend((size as u64).to_le_bytes());
        directory.extend(bytes);
    }
    let directory_start = add(&directory);
    let mut header = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    header.resize(24, 0);
    header.extend([0x3E, 0, 3, 0, 0xFE, 0xFF, 9, 0, 6, 0]);
    header.resize(44, 0);
    let fat_sectors = (fat.len() + 1).div_ceil(127);
    for word in [fat_sectors as u32, directory_start, 0, 4096, mini_fat_start, 1, 0xFFFF_FFFE, 0] {
        header.extend(word.to_le_bytes());
    }
    let fat_start = fat.len();
    header.extend((0..fat_sectors).flat_map(|at| ((fat_start + at) as u32).to_le_bytes()));
    header.resize(512, 0xFF);
    let mut table: Vec<u8> = fat.iter().flat_map(|word| word.to_le_bytes()).collect();
    table.resize(fat_sectors * 512, 0xFF);
    [header, sectors, table].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn doc(text: &str, flags: u16) -> Vec<u8> {
    let mut document = vec![0; 0x200];
    document[..4].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0]);
    document[0x0A..0x0C].copy_from_slice(&(flags | 0x0200).to_le_bytes());
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    document.extend(&latin);
    document.extend(utf16(" — wide\r"));
    let mut table = vec![1, 2, 0, 9, 9, 2];
    table.extend(28_u32.to_le_bytes());
    for position in [0, latin.len(), latin.len() + 8] {
        table.extend((position as u32).to_le_bytes());
    }
    for offset in [0x4000_0000 | 0x400, 0x200 + latin.len() as u32] {
        table.extend([0, 0]);
        table.extend(offset.to_le_bytes());
        table.extend([0, 0]);
    }
    document.resize(document.len().max(5000), 0);
    compound(&[("WordDocument", document), ("1Table", table)])
}

#[test]
fn old_letters_are_read_with_their_tables() {
    let text =
        "Staff\rName\x07Title\x07\x07Ada\x07\x07\x07Bo\x07Clerk\x07\x07see \x13HYPERLINK x\x14here\x15\r";
    let (kind, seen) = seen(&doc(text, 0));
    assert_eq!(kind, ContentType::Doc);
    assert_eq!(seen.text, "Staff\nsee here\n — wide\n");
    assert_eq!(seen.rows, ["table 1#1: Name|Title", "table 1#2: Ada|", "table 1#3: Bo|Clerk"]);
    assert_eq!(seen.gaps, []);
}

#[test]
fn encrypted_letters_are_named_so() {
    let (_, seen) = seen(&doc("x", 0x0100));
    assert_eq!(seen.encrypted, ["word_rc4"]);
    assert_eq!(seen.text, "");
}

fn record(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat()
}

fn cell(row: u16, column: u16, style: u16, value: &[u8]) -> Vec<u8> {
    [&row.to_le_bytes()[..], &column.to_le_bytes(), &style.to_le_bytes(), value].concat()
}

fn xls(before: Vec<u8>) -> Vec<u8> {
    let begin = record(0x809, &[0, 6, 5, 0, 0, 0, 0, 0]);
    let globals = |at: u32| {
        [
            begin.clone(),
            before.clone(),
            record(0xE0, &[0; 20]),
            record(0xE0, &[0, 0, 14, 0]),
            record(0x85, &[&at.to_le_bytes()[..], &[0, 0, 5, 0], b"Staff"].concat()),
            record(
                0xFC,
                &[&[2, 0, 0, 0, 2, 0, 0, 0][..], &[4, 0, 0], b"Name", &[3, 0, 1], &utf16("Ada")].concat(),
            ),
            record(0x0A, &[]),
        ]
        .concat()
    };
    let at = globals(0).len() as u32;
    let sheet = [
        begin.clone(),
        record(0xFD, &cell(0, 0, 0, &0_u32.to_le_bytes())),
        record(0x204, &cell(0, 2, 0, &[&[5, 0, 0][..], b"Hired"].concat())),
        record(0xFD, &cell(3, 0, 0, &1_u32.to_le_bytes())),
        record(0x27E, &cell(3, 1, 0, &(1234_u32 << 2 | 3).to_le_bytes())),
        record(0x203, &cell(3, 2, 1, &45292_f64.to_le_bytes())),
        record(0x06, &cell(3, 3, 0, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0])),
        record(0x207, &[&[2, 0, 0][..], b"ok"].concat()),
        record(
            0xBD,
            &[
                &[4, 0, 0, 0][..],
                &[0, 0],
                &(7_u32 << 2 | 2).to_le_bytes(),
                &[0, 0],
                &(8_u32 << 2 | 2).to_le_bytes(),
                &[1, 0],
            ]
            .concat(),
        ),
        record(0x0A, &[]),
    ]
    .concat();
    let mut stream = globals(at);
    stream.extend(sheet);
    compound(&[("Workbook", stream)])
}

#[test]
fn old_workbooks_are_read() {
    let (kind, seen) = seen(&xls(Vec::new()));
    assert_eq!(kind, ContentType::Xls);
    assert_eq!(
        seen.rows,
        ["sheet Staff#1: Name||Hired", "sheet Staff#4: Ada|12.34|2024-01-01|ok", "sheet Staff#5: 7|8"]
    );
    assert_eq!(seen.gaps, []);
}

#[test]
fn numbers_beyond_the_last_column_are_left_out() {
    let mut bytes = xls(Vec::new());
    let row_of_numbers = [0xBD, 0, 18, 0, 4, 0, 0, 0];
    let at = bytes.windows(8).position(|window| window == row_of_numbers).unwrap();
    bytes[at + 6..at + 8].copy_from_slice(&u16::MAX.to_le_bytes());
    assert_eq!(seen(&bytes).1.rows.len(), 2);
}

#[test]
fn encrypted_workbooks_are_named_so() {
    let (_, seen) = seen(&xls(record(0x2F, &[1, 0])));
    assert_eq!(seen.encrypted, ["excel_rc4"]);
    assert_eq!(seen.rows, [] as [&str; 0]);
}

#[test]
fn old_slides_are_read() {
    let atom = |kind: u16, content: &[u8]| {
        [&[0, 0][..], &kind.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content].concat()
    };
    let inner = [atom(0x0FA0, &utf16("Launch\rQ3")), atom(0x0FA8, b"later"), atom(0x1234, b"xxxx")].concat();
    let document = [&[0x0F, 0, 0xE8, 3][..], &(inner.len() as u32).to_le_bytes(), &inner].concat();
    let (kind, seen) = seen(&compound(&[("PowerPoint Document", document), ("Current User", vec![0; 20])]));
    assert_eq!(kind, ContentType::Ppt);
    assert_eq!(seen.text, "Launch\nQ3\nlater\n");
}

#[test]
fn mails_of_outlook_are_read_with_recipients_and_attachments() {
    let (kind, seen) = seen(&compound(&[
        ("__properties_version1.0", vec![0; 32]),
        ("__substg1.0_0037001F", utf16("Staff list")),
        ("__substg1.0_1000001F", utf16("see below")),
        ("__substg1.0_10130102", b"<p>see <b>page</b></p>".to_vec()),
        ("__recip_version1.0_#00000000/__substg1.0_3001001F", utf16("Bo")),
        ("__recip_version1.0_#00000000/__substg1.0_39FE001F", utf16("bo@b.example")),
        ("__attach_version1.0_#00000000/__substg1.0_3707001F", utf16("staff.csv")),
        ("__attach_version1.0_#00000000/__substg1.0_37010102", vec![b'x'; 5000]),
    ]));
    assert_eq!(kind, ContentType::Msg);
    assert_eq!(seen.records, ["#1: subject=Staff list", "#2: recipient=Bo|recipient-address=bo@b.example"]);
    assert_eq!(seen.text, "see belowsee page\n");
    assert_eq!(seen.file("staff.csv").len(), 5000);
}

#[test]
fn encrypted_packages_are_named_by_scheme() {
    let bytes = compound(&[("EncryptionInfo", vec![4, 0, 4, 0, 64, 0]), ("EncryptedPackage", vec![7; 6000])]);
    let (kind, seen) = seen(&bytes);
    assert_eq!(kind, ContentType::Compound);
    assert_eq!(seen.encrypted, ["office_agile"]);
}

#[test]
fn files_of_unknown_programs_are_a_gap() {
    assert_eq!(seen(&compound(&[("Thing", vec![1; 10])])).1.reasons(), [GapReason::Unsupported]);
}

#[test]
fn a_cut_file_is_a_gap() {
    let bytes = xls(Vec::new());
    assert!(!seen(&bytes[..600]).1.gaps.is_empty());
    assert!(!seen(&bytes[..20]).1.gaps.is_empty());
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in 0_usize..6000, value: u32, cut in 0_usize..6000) {
        for mut bytes in [xls(Vec::new()), doc("a\x07b\x07\x07", 0)] {
            let at = at.min(bytes.len() - 4);
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            seen(&bytes);
            seen(&bytes[..cut.min(bytes.len())]);
        }
    }
}
