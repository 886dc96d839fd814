//! Is it a file format whose only purpose is to be encrypted? These begin with bytes that nothing else begins with.

use super::Verdict;
use super::cursor::Cursor;

/// Recognises age, OpenSSL `enc`, KeePass, LUKS and other containers by their first bytes.
pub(super) fn recognise(head: &[u8]) -> Option<Verdict> {
    if head.starts_with(b"age-encryption.org/v1\n") {
        return age(head);
    }
    if head.starts_with(b"Salted__") && head.len() >= 32 {
        // The salt and at least one block of sixteen; stream modes may be shorter and are left alone.
        return Some(Verdict::certain("openssl_enc", "begins with OpenSSL's `Salted__` and a salt"));
    }
    keepass(head).or_else(|| luks(head)).or_else(|| other_magic(head))
}

/// `age-encryption.org/v1`, then at least one `-> ` stanza (age specification, "Header").
fn age(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(b"age-encryption.org/v1\n")?;
    bytes.literal(b"-> ")?;
    Some(Verdict::certain("age", "an age header with its recipient stanzas"))
}

/// The two signatures of KeePass 1 and 2, little endian: 9AA2D903, then B54BFB65, 66 (pre-release) or 67.
fn keepass(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(&[0x03, 0xd9, 0xa2, 0x9a])?;
    let version = bytes.u8()?;
    bytes.literal(&[0xfb, 0x4b, 0xb5])?;
    match version {
        0x65 => Some(Verdict::certain("keepass", "a KeePass 1 database")),
        0x66 | 0x67 => Some(Verdict::certain("keepass", "a KeePass 2 database")),
        _ => None,
    }
}

/// LUKS on-disk format specification, versions 1 and 2: `LUKS BA BE` and a big-endian version.
fn luks(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(b"LUKS\xba\xbe")?;
    match bytes.u16_be()? {
        1 => Some(Verdict::certain("luks", "a LUKS 1 volume")),
        2 => Some(Verdict::certain("luks", "a LUKS 2 volume")),
        _ => None,
    }
}

/// Formats that need no more than their magic number, which is at least seven bytes long.
fn other_magic(head: &[u8]) -> Option<Verdict> {
    const MAGIC: [(&[u8], &str, &str); 5] = [
        (b"RCLONE\x00\x00", "rclone_crypt", "a file written by rclone's crypt remote"),
        (b"\x00GITCRYPT\x00", "git_crypt", "a file encrypted by git-crypt"),
        (b"encrcdsa\x00\x00\x00", "apple_disk_image", "an encrypted Apple disk image"),
        (b"\xeb\x58\x90-FVE-FS-", "bitlocker", "a BitLocker volume"),
        (b"AES\x02\x00\x00\x1bCREATED_BY\x00", "aes_crypt", "a file written by AES Crypt"),
    ];
    let (_, scheme, because) = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic))?;
    Some(Verdict::certain(scheme, *because))
}
