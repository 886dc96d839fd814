//! Is this whole object a key?

use super::{Secret, key_store};

/// A file that is a key and nothing else: a Tink keyset, a KeePass key file, or so many bytes (raw, hexadecimal, base64)
/// under a name that says `key`. `head` is the file's beginning, `ended` whether it is all of it.
pub(crate) fn key_file(head: &[u8], name: &str, ended: bool) -> Option<Secret> {
    let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
    let length = head.len();
    if let Some(secret) = key_store::recognise(head) {
        return Some(secret);
    }
    let start = head.trim_ascii_start();
    if start.first() == Some(&b'{') && has("\"primaryKeyId\"") && has("\"keyMaterialType\"") {
        // Public halves open nothing; encrypted keysets have another field.
        let opens = has("\"SYMMETRIC\"") || has("ASYMMETRIC_PRIVATE");
        return opens.then_some(Secret { kind: "keyset", confidence: 0.98, length });
    }
    if has("<KeyFile>") && has("<Data") {
        return Some(Secret { kind: "keepass_key_file", confidence: 0.97, length });
    }
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let named = [".key", ".aes", ".keyfile", "_key", "-key", "key.bin", "key.hex", "key.txt", "key.b64"];
    if !ended || !named.iter().any(|end| file.ends_with(end)) || file.contains("pub") {
        return None;
    }
    let text = head.trim_ascii();
    let is = |test: fn(&u8) -> bool| text.iter().all(test);
    let written = match text.len() {
        32 | 48 | 64 | 128 => is(u8::is_ascii_hexdigit),
        24 | 44 | 88 => {
            is(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'='))
                && text.ends_with(b"=")
        }
        _ => false,
    };
    let raw = matches!(length, 16 | 24 | 32 | 48 | 64) && head.iter().any(|b| *b >= 0x80 || *b < 0x09);
    (written || raw).then_some(Secret { kind: "symmetric_key", confidence: 0.75, length })
}

/// A JSON Web Key that opens or signs: the private part of a pair, or a symmetric key; with the value that does so.
pub(super) fn web_key<'a>(fields: &[(&str, &'a str)]) -> Option<(&'a str, Secret)> {
    let value = |key: &str| fields.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let (secret, kind) = match value("kty")? {
        "RSA" | "EC" | "OKP" => (value("d")?, "private_key"),
        "oct" => (value("k")?, "symmetric_key"),
        _ => return None,
    };
    let is_written = secret.len() >= 16
        && secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='));
    is_written.then_some((secret, Secret { kind, confidence: 0.97, length: secret.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(head: &[u8], name: &str) -> Option<&'static str> {
        key_file(head, name, true).map(|secret| secret.kind)
    }

    #[test]
    fn web_keys_are_secret_where_they_have_their_private_part() {
        let d = "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH";
        assert!(web_key(&[("kty", "EC"), ("crv", "P-256"), ("d", d)]).is_some());
        assert!(web_key(&[("kty", "oct"), ("k", d)]).is_some());
        assert!(web_key(&[("kty", "EC"), ("crv", "P-256"), ("x", d)]).is_none());
    }

    #[test]
    fn keys_are_known_by_form_and_name() {
        let raw: Vec<u8> = (0..32_u8).map(|i| i.wrapping_mul(37) ^ 0x9c).collect();
        assert_eq!(kind(&raw, "backup/master.key"), Some("symmetric_key"));
        assert_eq!(kind(&raw, "backup/picture.bin"), None);
        assert_eq!(
            kind(b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n", "blob.key"),
            Some("symmetric_key")
        );
        assert_eq!(kind(b"hello there, this is my note", "note.key"), None);
        let keyset =
            br#"{"primaryKeyId": 1, "key": [{"keyData": {"keyMaterialType": "SYMMETRIC", "value": "GhA"}}]}"#;
        assert_eq!(kind(keyset, "keyset.json"), Some("keyset"));
        assert_eq!(
            kind(b"<KeyFile><Key><Data>x</Data></Key></KeyFile>", "db.keyx"),
            Some("keepass_key_file")
        );
    }
}
