//! Is it ciphertext of the AWS Encryption SDK or of AWS KMS?

use super::Verdict;
use super::cms::ENCRYPTED_DATA_OID;
use super::cursor::Cursor;

/// Algorithm suites of the first message format (AWS Encryption SDK, "Algorithms reference").
const SUITES_V1: [u16; 9] = [0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378];
/// Algorithm suites of the second, with key commitment.
const SUITES_V2: [u16; 2] = [0x0478, 0x0578];

/// Walks a message header: version, suite, message id, encryption context, encrypted data keys.
pub(super) fn encryption_sdk(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    let (version, message_id_bytes) = match bytes.u8()? {
        1 => {
            bytes.literal(&[0x80])?;
            SUITES_V1.contains(&bytes.u16_be()?).then_some((1, 16))?
        }
        2 => SUITES_V2.contains(&bytes.u16_be()?).then_some((2, 32))?,
        _ => return None,
    };
    bytes.take(message_id_bytes)?;
    let context_bytes = usize::from(bytes.u16_be()?);
    encryption_context(bytes.take(context_bytes)?)?;
    let keys = bytes.u16_be().filter(|count| (1..=1024).contains(count))?;
    let provider_bytes = usize::from(bytes.u16_be()?);
    let provider = bytes.take(provider_bytes)?;
    if provider.is_empty() || !provider.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    Some(Verdict::certain(
        "aws_encryption_sdk",
        format!("an AWS Encryption SDK message, version {version}, for {keys} key(s)"),
    ))
}

/// Length-prefixed pairs that must use up exactly the bytes announced.
fn encryption_context(context: &[u8]) -> Option<()> {
    if context.is_empty() {
        return Some(());
    }
    let mut bytes = Cursor::new(context);
    for _ in 0..bytes.u16_be()? {
        let key = usize::from(bytes.u16_be()?);
        bytes.take(key)?;
        let value = usize::from(bytes.u16_be()?);
        bytes.take(value)?;
    }
    bytes.rest().is_empty().then_some(())
}

/// KMS documents its ciphertext as opaque; symmetric keys have produced `01 0x 02 00`, a digest, and a CMS EncryptedData
/// for years, and the object identifier makes chance impossible.
pub(super) fn kms(head: &[u8]) -> Option<Verdict> {
    if !matches!(head, [1, 1 | 2, 2, 0, ..]) {
        return None;
    }
    memchr::memmem::find(head.get(..160).unwrap_or(head), &ENCRYPTED_DATA_OID)?;
    Some(Verdict::certain("aws_kms", "a ciphertext blob of AWS KMS"))
}
