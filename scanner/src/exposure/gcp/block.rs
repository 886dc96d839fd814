//! Which settings put public grants or access lists out of effect, and where do they stand?
//!
//! Source: Cloud Storage, "Public access prevention" and "Uniform bucket-level access". `inherited` prevents nothing by
//! itself: then the organization policy's constraint decides. Grants stay where they are and are overridden.

use crate::estate::gcp::constraint;
use crate::estate::{Fact, Gap, GapReason};

use super::Dossier;

/// The constraint of an organization policy that prevents public access in all buckets of a project.
pub(super) const PREVENTION: &str = "storage.publicAccessPrevention";

/// A setting, over all levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    /// On, as this sentence says.
    On(String),
    /// Off everywhere.
    Off,
    /// Off where it could be seen.
    Unseen(Gap),
}

/// Whether grants to everybody are without effect.
pub(super) fn public_access_prevention(dossier: &Dossier<'_>) -> Setting {
    let of_bucket = match &dossier.config {
        Fact::Present(config) => match config.public_access_prevention.as_str() {
            "enforced" => {
                return Setting::On("public access prevention is enforced on the bucket".to_owned());
            }
            // The word of before 2022 for the same.
            "inherited" | "unspecified" => None,
            _ => Some(Gap {
                reason: GapReason::Malformed,
                operation: "storage:buckets.get".to_owned(),
                resource: dossier.bucket.name.clone(),
                detail: format!(
                    "public access prevention of `{}` is neither `enforced` nor `inherited`",
                    dossier.bucket.name
                ),
            }),
        },
        Fact::Absent => None,
        Fact::Unread(gap) => Some(gap.clone()),
    };
    let of_organization = match constraint(&dossier.facts, PREVENTION) {
        Fact::Present(true) => {
            return Setting::On(format!("the organization policy enforces `{PREVENTION}` on the project"));
        }
        Fact::Present(false) | Fact::Absent => None,
        // Where there is no organization, there is no policy of one.
        Fact::Unread(_) if dossier.has_no_organization() => None,
        Fact::Unread(gap) => Some(gap),
    };
    of_bucket.or(of_organization).map_or(Setting::Off, Setting::Unseen)
}

/// Whether access lists are without effect.
pub(super) fn uniform_access(dossier: &Dossier<'_>) -> Setting {
    match &dossier.config {
        Fact::Present(config) if config.uniform => {
            Setting::On("uniform bucket-level access puts access lists out of effect".to_owned())
        }
        Fact::Present(_) | Fact::Absent => Setting::Off,
        Fact::Unread(gap) => Setting::Unseen(gap.clone()),
    }
}
