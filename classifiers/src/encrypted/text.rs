//! Is a text an encrypted thing in a printable coat, or does it hold one?

use memchr::memmem;

use super::base64_text::{armored, decode, is_base64, whole};
use super::{Verdict, aws, cms, openpgp, vault};

/// A token of so many bytes is certain by its beginning.
const TOKEN_BYTES_CERTAIN: usize = 4 << 10;

/// Recognises a JSON Web Encryption object by the fields of a record (RFC 7516 7.2), whose ciphertext may come before all
/// that a head shows.
pub(crate) fn by_fields(fields: &[(&str, &str)]) -> Option<Verdict> {
    let value = |key: &str| fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes());
    value("ciphertext").and(value("iv")).and(value("tag"))?;
    jwe_header(value("protected")?).then(|| Verdict::certain("jwe", "a JSON Web Encryption object"))
}

/// Recognises encrypted grammars in the first bytes of a text.
pub(super) fn recognise(head: &[u8]) -> Option<Verdict> {
    let start = head.trim_ascii_start();
    // SOPS may wrap an age or OpenPGP armor for its data key, so its own values come first.
    sops(head)
        .or_else(|| ansible_vault(head))
        .or_else(|| armor(head, start))
        .or_else(|| smime(head))
        .or_else(|| fernet(start))
        .or_else(|| jwe(start))
        .or_else(|| tink_keyset(start))
        .or_else(|| {
            let bytes = whole(head)?;
            let inner = vault::recognise(&bytes)
                .or_else(|| aws::encryption_sdk(&bytes))
                .or_else(|| aws::kms(&bytes))
                .or_else(|| cms::recognise(&bytes, None))
                .or_else(|| openpgp::recognise(&bytes))?;
            Some(Verdict { because: format!("{}, in base64", inner.because), ..inner })
        })
}

/// SOPS writes each value as `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` with 32 bytes of IV and 16 of tag, and its own
/// settings under the key `sops`.
fn sops(head: &[u8]) -> Option<Verdict> {
    const OPEN: &[u8] = b"ENC[AES256_GCM,data:";
    let mut values = 0_usize;
    for at in memmem::find_iter(head, OPEN).take(64) {
        let rest = head.get(at + OPEN.len()..)?;
        let Some(close) = memchr::memchr(b']', rest) else { break };
        if rest.get(..close).is_some_and(sops_value) {
            values += 1;
        }
    }
    if values == 0 {
        return None;
    }
    let settings = [b"\nsops:".as_slice(), b"\"sops\"", b"sops_version=", b"[sops]", b"\nsops_"];
    Some(if settings.iter().any(|key| memmem::find(head, key).is_some()) {
        Verdict::certain("sops", format!("{values} value(s) encrypted by SOPS, with its settings"))
    } else {
        let confidence = if values > 1 { 0.9 } else { 0.7 };
        Verdict::likely("sops", confidence, format!("{values} value(s) encrypted by SOPS"))
    })
}

fn sops_value(value: &[u8]) -> bool {
    let mut parts = value.split(|&b| b == b',');
    let mut bytes_of = |label: &[u8]| {
        let part = parts.next()?;
        let part = part.strip_prefix(label).unwrap_or(part);
        decode(part).map(|bytes| bytes.len())
    };
    let (data, iv, tag) = (bytes_of(b"data:"), bytes_of(b"iv:"), bytes_of(b"tag:"));
    data.is_some() && matches!(iv, Some(12 | 32)) && tag == Some(16)
}

/// `$ANSIBLE_VAULT;1.1;AES256` and lines of hexadecimal digits, as a file or indented as a YAML value.
fn ansible_vault(head: &[u8]) -> Option<Verdict> {
    let at = memmem::find(head, b"$ANSIBLE_VAULT;1.")?;
    let mut lines = head.get(at..)?.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    memmem::find(lines.next()?, b";AES")?;
    let hex: usize = lines
        .take_while(|line| !line.is_empty() && line.iter().all(u8::is_ascii_hexdigit))
        .map(<[u8]>::len)
        .sum();
    // Salt, HMAC and one block, each printed as hex twice over.
    if hex < 200 {
        return None;
    }
    let whole = head.get(..at).is_some_and(|before| before.trim_ascii().is_empty());
    Some(Verdict::certain(
        "ansible_vault",
        if whole { "an Ansible vault" } else { "values in Ansible vaults" },
    ))
}

/// age, OpenPGP and CMS in their armor. One that stands in the middle of other text may be an example in a manual, so it
/// is less certain, although its inside was decoded and checked.
fn armor(head: &[u8], start: &[u8]) -> Option<Verdict> {
    for at in memmem::find_iter(head, b"-----BEGIN ").take(16) {
        let rest = head.get(at + b"-----BEGIN ".len()..)?;
        let Some(label_end) = memmem::find(rest.get(..40).unwrap_or(rest), b"-----") else { continue };
        let (Some(label), Some(after)) = (rest.get(..label_end), rest.get(label_end + 5..)) else { continue };
        let inside = match label {
            b"AGE ENCRYPTED FILE" => armored(after).and_then(|bytes| vault::recognise(&bytes)),
            b"PGP MESSAGE" => armored(after).and_then(|bytes| openpgp::recognise(&bytes)),
            b"CMS" | b"PKCS7" => armored(after).and_then(|bytes| cms::recognise(&bytes, None)),
            _ => None,
        };
        if let Some(verdict) = inside {
            let alone = start.starts_with(b"-----BEGIN ");
            let confidence = if alone { verdict.confidence } else { 0.7 };
            return Some(Verdict {
                confidence,
                because: format!("{}, in armor", verdict.because),
                ..verdict
            });
        }
    }
    None
}

/// A mail whose body is CMS (RFC 8551 §3.3): `smime-type=enveloped-data`, and base64 after the blank line that bears it out.
fn smime(head: &[u8]) -> Option<Verdict> {
    let header = memmem::find(head, b"smime-type=")?;
    let after = head.get(header + b"smime-type=".len()..)?;
    let kind = after.strip_prefix(b"\"").unwrap_or(after);
    if !kind.starts_with(b"enveloped-data") && !kind.starts_with(b"authEnveloped-data") {
        return None;
    }
    let blank = memmem::find(after, b"\n\n").or_else(|| memmem::find(after, b"\r\n\r\n"))?;
    let inner = cms::recognise(&whole(after.get(blank..)?)?, None)?;
    Some(Verdict { because: format!("{}, as a mail", inner.because), ..inner })
}

/// One word of base64url: 0x80, eight bytes of time, IV, blocks, HMAC (Fernet specification). The token must be the first
/// thing in the text and stand alone on its line.
fn fernet(start: &[u8]) -> Option<Verdict> {
    if !start.starts_with(b"gAAAAA") {
        return None;
    }
    let line = start.split(|&b| b == b'\n').next()?.trim_ascii();
    if !line.iter().all(|&b| is_base64(b)) {
        return None;
    }
    let cut_off = could_go_on(line, start);
    let whole_quanta = line.get(..line.len() / 4 * 4)?;
    let bytes = decode(if cut_off { whole_quanta } else { line })?;
    let time = u64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?);
    // Fernet is of 2013; and 2100 is late enough.
    let dated = (1_300_000_000..4_102_444_800).contains(&time);
    let sized = cut_off || (bytes.len() >= 73 && (bytes.len() - 57).is_multiple_of(16));
    (dated && sized).then(|| Verdict::certain("fernet", "a Fernet token"))
}

/// Whether a token that fills the head may go on behind it, so that its end says nothing.
fn could_go_on(line: &[u8], start: &[u8]) -> bool {
    line.len() == start.trim_ascii_end().len() && line.len() >= TOKEN_BYTES_CERTAIN
}

/// RFC 7516: five parts whose first is a header that names `alg` and `enc`; or its JSON form.
fn jwe(start: &[u8]) -> Option<Verdict> {
    if start.starts_with(b"{") {
        let has = |key: &[u8]| memmem::find(start, key).is_some();
        let json = has(b"\"ciphertext\"") && has(b"\"protected\"") && has(b"\"tag\"") && has(b"\"iv\"");
        let header = json.then(|| string_after(start, b"\"protected\"")).flatten()?;
        return jwe_header(header).then(|| Verdict::certain("jwe", "a JSON Web Encryption object"));
    }
    if !start.starts_with(b"eyJ") {
        return None;
    }
    let line = start.split(|&b| b == b'\n').next()?.trim_ascii();
    let mut parts = line.split(|&b| b == b'.');
    let header = parts.next()?;
    let lengths: Vec<usize> = parts.by_ref().map(<[u8]>::len).collect();
    let (iv, ciphertext, tag) = match lengths.as_slice() {
        [_, iv, ciphertext, tag] => (iv, ciphertext, Some(*tag)),
        [_, iv, ciphertext] if could_go_on(line, start) => (iv, ciphertext, None),
        _ => return None,
    };
    let shaped = (16..=24).contains(iv) && *ciphertext > 0 && tag.is_none_or(|tag| (16..=64).contains(&tag));
    let printable = line.iter().all(|&b| b == b'.' || is_base64(b));
    (shaped && printable && jwe_header(header))
        .then(|| Verdict::certain("jwe", "a compact JSON Web Encryption token"))
}

fn jwe_header(part: &[u8]) -> bool {
    decode(part).is_some_and(|json| {
        json.starts_with(b"{")
            && memmem::find(&json, b"\"enc\"").is_some()
            && (memmem::find(&json, b"\"alg\"").is_some() || memmem::find(&json, b"\"epk\"").is_some())
    })
}

/// The JSON string that follows a key, without looking at escapes: base64url has none.
fn string_after<'a>(json: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let rest = json.get(memmem::find(json, key)? + key.len()..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    rest.get(..memchr::memchr(b'"', rest)?)
}

/// Tink's JSON for a keyset that is itself encrypted.
fn tink_keyset(start: &[u8]) -> Option<Verdict> {
    if !start.starts_with(b"{") {
        return None;
    }
    memmem::find(start, b"\"keysetInfo\"")?;
    let encrypted = string_after(start, b"\"encryptedKeyset\"")?;
    (encrypted.len() >= 40 && encrypted.iter().all(|&b| is_base64(b)))
        .then(|| Verdict::certain("tink_keyset", "an encrypted Tink keyset"))
}
