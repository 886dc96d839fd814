use proptest::prelude::*;

use super::*;

fn scheme(head: &[u8]) -> Option<&'static str> {
    by_header(head, Some(head.len() as u64)).map(|verdict| verdict.scheme)
}

fn meta(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn client_side_encryption_is_seen_without_a_byte() {
    let second = meta(&[("x-amz-meta-x-amz-key-v2", "wrapped"), ("x-amz-meta-x-amz-iv", "iv")]);
    assert_eq!(by_metadata(&second).map(|v| v.scheme), Some("s3_client_side_v2"));
    let third = meta(&[("x-amz-c", "115"), ("x-amz-3", "wrapped"), ("x-amz-w", "02")]);
    assert_eq!(by_metadata(&third).map(|v| v.scheme), Some("s3_client_side_v3"));
    assert_eq!(by_metadata(&meta(&[("x-amz-server-side-encryption", "aws:kms"), ("author", "x")])), None);
}

#[test]
fn magic_numbers_are_recognised() {
    let padded = |magic: &[u8]| [magic, &[7; 64]].concat();
    assert_eq!(scheme(&padded(b"age-encryption.org/v1\n-> X25519 abc\n\x00")), Some("age"));
    assert_eq!(scheme(&padded(b"Salted__\x01\x02\x03\x04\x05\x06\x07\x08")), Some("openssl_enc"));
    assert_eq!(scheme(&padded(b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5")), Some("keepass"));
    assert_eq!(scheme(&padded(b"LUKS\xba\xbe\x00\x02")), Some("luks"));
    assert_eq!(
        scheme(&padded(
            b"PK\x03\x04\x33\x00\x01\x00\x63\x00\0\0\0\0\0\0\0\0\x10\0\0\0\x10\0\0\0\x05\0\0\0hello"
        )),
        Some("zip_aes")
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(head in proptest::collection::vec(any::<u8>(), 0..600), size in any::<u64>()) {
        let _ = by_header(&head, Some(size));
        let _ = by_tail(&head, &head, size);
    }
}
