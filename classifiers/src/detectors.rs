//! What does everything that was seen in an object amount to? One judge per category.

mod documents;
pub(crate) mod employee_pii;
mod encrypted_blob;
pub(crate) mod interaction;

use crate::gather::Gather;
use crate::{Category, Detection};

/// Samples shown for one detection.
const EVIDENCE_MAX: usize = 6;

/// The detections in what was gathered, the most confident first. `name` is the object's name, a weak hint.
pub(crate) fn judge(gather: &mut Gather, name: &str) -> Vec<Detection> {
    gather.tables.iter_mut().for_each(|table| table.choose_keys());
    let mut detections: Vec<Detection> = [
        employee_pii::judge(gather, name),
        interaction::judge(gather),
        encrypted_blob::judge(gather),
        documents::judge(gather, Category::Roadmap),
        documents::judge(gather, Category::InternalPolicy),
        std::mem::take(&mut gather.secrets).detection(),
    ]
    .into_iter()
    .flatten()
    .collect();
    for detection in &mut detections {
        detection.evidence.truncate(EVIDENCE_MAX);
        detection.confidence = (detection.confidence.clamp(0.0, 0.99) * 1000.0).round() / 1000.0;
    }
    detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.category.cmp(&b.category)));
    detections
}
