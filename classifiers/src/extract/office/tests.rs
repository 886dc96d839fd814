//! What do office documents built here yield?

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::seen;
use crate::extract::zip::tests::Builder;

const TYPES: &[u8] = b"<Types/>";

pub(crate) fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY boom \"boom\">]><w:document><w:body>{body}</w:body></w:document>"
    );
    Builder::default()
        .file("[Content_Types].xml", TYPES)
        .file("word/document.xml", document.as_bytes())
        .finish()
}

pub(crate) fn xlsx(shared: &str, styles: &str, sheet: &str) -> Builder {
    let workbook =
        r#"<workbook><sheets><sheet name="Staff &amp; pay" sheetId="1" r:id="rId7"/></sheets></workbook>"#;
    let relations =
        r#"<Relationships><Relationship Id="rId7" Target="worksheets/sheet1.xml"/></Relationships>"#;
    Builder::default()
        .file("[Content_Types].xml", TYPES)
        .file("xl/workbook.xml", workbook.as_bytes())
        .file("xl/_rels/workbook.xml.rels", relations.as_bytes())
        .file(
            "xl/worksheets/sheet1.xml",
            format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>").as_bytes(),
        )
        .file("xl/styles.xml", format!("<styleSheet>{styles}</styleSheet>").as_bytes())
        .file("xl/sharedStrings.xml", format!("<sst>{shared}</sst>").as_bytes())
}

#[test]
fn word_text_and_tables_are_read() {
    let (kind, seen) = seen(&docx(
        "<w:p><w:r><w:t>Roadmap</w:t></w:r><w:r><w:t xml:space=\"preserve\"> 2027 &amp; on</w:t></w:r></w:p>\
         <w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>\
         <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>",
    ));
    assert_eq!(kind, ContentType::Docx);
    assert_eq!(seen.text, "Roadmap 2027 & on\ngone\n");
    assert_eq!(seen.rows, ["table 1#1: Name|"]);
    assert_eq!(seen.gaps, []);
}

#[test]
fn declared_entities_are_not_expanded() {
    let (_, seen) = seen(&docx("<w:p><w:t>&boom;</w:t></w:p>"));
    assert_eq!(seen.text, "&boom;\n");
}

#[test]
fn comments_and_embedded_files_are_read() {
    let bytes = Builder::default()
        .file("[Content_Types].xml", TYPES)
        .file("word/document.xml", b"<w:document/>")
        .file(
            "word/comments.xml",
            b"<w:comments><w:comment><w:p><w:t>fire him</w:t></w:p></w:comment></w:comments>",
        )
        .file("word/embeddings/sheet.xlsx", b"inner")
        .finish();
    let (_, seen) = seen(&bytes);
    assert_eq!(seen.text, "fire him\n");
    assert_eq!(seen.file("word/embeddings/sheet.xlsx"), b"inner");
}

#[test]
fn a_word_document_without_its_main_part_is_malformed() {
    let bytes = Builder::default()
        .file("[Content_Types].xml", TYPES)
        .file("word/styles.xml", b"<w:styles/>")
        .finish();
    let (_, seen) = seen(&bytes);
    assert_eq!(seen.reasons(), [GapReason::Malformed]);
}

#[test]
fn sheet_rows_are_read_with_strings_dates_and_blanks() {
    let bytes = xlsx(
        "<si><t>Name</t></si><si><r><t>Ada </t></r><r><t>Marsh</t></r><rPh><t>no</t></rPh></si><si/><si><t>last</t></si>",
        r#"<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>"#,
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>Hired</t></is></c></row>
           <row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4" s="0"><v>12.5</v></c><c r="C4" s="1"><v>45292</v></c>
           <c r="D4" t="s"><v>3</v></c><c r="E4" t="b"><v>1</v></c></row>"#,
    );
    let (kind, seen) = seen(&bytes.finish());
    assert_eq!(kind, ContentType::Xlsx);
    assert_eq!(
        seen.rows,
        ["sheet Staff & pay#1: Name||Hired", "sheet Staff & pay#4: Ada Marsh|12.5|2024-01-01|last|true"]
    );
    assert_eq!(seen.gaps, []);
}

#[test]
fn a_string_that_is_not_shared_is_a_gap() {
    let (_, seen) = seen(&xlsx("", "", r#"<row><c t="s"><v>9</v></c></row>"#).finish());
    assert_eq!(seen.reasons(), [GapReason::Malformed]);
}

#[test]
fn words_beside_the_cells_and_in_pivots_are_read() {
    let bytes = xlsx("", "", "")
        .file(
            "xl/comments1.xml",
            b"<comments><comment><text><r><t>ask HR</t></r></text></comment></comments>",
        )
        .file(
            "xl/pivotCache/pivotCacheDefinition1.xml",
            b"<d><sharedItems><s v=\"Ada Marsh\"/></sharedItems></d>",
        );
    let (_, seen) = seen(&bytes.finish());
    assert_eq!(seen.text, "ask HR\n");
    assert_eq!(seen.rows, ["pivotCache/pivotCacheDefinition1.xml#1: Ada Marsh"]);
}

#[test]
fn a_row_of_far_columns_costs_what_it_makes() {
    let rows = r#"<row><c r="XFD1"><v>1</v></c></row>"#.repeat(20_000);
    let (_, seen) = seen(&xlsx("", "", &rows).finish());
    assert_eq!(seen.reasons(), [GapReason::LimitReached]);
}

#[test]
fn a_bomb_of_shared_strings_is_cut_at_what_is_held() {
    let (_, seen) = seen(&xlsx(&"<si/>".repeat(8 << 20), "", "<row><c t=\"s\"><v>1</v></c></row>").finish());
    assert_eq!(seen.reasons(), [GapReason::LimitReached]);
}

#[test]
fn slides_notes_and_their_tables_are_read() {
    let slide = b"<p:sld><a:p><a:r><a:t>Launch in</a:t></a:r><a:r><a:t> Q3</a:t></a:r></a:p><a:tbl><a:tr><a:tc><a:p><a:t>Now\
        </a:t></a:p></a:tc><a:tc><a:p><a:t>Next</a:t></a:p></a:tc></a:tr></a:tbl></p:sld>";
    let bytes = Builder::default()
        .file("[Content_Types].xml", TYPES)
        .file("ppt/slides/slide1.xml", slide)
        .file("ppt/notesSlides/notesSlide1.xml", b"<p:notes><a:p><a:t>do not say</a:t></a:p></p:notes>")
        .file("ppt/slideMasters/slideMaster1.xml", b"<x><a:p><a:t>Click to edit</a:t></a:p></x>")
        .finish();
    let (kind, seen) = seen(&bytes);
    assert_eq!(kind, ContentType::Pptx);
    assert_eq!(seen.text, "Launch in Q3\ndo not say\n");
    assert_eq!(seen.rows, ["slide1/table 1#1: Now|Next"]);
}

pub(crate) fn open_document(kind: &str, body: &str) -> Builder {
    Builder::default()
        .file("mimetype", format!("application/vnd.oasis.opendocument.{kind}").as_bytes())
        .file("content.xml", format!("<office:document-content>{body}</office:document-content>").as_bytes())
}

#[test]
fn open_document_text_and_tables_are_read() {
    let body = "<text:h>Plan</text:h><text:p>a<text:s/>b<text:span>c</text:span></text:p>
        <table:table><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row></table:table>";
    let (kind, seen) = seen(&open_document("text", body).finish());
    assert_eq!(kind, ContentType::Odt);
    assert_eq!(seen.text, "Plan\na bc\n");
    assert_eq!(seen.rows, ["table 1#1: x"]);
}

#[test]
fn open_document_sheets_are_read_with_repeats_and_dates() {
    let body = r#"<table:table table:name="Staff"><table:table-row>
        <table:table-cell><text:p>Ada</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"/>
        <table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell>
        <table:table-cell office:date-value="2024-01-01"><text:p>1. Jan</text:p></table:table-cell>
        <table:table-cell table:number-columns-repeated="16000"/></table:table-row>
        <table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row></table:table>"#;
    let (kind, seen) = seen(&open_document("spreadsheet", body).finish());
    assert_eq!(kind, ContentType::Ods);
    assert_eq!(seen.rows, ["sheet Staff#1: Ada|||x|x|2024-01-01"]);
}

#[test]
fn an_encrypted_open_document_is_named_so() {
    let manifest =
        b"<m:manifest><m:file-entry><m:encryption-data m:checksum='x'/></m:file-entry></m:manifest>";
    let (_, seen) =
        seen(&open_document("text", "\u{1}garbage").file("META-INF/manifest.xml", manifest).finish());
    assert_eq!(seen.encrypted, ["opendocument"]);
    assert_eq!(seen.text, "");
}
