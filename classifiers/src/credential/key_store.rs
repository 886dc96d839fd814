//! Are these bytes a private key or a store of keys, as programs keep them without armor?

use super::Secret;

/// Arcs of object identifiers, as they stand in DER.
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01";
const ELLIPTIC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// Ed25519, Ed448, X25519, X448 (RFC 8410), but for the last byte.
const EDWARDS: &[u8] = b"\x2b\x65";
const PKCS5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";
const PKCS7_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const PKCS12_PBE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";

/// A key by its structure, whatever its name.
pub(super) fn recognise(head: &[u8]) -> Option<Secret> {
    let (kind, confidence) = match head.first()? {
        0x30 => der(head)?,
        0xfe | 0xce => java(head)?,
        0x94..=0x97 | 0xc5 => openpgp(head)?,
        _ => return None,
    };
    Some(Secret { kind, confidence, length: head.len() })
}

/// The head of a DER value: its tag, its content as far as the bytes reach, and what follows it.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((tag, content, after))
}

fn der(head: &[u8]) -> Option<(&'static str, f64)> {
    let (_, content, _) = value(head)?;
    let (tag, first, rest) = value(content)?;
    match (tag, first) {
        (0x02, [3]) => {
            // PFX of PKCS #12 (RFC 7292): version 3 and the content, which is data.
            let (_, content, _) = value(rest).filter(|(tag, ..)| *tag == 0x30)?;
            value(content).filter(|(tag, id, _)| *tag == 0x06 && *id == PKCS7_DATA)?;
            Some(("key_store", 0.85))
        }
        (0x02, [0 | 1]) => private(first, rest),
        (0x30, algorithm) => {
            // EncryptedPrivateKeyInfo of PKCS #8 (RFC 5958): an algorithm of PKCS #5 or #12, and the ciphertext.
            let (tag, id, _) = value(algorithm)?;
            let by_password = tag == 0x06 && (id.starts_with(PKCS5) || id.starts_with(PKCS12_PBE));
            value(rest).filter(|(tag, sealed, _)| *tag == 0x04 && sealed.len() >= 40)?;
            by_password.then_some(("encrypted_private_key", 0.9))
        }
        _ => None,
    }
}

/// PKCS #8, PKCS #1 (RFC 8017 A.1.2) or SEC 1 (RFC 5915), behind the version.
fn private(version: &[u8], rest: &[u8]) -> Option<(&'static str, f64)> {
    let (tag, second, rest) = value(rest)?;
    let is_key = match tag {
        0x30 => {
            let (tag, id, _) = value(second)?;
            let known = id.starts_with(RSA) || id == ELLIPTIC || (id.len() == 3 && id.starts_with(EDWARDS));
            tag == 0x06 && known && value(rest)?.0 == 0x04
        }
        // A modulus of 512 bits at least, then the usual exponent.
        0x02 => {
            version == [0]
                && second.len() >= 64
                && value(rest).is_some_and(|(tag, e, _)| tag == 0x02 && e.len() <= 4)
        }
        0x04 => {
            version == [1]
                && (20..=66).contains(&second.len())
                && matches!(value(rest), None | Some((0xa0 | 0xa1, ..)))
        }
        _ => false,
    };
    is_key.then_some(("private_key", 0.97))
}

/// The stores of Java, JKS and JCEKS, whose first entry is a key: magic, version, count, then the entry's tag. What begins
/// with a certificate is mostly a list of those that are trusted.
fn java(head: &[u8]) -> Option<(&'static str, f64)> {
    let words = head.get(..16)?.as_chunks::<4>().0;
    let [magic, [0, 0, 0, 1 | 2], count, [0, 0, 0, tag]] = words else { return None };
    let known = matches!(magic, [0xfe, 0xed, 0xfe, 0xed] | [0xce, 0xce, 0xce, 0xce]);
    (known && *count != [0; 4] && matches!(tag, 1 | 3)).then_some(("key_store", 0.95))
}

/// A secret key packet of OpenPGP (RFC 9580 5.5.3), old or new form: tag, length, version, time, algorithm.
fn openpgp(head: &[u8]) -> Option<(&'static str, f64)> {
    let length = match head.first()? {
        0x94 => 1,
        0x95 => 2,
        0x96 => 4,
        0xc5 => match head.get(1)? {
            0..=191 => 1,
            192..=223 => 2,
            255 => 5,
            _ => return None,
        },
        _ => return None,
    };
    let body = head.get(1 + length..)?;
    let (version, rest) = body.split_first()?;
    let (time, rest) = rest.split_first_chunk::<4>()?;
    let (algorithm, _) = rest.split_first()?;
    // Keys are of 1995 and later.
    let dated = u32::from_be_bytes(*time) > 788_918_400;
    let known = matches!(algorithm, 1..=3 | 16 | 17 | 18 | 19 | 22 | 25..=28);
    // A user's name follows every transferable key; without it eight bytes say little.
    let owned = memchr::memchr(b'@', head).is_some();
    (matches!(version, 4 | 6) && dated && known && owned && body.len() > 40).then_some(("private_key", 0.85))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der_of(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len() as u16;
        [&[tag, 0x82][..], &length.to_be_bytes(), content].concat()
    }

    fn kind(bytes: &[u8]) -> Option<&'static str> {
        recognise(bytes).map(|secret| secret.kind)
    }

    #[test]
    fn keys_in_der_are_known_by_their_structure() {
        let octets = der_of(0x04, &[7; 48]);
        let rsa = der_of(0x30, &der_of(0x06, &[RSA, b"\x01"].concat()));
        assert_eq!(kind(&der_of(0x30, &[b"\x02\x01\0", &rsa[..], &octets].concat())), Some("private_key"));
        let modulus = [der_of(0x02, &[9; 256]), b"\x02\x03\x01\0\x01".to_vec()].concat();
        assert_eq!(kind(&der_of(0x30, &[b"\x02\x01\0", &modulus[..]].concat())), Some("private_key"));
        let pbes2 = der_of(0x30, &der_of(0x06, &[PKCS5, b"\x0d"].concat()));
        assert_eq!(kind(&der_of(0x30, &[pbes2, octets].concat())), Some("encrypted_private_key"));
        let data = der_of(0x30, &der_of(0x06, PKCS7_DATA));
        assert_eq!(kind(&der_of(0x30, &[b"\x02\x01\x03", &data[..]].concat())), Some("key_store"));
    }

    #[test]
    fn certificates_and_public_keys_are_no_secret() {
        let rsa = der_of(0x30, &der_of(0x06, &[RSA, b"\x01"].concat()));
        assert_eq!(kind(&der_of(0x30, &[rsa, der_of(0x03, &[7; 270])].concat())), None);
        let tbs = der_of(0x30, b"\xa0\x03\x02\x01\x02\x02\x01\x05");
        assert_eq!(kind(&der_of(0x30, &tbs)), None);
        assert_eq!(kind(b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01\0\0\0\x02more"), None);
    }

    #[test]
    fn stores_of_java_are_known_by_their_first_entry() {
        assert_eq!(kind(b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01\0\0\0\x01more"), Some("key_store"));
    }
}
