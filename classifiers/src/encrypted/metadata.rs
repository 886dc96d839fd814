//! Does an object's metadata say that its owner encrypted it? No byte of the object is needed for that.
//!
//! Keys: Amazon S3 Encryption Client, "Encrypted object metadata" (versions 1 to 3), and the Azure Storage client libraries'
//! `encryptiondata`, which stays on objects that were copied between clouds.

use super::Verdict;

/// Looks for the parameters that client-side encryption stores beside an object.
///
/// `metadata` holds user metadata with keys in lower case, with or without their `x-amz-meta-` prefix. Encryption by the
/// service (`x-amz-server-side-encryption`) is not meant: it hides nothing from a reader who is let in.
pub fn by_metadata(metadata: &[(String, String)]) -> Option<Verdict> {
    let value = |wanted: &str| {
        metadata.iter().find_map(|(key, value)| {
            let key = key.strip_prefix("x-amz-meta-").unwrap_or(key);
            (key == wanted && !value.trim().is_empty()).then_some(value.as_str())
        })
    };
    if value("x-amz-key-v2").is_some() && value("x-amz-iv").is_some() {
        let cipher = value("x-amz-cek-alg").filter(|name| name.contains("GCM") || name.contains("CBC"));
        let cipher = if cipher.is_some_and(|name| name.contains("GCM")) { "AES-GCM" } else { "AES" };
        return Some(Verdict::certain(
            "s3_client_side_v2",
            format!("metadata carries a wrapped data key and its IV (S3 client-side encryption, {cipher})"),
        ));
    }
    if value("x-amz-key").is_some() && value("x-amz-iv").is_some() {
        return Some(Verdict::certain(
            "s3_client_side_v1",
            "metadata carries a wrapped data key and its IV (S3 client-side encryption, first version)",
        ));
    }
    if value("x-amz-3").is_some() && value("x-amz-c").is_some() {
        return Some(Verdict::certain(
            "s3_client_side_v3",
            "metadata carries a wrapped data key and its content cipher (S3 client-side encryption, third version)",
        ));
    }
    let third = ["x-amz-c", "x-amz-d", "x-amz-i", "x-amz-w", "x-amz-m", "x-amz-t"];
    if third.iter().filter(|key| value(key).is_some()).count() >= 3 {
        return Some(Verdict::certain(
            "s3_client_side_v3",
            "metadata carries parameters of S3 client-side encryption, third version; its key is in an instruction file",
        ));
    }
    if value("x-amz-crypto-instr-file").is_some() {
        return Some(Verdict::likely(
            "s3_instruction_file",
            0.9,
            "an instruction file of S3 client-side encryption: the wrapped data key of the object beside it",
        ));
    }
    if value("x-amz-wrap-alg").is_some() && value("x-amz-cek-alg").is_some() {
        return Some(Verdict::certain(
            "s3_client_side_v2",
            "metadata names the ciphers of S3 client-side encryption",
        ));
    }
    if value("encryptiondata").is_some_and(|json| json.contains("WrappedContentKey")) {
        return Some(Verdict::certain(
            "azure_client_side",
            "metadata carries a wrapped content key (Azure client-side)",
        ));
    }
    None
}
