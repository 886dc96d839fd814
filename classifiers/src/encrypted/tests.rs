use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

fn scheme(object: &[u8]) -> Option<&'static str> {
    by_header(object, Some(object.len() as u64)).map(|verdict| verdict.scheme)
}

fn scheme_at_end(object: &[u8]) -> Option<&'static str> {
    by_tail(object, object, object.len() as u64).map(|verdict| verdict.scheme)
}

fn metadata(pairs: &[(&str, &str)]) -> Option<&'static str> {
    let owned: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    by_metadata(&owned).map(|verdict| verdict.scheme)
}

/// `head` with bytes after it that mean nothing.
fn padded(head: &[u8]) -> Vec<u8> {
    [head, &[0xa7, 0].repeat(48)].concat()
}

/// An armor around bytes.
fn armored(label: &str, bytes: &[u8]) -> String {
    let body = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A new-format OpenPGP packet with a one-byte length.
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[0xc0 | tag, body.len() as u8], body].concat()
}

fn session_key(version: u8, algorithm: u8) -> Vec<u8> {
    packet(1, &[&[version][..], &[9; 8], &[algorithm], &[0x5c; 90]].concat())
}

fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag, 0x82], &(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn cms(content_type: &[u8]) -> Vec<u8> {
    der(0x30, &[content_type, &der(0xa0, &[0x55; 300])].concat())
}

const ENVELOPED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const SIGNED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENCRYPTED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";

/// A message of the AWS Encryption SDK with an empty context and one key.
fn encryption_sdk(start: &[u8], id_bytes: usize) -> Vec<u8> {
    let key = b"\x00\x00\x00\x01\x00\x07aws-kms\x00\x04info\x00\x08wrapped!";
    padded(&[start, &vec![3; id_bytes], key].concat())
}

#[test]
fn client_side_encryption_is_seen_without_a_byte() {
    let second = [
        ("x-amz-meta-x-amz-key-v2", "k"),
        ("x-amz-meta-x-amz-iv", "iv"),
        ("x-amz-cek-alg", "AES/GCM/NoPadding"),
    ];
    assert_eq!(metadata(&second), Some("s3_client_side_v2"));
    assert_eq!(
        metadata(&[("x-amz-key", "k"), ("x-amz-iv", "iv"), ("x-amz-matdesc", "{}")]),
        Some("s3_client_side_v1")
    );
    assert_eq!(
        metadata(&[("x-amz-c", "115"), ("x-amz-3", "k"), ("x-amz-w", "02")]),
        Some("s3_client_side_v3")
    );
    let by_file = [("x-amz-c", "115"), ("x-amz-d", "d"), ("x-amz-i", "i")];
    assert_eq!(metadata(&by_file), Some("s3_client_side_v3"));
    assert_eq!(metadata(&[("x-amz-crypto-instr-file", "1")]), Some("s3_instruction_file"));
    assert_eq!(metadata(&[("encryptiondata", "{\"WrappedContentKey\":{}}")]), Some("azure_client_side"));
}

#[test]
fn encryption_by_the_service_is_not_the_owners() {
    assert_eq!(
        metadata(&[("x-amz-server-side-encryption", "aws:kms"), ("author", "x"), ("x-amz-c", "1")]),
        None
    );
    assert_eq!(metadata(&[("x-amz-key-v2", ""), ("x-amz-iv", "")]), None);
}

#[test]
fn containers_are_known_by_their_first_bytes() {
    let cases: [(&[u8], &str); 9] = [
        (b"age-encryption.org/v1\n-> X25519 abc\n\x00", "age"),
        (b"Salted__\x01\x02\x03\x04\x05\x06\x07\x08", "openssl_enc"),
        (b"\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5", "keepass"),
        (b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "keepass"),
        (b"LUKS\xba\xbe\x00\x01", "luks"),
        (b"LUKS\xba\xbe\x00\x02", "luks"),
        (b"RCLONE\x00\x00", "rclone_crypt"),
        (b"\x00GITCRYPT\x00", "git_crypt"),
        (b"\xeb\x58\x90-FVE-FS-", "bitlocker"),
    ];
    for (head, expected) in cases {
        assert_eq!(scheme(&padded(head)), Some(expected));
    }
    assert_eq!(scheme(&padded(b"LUKS\xba\xbe\x00\x09")), None);
    assert_eq!(scheme(&padded(b"\x03\xd9\xa2\x9a\x01\xfb\x4b\xb5")), None);
}

#[test]
fn openpgp_is_recognised_by_its_packets() {
    let data = packet(18, &[1; 100]);
    for algorithm in [1, 16, 18, 25] {
        assert_eq!(scheme(&[session_key(3, algorithm), data.clone()].concat()), Some("openpgp"));
    }
    let password = packet(3, b"\x04\x09\x03\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x60");
    assert_eq!(scheme(&[password, packet(20, &[1; 40])].concat()), Some("openpgp"));
    let old_format = [&[0x84, 100, 3][..], &[9; 8], &[1], &[0x5c; 90], &[0xa4, 50], &[0x33; 50]].concat();
    assert_eq!(scheme(&old_format), Some("openpgp"));
    // Unknown algorithm, data without a key, a signed message (one-pass signature), a public key.
    assert_eq!(scheme(&[session_key(3, 99), data.clone()].concat()), None);
    assert_eq!(scheme(&data), None);
    assert_eq!(scheme(&packet(4, &[3; 13])), None);
    assert_eq!(scheme(&packet(6, &[4; 90])), None);
}

#[test]
fn armor_is_opened_before_it_is_believed() {
    let message = [session_key(3, 1), packet(18, &[1; 100])].concat();
    assert_eq!(scheme(armored("PGP MESSAGE", &message).as_bytes()), Some("openpgp"));
    assert_eq!(scheme(armored("PGP MESSAGE", &packet(8, &[1; 60])).as_bytes()), None);
    assert_eq!(
        scheme(armored("AGE ENCRYPTED FILE", b"age-encryption.org/v1\n-> X25519 a\nb\n").as_bytes()),
        Some("age")
    );
    assert_eq!(scheme(armored("CMS", &cms(ENVELOPED)).as_bytes()), Some("cms"));
    assert_eq!(scheme(armored("PKCS7", &cms(SIGNED)).as_bytes()), None);
    let manual = format!("How to read an encrypted mail:\n\n{}", armored("PGP MESSAGE", &message));
    let verdict = by_header(manual.as_bytes(), None).expect("an example");
    assert!(verdict.confidence < 0.8, "an armor inside a text may be an example");
}

#[test]
fn cms_is_encrypted_by_its_content_type() {
    assert_eq!(scheme(&cms(ENVELOPED)), Some("cms"));
    assert_eq!(scheme(&cms(ENCRYPTED)), Some("cms"));
    assert_eq!(scheme(&cms(b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17")), Some("cms"));
    assert_eq!(scheme(&cms(SIGNED)), None);
    let mail = format!(
        "To: a@example.org\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\n{}\n",
        STANDARD.encode(cms(ENVELOPED))
    );
    assert_eq!(scheme(mail.as_bytes()), Some("cms"));
}

#[test]
fn aws_ciphertexts_are_walked() {
    assert_eq!(scheme(&encryption_sdk(b"\x01\x80\x03\x78", 16)), Some("aws_encryption_sdk"));
    assert_eq!(scheme(&encryption_sdk(b"\x02\x05\x78", 32)), Some("aws_encryption_sdk"));
    assert_eq!(scheme(&encryption_sdk(b"\x02\x05\x79", 32)), None);
    let kms = padded(
        &[b"\x01\x02\x02\x00\x78", &[9; 32][..], b"\x01", &[7; 16], b"\0\0\0\x7e\x30\x7c", ENCRYPTED]
            .concat(),
    );
    assert_eq!(scheme(&kms), Some("aws_kms"));
    assert_eq!(scheme(&padded(b"\x01\x02\x02\x00\x78")), None);
    assert_eq!(scheme(STANDARD.encode(&kms).as_bytes()), Some("aws_kms"));
    assert_eq!(
        scheme(STANDARD.encode(encryption_sdk(b"\x02\x05\x78", 32)).as_bytes()),
        Some("aws_encryption_sdk")
    );
}

#[test]
fn tokens_are_taken_apart() {
    let fernet = |length: usize| {
        let token = [&[0x80][..], &1_700_000_000_u64.to_be_bytes(), &vec![5; length - 9]].concat();
        URL_SAFE.encode(token)
    };
    assert_eq!(scheme(fernet(57 + 32).as_bytes()), Some("fernet"));
    assert_eq!(scheme(fernet(57 + 33).as_bytes()), None);
    let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let compact =
        format!("{header}.{}.{}.{}.{}", "k".repeat(342), "a".repeat(16), "c".repeat(80), "t".repeat(22));
    assert_eq!(scheme(compact.as_bytes()), Some("jwe"));
    let json = format!(r#"{{"protected":"{header}","iv":"aaaa","ciphertext":"cccc","tag":"tttt"}}"#);
    assert_eq!(scheme(json.as_bytes()), Some("jwe"));
    let signed = URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256","typ":"JWT"}"#);
    assert_eq!(scheme(format!("{signed}.{}.{}", "p".repeat(90), "s".repeat(342)).as_bytes()), None);
}

#[test]
fn vaults_in_text_are_recognised_by_their_values() {
    let (iv, tag) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 16]));
    let value = format!("ENC[AES256_GCM,data:{},iv:{iv},tag:{tag},type:str]", STANDARD.encode(b"hidden"));
    assert_eq!(scheme(format!("password: {value}\nsops:\n    version: 3.9.0\n").as_bytes()), Some("sops"));
    assert_eq!(scheme(format!("{{\"password\": \"{value}\", \"sops\": {{}}}}").as_bytes()), Some("sops"));
    assert_eq!(
        scheme(b"Values look like ENC[AES256_GCM,data:...,iv:...,tag:...,type:str] in the file."),
        None
    );
    let hex = format!("{}\n", "6162".repeat(20)).repeat(6);
    assert_eq!(scheme(format!("$ANSIBLE_VAULT;1.1;AES256\n{hex}").as_bytes()), Some("ansible_vault"));
    assert_eq!(scheme(b"Vault files begin with $ANSIBLE_VAULT;1.1;AES256 and go on in hex."), None);
    let openssl = STANDARD.encode([b"Salted__".as_slice(), &[7; 56]].concat());
    assert_eq!(scheme(openssl.as_bytes()), Some("openssl_enc"));
    let keyset = format!("{{\"encryptedKeyset\":\"{}\",\"keysetInfo\":{{}}}}", "A".repeat(80));
    assert_eq!(scheme(keyset.as_bytes()), Some("tink_keyset"));
}

fn zip_entry(flags: u8, method: u8) -> Vec<u8> {
    padded(
        &[
            b"PK\x03\x04\x33\x00",
            &[flags, 0, method, 0][..],
            &[0; 8],
            b"\x04\0\0\0\x04\0\0\0\x05\0\0\0helloDATA",
        ]
        .concat(),
    )
}

#[test]
fn archives_say_that_their_entries_are_encrypted() {
    assert_eq!(scheme(&zip_entry(1, 99)), Some("zip_aes"));
    assert_eq!(scheme(&zip_entry(1, 8)), Some("zip_crypto"));
    assert_eq!(scheme(&zip_entry(0, 8)), None);
    let second = [&zip_entry(0, 8)[..30 + 5 + 4], &zip_entry(1, 8)].concat();
    assert_eq!(scheme(&second), Some("zip_crypto"));

    let rar4 = |main: u8, file: u8| {
        let main = [&[0, 0, 0x73, main, 0, 13, 0][..], &[0; 6]].concat();
        let file = [&[0, 0, 0x74, file, 0x80, 32, 0, 4, 0, 0, 0][..], &[0; 21], b"DATA"].concat();
        padded(&[b"Rar!\x1a\x07\x00", main.as_slice(), &file].concat())
    };
    assert_eq!(scheme(&rar4(0x80, 0)), Some("rar4"));
    assert_eq!(scheme(&rar4(0, 4)), Some("rar4"));
    assert_eq!(scheme(&rar4(0, 0)), None);

    let rar5 = |blocks: &[u8]| padded(&[b"Rar!\x1a\x07\x01\x00", blocks].concat());
    let encrypted_headers = b"\0\0\0\0\x04\x04\x00\x00\x00";
    assert_eq!(scheme(&rar5(encrypted_headers)), Some("rar5"));
    let file_with_record = b"\0\0\0\0\x08\x02\x01\x03\x00\x00\x02\x01\x00";
    assert_eq!(scheme(&rar5(file_with_record)), Some("rar5"));
    let file_without = b"\0\0\0\0\x08\x02\x01\x03\x00\x00\x02\x02\x00";
    assert_eq!(scheme(&rar5(file_without)), None);

    let seven_zip = |coder: &[u8]| {
        let header = [&[0x17, 6, 1][..], coder].concat();
        let length = (header.len() as u64).to_le_bytes();
        [
            b"7z\xbc\xaf\x27\x1c\x00\x04\0\0\0\0",
            &40_u64.to_le_bytes()[..],
            &length,
            &[0; 4],
            &[9; 40],
            &header,
        ]
        .concat()
    };
    assert_eq!(scheme_at_end(&seven_zip(b"\x24\x06\xf1\x07\x01")), Some("7z"));
    assert_eq!(scheme_at_end(&seven_zip(b"\x23\x03\x01\x01")), None);
}

#[test]
fn pdf_and_parquet_say_it_at_their_end() {
    let pdf = |trailer: &str| {
        format!(
            "%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< /Root 1 0 R {trailer} >>\nstartxref\n9\n%%EOF\n"
        )
    };
    assert_eq!(scheme_at_end(pdf("/Encrypt 5 0 R").as_bytes()), Some("pdf"));
    assert_eq!(scheme_at_end(pdf("/Encrypt << /Filter /Standard >>").as_bytes()), Some("pdf"));
    assert_eq!(scheme_at_end(pdf("/EncryptMetadata true").as_bytes()), None);
    assert_eq!(scheme_at_end(pdf("").as_bytes()), None);

    assert_eq!(scheme_at_end(&[b"PARE".as_slice(), &[1; 40], b"PARE"].concat()), Some("parquet"));
    // Fields 1 (i32), 2 (empty list), then 8 (a structure) or 6 (a string).
    let parquet = |last: &[u8]| {
        let footer = [&[0x15, 4, 0x19, 0x0c][..], last, &[0]].concat();
        let length = (footer.len() as u32).to_le_bytes();
        [b"PAR1".as_slice(), &[0; 30], &footer, &length, b"PAR1"].concat()
    };
    assert_eq!(scheme_at_end(&parquet(&[0x6c, 0])), Some("parquet"));
    assert_eq!(scheme_at_end(&parquet(&[0x48, 1, b'x'])), None);
}

/// A compound file whose second sector is a directory with one entry of that name.
fn compound_file(entry: &str, stream: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 512 * 4];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    file[30] = 9;
    file[48] = 1;
    file[512..512 + stream.len()].copy_from_slice(stream);
    let name: Vec<u8> = entry.encode_utf16().flat_map(u16::to_le_bytes).collect();
    file[1024..1024 + name.len()].copy_from_slice(&name);
    file
}

#[test]
fn office_documents_say_it_in_their_directory_or_first_record() {
    assert_eq!(scheme_at_end(&compound_file("EncryptedPackage", &[])), Some("office"));
    assert_eq!(scheme_at_end(&compound_file("WordDocument", &[])), None);
    let word = |flags: u8| compound_file("WordDocument", &[0xec, 0xa5, 0, 0, 0, 0, 0, 0, 0, 0, 0, flags]);
    assert_eq!(scheme(&word(1)), Some("office_legacy"));
    assert_eq!(scheme(&word(0)), None);
    let excel =
        |record: u8| compound_file("Workbook", &[9, 8, 4, 0, 0, 6, 5, 0, record, 0, 2, 0, 1, 0, 10, 0, 0, 0]);
    assert_eq!(scheme(&excel(0x2f)), Some("office_legacy"));
    assert_eq!(scheme(&excel(0x42)), None);
}

/// What this crate is made of is text, and some of it names every scheme there is.
#[test]
fn source_and_prose_are_never_recognised() {
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            assert_eq!(by_header(&bytes, Some(bytes.len() as u64)), None, "{}", path.display());
            assert_eq!(by_tail(&bytes, &bytes, bytes.len() as u64), None, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 10);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_neither_a_panic_nor_a_grammar(head in proptest::collection::vec(any::<u8>(), 0..600), size: u64) {
        prop_assert_eq!(by_header(&head, Some(size)), None);
        prop_assert_eq!(by_tail(&head, &head, size), None);
    }

    /// Bytes that begin right and go on wrong reach the depths of each walk.
    #[test]
    fn broken_grammars_never_panic(which in 0_usize..12, keep in 0_usize..80, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
        let pgp = [session_key(3, 1), packet(18, &[1; 100])].concat();
        let starts: [&[u8]; 12] = [
            b"PK\x03\x04", b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c\x00\x04", b"%PDF-1.7 /Root /Encrypt ",
            b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", &pgp, b"\x02\x05\x78", b"-----BEGIN PGP MESSAGE-----\n", b"ENC[AES256_GCM,data:",
            b"\x30\x82",
        ];
        let start = starts[which];
        let mut object = start[..start.len().min(keep)].to_vec();
        object.extend(&rest);
        object.extend(b"PAR1");
        let _ = by_header(&object, None);
        let _ = by_tail(&object, &object, object.len() as u64);
    }
}
