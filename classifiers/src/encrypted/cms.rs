//! Is it a CMS (PKCS #7) message that is encrypted?

use super::Verdict;
use super::cursor::Cursor;

/// 1.2.840.113549.1.7.3, EnvelopedData (RFC 5652 §6), as a DER object identifier.
const ENVELOPED_DATA_OID: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// 1.2.840.113549.1.7.6, EncryptedData (RFC 5652 §8).
pub(super) const ENCRYPTED_DATA_OID: [u8; 11] =
    [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// 1.2.840.113549.1.9.16.1.23, AuthEnvelopedData (RFC 5083 §2).
const AUTH_ENVELOPED_DATA_OID: [u8; 13] =
    [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17];

/// A SEQUENCE whose first element names an encrypted content type, followed by its `[0]`.
pub(super) fn recognise(head: &[u8], size: Option<u64>) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(&[0x30])?;
    let length = length(&mut bytes)?;
    if let (Some(length), Some(size)) = (length, size) {
        // DER says how long it is; trailing bytes are rare but legal, a longer promise is not.
        (length < size).then_some(())?;
    }
    let found = [
        (ENVELOPED_DATA_OID.as_slice(), "a CMS message encrypted for its recipients (EnvelopedData)"),
        (
            AUTH_ENVELOPED_DATA_OID.as_slice(),
            "a CMS message encrypted for its recipients (AuthEnvelopedData)",
        ),
        (ENCRYPTED_DATA_OID.as_slice(), "a CMS message encrypted with a shared key (EncryptedData)"),
    ]
    .into_iter()
    .find_map(|(oid, because)| bytes.literal(oid).map(|()| because))?;
    (bytes.u8()? == 0xa0).then(|| Verdict::certain("cms", found))
}

/// A BER length: `Some(None)` where it is indefinite.
fn length(bytes: &mut Cursor<'_>) -> Option<Option<u64>> {
    match bytes.u8()? {
        0x80 => Some(None),
        short @ 0..0x80 => Some(Some(u64::from(short))),
        long => {
            let count = usize::from(long & 0x7f);
            (count <= 8).then_some(())?;
            Some(Some(bytes.take(count)?.iter().fold(0, |sum, &b| sum << 8 | u64::from(b))))
        }
    }
}
