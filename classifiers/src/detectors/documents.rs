//! Is the object, or a document in it, a plan or a policy?

use std::collections::BTreeMap;

use crate::gather::Gather;
use crate::{Category, Detection, Distinct, Evidence, Masked};

/// The verdict on one of the two categories that running text is judged for.
pub(super) fn judge(gather: &Gather, category: Category) -> Option<Detection> {
    let kind = match category {
        Category::Roadmap => "plan",
        _ => "policy",
    };
    let documents: Vec<_> =
        gather.documents.iter().filter(|document| document.judgement.category == category).collect();
    let surest = documents.iter().max_by(|a, b| a.judgement.confidence.total_cmp(&b.judgement.confidence))?;
    let mut distinct = Distinct::default();
    documents.iter().for_each(|document| distinct.insert(document.hash));
    Some(Detection {
        category,
        confidence: surest.judgement.confidence,
        occurrences: documents.len() as u64,
        distinct,
        kinds: BTreeMap::from([(kind, documents.len() as u64)]),
        evidence: documents
            .iter()
            .map(|document| Evidence {
                kind,
                sample: Masked::own("text, not shown"),
                at: document.at.clone(),
            })
            .collect(),
        because: surest.judgement.because.clone(),
    })
}
