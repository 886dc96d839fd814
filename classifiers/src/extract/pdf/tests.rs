//! Are PDFs read, whole and broken?

use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::seen;

/// Writes a file of numbered objects, without a table of cross-references.
fn pdf(objects: &[&str]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    for (at, object) in objects.iter().enumerate() {
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).as_bytes());
    }
    bytes.extend(b"trailer << /Root 1 0 R >>\n%%EOF\n");
    bytes
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len())
}

fn one_page(content: &str, more: &[&str]) -> Vec<u8> {
    let content = stream(content);
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> >>",
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>",
        &content,
        "<< /Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding /FirstChar 32 /Widths [250] >>",
    ];
    pdf(&[&objects, more].concat())
}

#[test]
fn lines_columns_and_words_are_told_apart() {
    let (kind, seen) = seen(&one_page(
        "BT /F1 10 Tf 1 0 0 1 50 700 Tm [(Na) 20 (me) -400 (here)] TJ 200 0 Td (Title) Tj -200 -12 Td (Gr\\374\\337e) Tj ET",
        &[],
    ));
    assert_eq!(kind, ContentType::Pdf);
    assert_eq!(seen.text, "Name here\tTitle\nGrüße");
    assert_eq!(seen.gaps, []);
}

#[test]
fn lines_with_as_many_columns_are_rows() {
    let row = |y: u32, cells: [&str; 3]| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("({cell}) Tj 150 0 Td")).collect();
        format!("BT /F1 10 Tf 1 0 0 1 50 {y} Tm {} ET ", cells.join(" "))
    };
    let content = [
        "BT /F1 10 Tf 1 0 0 1 50 760 Tm (Staff) Tj ET ".to_owned(),
        row(700, ["Name", "Title", "Site"]),
        row(680, ["Ada", "Clerk", "Oslo"]),
        row(660, ["Bo", "Cook", "Bern"]),
    ];
    let seen = seen(&one_page(&content.concat(), &[])).1;
    assert_eq!(seen.text, "Staff");
    assert_eq!(
        seen.rows,
        ["table 1#1: Name|Title|Site", "table 1#2: Ada|Clerk|Oslo", "table 1#3: Bo|Cook|Bern"]
    );
}

#[test]
fn composite_fonts_are_read_by_their_map() {
    let map = stream(
        "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfrange <0001> <0003> <0041> endbfrange",
    );
    let bytes = one_page("BT /F2 10 Tf <000100020003> Tj ET", &["null", &map]);
    let bytes = String::from_utf8(bytes)
        .unwrap()
        .replace("/F1 5 0 R", "/F1 5 0 R /F2 << /Type /Font /Subtype /Type0 /ToUnicode 7 0 R >>");
    assert_eq!(seen(bytes.as_bytes()).1.text, "ABC");
}

#[test]
fn glyphs_without_characters_are_a_gap() {
    let bytes = one_page("BT /F2 10 Tf <0001> Tj ET", &[]);
    let bytes =
        String::from_utf8(bytes).unwrap().replace("/F1 5 0 R", "/F2 << /Type /Font /Subtype /Type0 >>");
    assert_eq!(seen(bytes.as_bytes()).1.reasons(), [GapReason::Unsupported]);
}

#[test]
fn objects_in_object_streams_are_found() {
    let content = "1 0 2 34 << /Type /Catalog /Pages 2 0 R >>   << /Kids [3 0 R] >>  ";
    let packed =
        format!("<< /Type /ObjStm /N 2 /First 9 /Length {} >>\nstream\n{content}\nendstream", content.len());
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let page = "<< /Type /Page /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>";
    for (number, object) in [
        (9, packed.as_str()),
        (3, page),
        (4, &stream("BT /F 9 Tf (in) Tj ET")),
        (5, "<< /Type /Font /Subtype /TrueType >>"),
    ] {
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    bytes.extend(b"%%EOF");
    assert_eq!(seen(&bytes).1.text, "in");
}

#[test]
fn deflated_pages_are_read() {
    let packed = crate::extract::zip::tests::deflate(b"BT /F1 9 Tf (packed) Tj ET");
    let mut bytes = one_page("", &["null"]);
    bytes.extend(b"4 0 obj << /Filter /FlateDecode >> stream\n\x78\x9c");
    bytes.extend(packed);
    bytes.extend(b"\nendstream endobj %%EOF");
    assert_eq!(seen(&bytes).1.text, "packed");
}

#[test]
fn encrypted_files_are_named_so() {
    let bytes = String::from_utf8(one_page("BT ET", &[]))
        .unwrap()
        .replace("/Root 1 0 R", "/Root 1 0 R /Encrypt 9 0 R");
    let (_, seen) = seen(bytes.as_bytes());
    assert_eq!(seen.encrypted, ["pdf"]);
    assert_eq!(seen.text, "");
}

#[test]
fn fields_remarks_and_attached_files_are_read() {
    let (_, seen) = seen(&one_page(
        "BT ET",
        &[
            "<< /FT /Tx /T (salary) /V (120000) >>",
            "<< /Type /Annot /Subtype /Text /Contents (do not publish) >>",
            "<< /Type /Filespec /F (staff.csv) /EF << /F 9 0 R >> >>",
            &stream("name,mail"),
        ],
    ));
    assert_eq!(seen.records, ["#1: salary=120000"]);
    assert_eq!(seen.text, "do not publish\n");
    assert_eq!(seen.file("staff.csv"), b"name,mail");
}

#[test]
fn pages_of_pictures_are_a_gap() {
    let image = "<< /Subtype /Image /Filter /DCTDecode /Length 3 >>\nstream\nabc\nendstream";
    let (_, seen) = seen(&one_page("q 1 0 0 1 0 0 cm /X Do Q", &[image]));
    assert_eq!(seen.reasons(), [GapReason::Unsupported]);
}

#[test]
fn circles_end() {
    let form = "<< /Subtype /Form /Length 5 >>\nstream\n/X Do\nendstream";
    seen(&one_page("/X Do", &[form]));
    let (_, seen) =
        seen(&pdf(&["<< /Type /Catalog /Pages 2 0 R >>", "<< /Kids [2 0 R 1 0 R 2 0 R] >>", "3 0 R"]));
    assert_eq!(seen.text, "");
}

#[test]
fn forms_that_multiply_end_at_the_budget() {
    let started = std::time::Instant::now();
    let objects: Vec<String> = (0..12)
        .map(|depth| {
            let body = "/X Do ".repeat(12);
            let next = depth + 7;
            format!(
                "<< /Subtype /Form /Resources << /XObject << /X {next} 0 R >> >> /Length {} >>\nstream\n{body}\nendstream",
                body.len()
            )
        })
        .collect();
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let (_, seen) = seen(&one_page("/X Do", &objects));
    assert!(seen.reasons().contains(&GapReason::LimitReached), "{:?}", seen.gaps);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_cut_file_gives_the_pages_it_has_and_a_gap() {
    let bytes = one_page("BT /F1 10 Tf (kept) Tj ET", &[]);
    let cut = &bytes[..bytes.len() - 10];
    let (_, seen) = seen(cut);
    assert_eq!(seen.text, "kept");
    assert_eq!(seen.reasons(), [GapReason::Truncated]);
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in 0_usize..700, value: u8, cut in 0_usize..700) {
        let mut bytes = one_page("BT /F1 10 Tf [(kept) -1000 (x)] TJ T* (\\101) ' /X Do ET", &["<< /Subtype /Form >>"]);
        let at = at.min(bytes.len() - 1);
        bytes[at] = value;
        seen(&bytes);
        seen(&bytes[..cut.min(bytes.len())]);
    }
}
