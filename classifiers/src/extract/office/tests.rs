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
