//! Is the object, or a part of it, encrypted by its owner?

use crate::gather::Gather;
use crate::{Category, Detection, Distinct, Evidence, Masked};

/// The verdict over all encrypted parts.
pub(super) fn judge(gather: &Gather) -> Option<Detection> {
    let surest =
        gather.encrypted.iter().max_by(|a, b| a.verdict.confidence.total_cmp(&b.verdict.confidence))?;
    let mut distinct = Distinct::default();
    for part in &gather.encrypted {
        distinct.insert(gather.key.hash(part.verdict.scheme.as_bytes()));
    }
    Some(Detection {
        category: Category::EncryptedBlob,
        confidence: surest.verdict.confidence,
        occurrences: gather.encrypted.iter().map(|part| part.count).sum(),
        distinct,
        kinds: gather.encrypted.iter().map(|part| (part.verdict.scheme, part.count)).collect(),
        evidence: gather
            .encrypted
            .iter()
            .map(|part| Evidence {
                kind: part.verdict.scheme,
                sample: Masked::own("ciphertext, not shown"),
                at: part.at.clone(),
            })
            .collect(),
        because: gather.encrypted.iter().map(|part| part.verdict.because.clone()).collect(),
    })
}
