//! Is each kind told by its bytes, whatever its name?

use super::*;

#[test]
fn magic_numbers_decide_against_the_name() {
    for (head, expected) in [
        (b"PK\x03\x04rest".as_slice(), ContentType::Zip),
        (b"%PDF-1.7\n", ContentType::Pdf),
        (b"\x1F\x8B\x08\0\0\0\0\0\0\x03", ContentType::Gzip),
        (b"BZh91AY&SY\0\0", ContentType::Bzip2),
        (b"\xFD7zXZ\0\0\x04", ContentType::Xz),
        (b"\x28\xB5\x2F\xFD\x04\x00", ContentType::Zstd),
        (b"\x50\x2A\x4D\x18\x04\0\0\0abcd\x28\xB5\x2F\xFD", ContentType::Zstd),
        (b"\x04\x22\x4D\x18\x64\x40", ContentType::Lz4),
        (b"7z\xBC\xAF\x27\x1C\0\x04", ContentType::SevenZip),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0", ContentType::Compound),
        (b"SQLite format 3\0\x10\0", ContentType::Sqlite),
        (b"PAR1\x15\x04", ContentType::Parquet),
        (b"Obj\x01\x04\x14", ContentType::Avro),
        (b"ORC\x08\0\x12\xFF\x01", ContentType::Orc),
        (b"\x89PNG\r\n\x1A\n\0\0", ContentType::Png),
        (b"\xFF\xD8\xFF\xE0\0\x10JFIF", ContentType::Jpeg),
        (b"\0\0\0\x18ftypmp42", ContentType::Mp4),
        (b"\0\0\0\x18ftypheic", ContentType::Heif),
        (b"RIFF\0\0\0\0WEBPVP8 ", ContentType::Webp),
    ] {
        assert_eq!(detect(head, "staff.csv"), expected, "{head:?}");
    }
}

#[test]
fn text_is_told_by_what_it_says() {
    for (head, expected) in [
        ("name,mail,title\nAda,a@b.example,Engineer\nBo,b@b.example,Clerk\n", ContentType::Csv),
        ("name;mail;title\nAda;a@b.example;\"x;y\"\n", ContentType::Csv),
        ("name\tmail\nAda\ta@b.example\n", ContentType::Tsv),
        ("{\"a\": 1}\n{\"a\": 2}\n", ContentType::JsonLines),
        ("{\n  \"a\": [1, 2]\n}\n", ContentType::Json),
        ("[1, 2, 3]", ContentType::Json),
        ("<?xml version=\"1.0\"?>\n<staff><person/></staff>", ContentType::Xml),
        ("<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html></html>", ContentType::Html),
        ("\n <!DOCTYPE HTML><html><body>", ContentType::Html),
        ("<!-- saved --><html><body>", ContentType::Html),
        ("# Plan\n\nWe ship:\n\n- this\n- that\n", ContentType::Markdown),
        ("{\\rtf1\\ansi Hello}", ContentType::Rtf),
        ("dn: uid=a,dc=b\nobjectClass: person\n", ContentType::Ldif),
        ("version: 1\n\ndn: uid=a,dc=b\n", ContentType::Ldif),
        ("BEGIN:VCARD\r\nVERSION:3.0\r\n", ContentType::Vcard),
        ("-- MySQL dump 10.13\nCREATE TABLE `a` (\n", ContentType::Sql),
        ("insert into staff values (1, 'Ada');\n", ContentType::Sql),
        ("From: a@b.example\nTo: c@d.example\nSubject: hi\n\nhello\n", ContentType::Mail),
        ("From a@b.example Sat Jan  3 01:05:34 1996\nFrom: a@b.example\n", ContentType::Mbox),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", ContentType::Pem),
        ("---\nname: x\nitems:\n  - a\n", ContentType::Yaml),
        ("2026-01-02 10:00:00 INFO started\n2026-01-02 10:00:01 INFO done\n", ContentType::Log),
        ("[2026-01-02] one\n[2026-01-02] two\n", ContentType::Log),
        ("10.0.0.1 - - [02/Jan/2026] \"GET /\"\n10.0.0.2 - - [02/Jan/2026] \"GET /\"\n", ContentType::Log),
        ("Dear all, nothing here.\nIt is prose, two lines of it.\n", ContentType::Plain),
        ("", ContentType::Plain),
    ] {
        assert_eq!(detect(head.as_bytes(), "object"), expected, "{head:?}");
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(head.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        if !head.is_empty() {
            assert_eq!(detect(&utf16, "object"), expected, "UTF-16 of {head:?}");
        }
    }
}

#[test]
fn a_name_decides_only_where_the_text_does_not() {
    assert_eq!(detect(b"a b c", "x/notes.md"), ContentType::Markdown);
    assert_eq!(detect(b"{\"a\": 1}", "x.md"), ContentType::Json);
    assert_eq!(detect(b"plain words", "x.json"), ContentType::Plain);
    assert_eq!(detect(b"one,two\n", "x.csv"), ContentType::Csv);
    assert_eq!(detect(b"\x80\x01\x02\x03\x00\x00", "x.csv"), ContentType::Binary);
}

#[test]
fn encodings_of_text_are_told() {
    assert_eq!(Encoding::of("Größe".as_bytes()), Some(Encoding::Utf8));
    assert_eq!(Encoding::of(&"Größe".as_bytes()[..3]), Some(Encoding::Utf8));
    assert_eq!(
        Encoding::of(b"plain text with one \xE4 in it"),
        Some(Encoding::Legacy(encoding_rs::WINDOWS_1252))
    );
    let unmarked: Vec<u8> = "name,mail\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(Encoding::of(&unmarked), Some(Encoding::Utf16Be));
    assert_eq!(Encoding::Utf16Be.decode(&unmarked), "name,mail\n");
    let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(Encoding::of(&noise), None);
}

#[test]
fn an_old_tar_is_told_by_its_checksum() {
    let mut header = [0_u8; 512];
    header[..5].copy_from_slice(b"a.txt");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum::<u64>() + 8 * 32;
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(detect(&header, ""), ContentType::Tar);
    header[0] = b'b';
    assert_eq!(detect(&header, ""), ContentType::Binary);
}

proptest::proptest! {
    #[test]
    fn anything_has_a_type(head: Vec<u8>, name: String) {
        let kind = detect(&head, &name);
        proptest::prop_assert!(kind.media_type().contains('/'));
    }

    #[test]
    fn any_text_has_a_kind(head: String, name in "[a-z]{0,3}\\.(csv|md|json|html|log)") {
        detect(head.as_bytes(), &name);
    }
}
