//! What does `storage:objects.get` state about an object?

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::estate::{Checksums, Object, State};

/// The object that an answer is about; what it does not state, or states in another form, is left out.
pub fn object(key: &str, answer: &Value) -> Object {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let number = |name: &str| match answer.get(name) {
        Some(Value::String(text)) => text.parse::<u64>().ok(),
        Some(value) => value.as_u64(),
        None => None,
    };
    Object {
        key: key.to_owned(),
        size_bytes: number("size").unwrap_or(0),
        etag: text("etag").map(str::to_owned),
        modified: text("updated").and_then(|date| OffsetDateTime::parse(date, &Rfc3339).ok()),
        storage_class: text("storageClass").map(str::to_owned),
        version: number("generation").map(|generation| generation.to_string()),
        state: match (text("softDeleteTime"), text("timeDeleted")) {
            (Some(_), _) => State::SoftDeleted,
            (None, Some(_)) => State::Noncurrent,
            (None, None) => State::Current,
        },
        checksums: Checksums {
            md5: text("md5Hash").and_then(decoded),
            crc32c: text("crc32c").and_then(decoded).map(u32::from_be_bytes),
            ..Checksums::default()
        },
    }
}

/// User metadata by its own names, and the fields that say how the bytes are packed and encrypted, in lower case.
pub fn object_metadata(answer: &Value) -> BTreeMap<String, String> {
    let user = answer.get("metadata").and_then(Value::as_object).into_iter().flatten();
    let mut metadata: BTreeMap<String, String> =
        user.filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned()))).collect();
    let fields = [
        ("content-encoding", "/contentEncoding"),
        ("content-type", "/contentType"),
        ("x-goog-encryption-kms-key-name", "/kmsKeyName"),
        ("x-goog-encryption-algorithm", "/customerEncryption/encryptionAlgorithm"),
    ];
    for (name, pointer) in fields {
        if let Some(value) = answer.pointer(pointer).and_then(Value::as_str).filter(|value| !value.is_empty())
        {
            metadata.insert(name.to_owned(), value.to_owned());
        }
    }
    metadata
}

/// Exactly `N` bytes in base64 with its padding, as Google writes digests.
fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.trim_end_matches('=');
    if digits.len() != (N * 8).div_ceil(6) {
        return None;
    }
    let mut bytes = [0; N];
    let (mut bits, mut held, mut at) = (0_u32, 0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            *bytes.get_mut(at)? = u8::try_from((bits >> held) & 0xff).ok()?;
            at += 1;
        }
    }
    (at == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn digests_are_decoded_or_left_out() {
        let answer = json!({"md5Hash": "XrY7u+Ae7tCTyyK7j1rNww==", "crc32c": "yZRlqg==", "size": "11", "generation": "7"});
        let object = object("k", &answer);
        assert_eq!(object.checksums.md5.map(|md5| md5[..4].to_vec()), Some(vec![0x5e, 0xb6, 0x3b, 0xbb]));
        assert_eq!(object.checksums.crc32c, Some(0xc994_65aa));
        assert_eq!((object.size_bytes, object.version.as_deref()), (11, Some("7")));
        for broken in ["", "XrY7u+Ae7tCTyyK7j1rNww", "XrY7u+Ae7tCTyyK7j1rN!w==", "AAAA", "yZRlqg==yZRlqg=="] {
            let object = super::object("k", &json!({"md5Hash": broken, "crc32c": 7}));
            assert!(object.checksums.crc32c.is_none());
            assert!(object.checksums.md5.is_none() || broken.len() == 22, "{broken}");
        }
    }

    #[test]
    fn metadata_says_how_the_bytes_are_packed() {
        let metadata = object_metadata(&json!({"metadata": {"Team": "data"}, "contentEncoding": "gzip"}));
        assert_eq!(metadata.get("team").map(String::as_str), Some("data"));
        assert_eq!(metadata.get("content-encoding").map(String::as_str), Some("gzip"));
    }
}
