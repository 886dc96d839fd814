//! What do the classifiers say of an object?

use std::collections::BTreeMap;

use serde::Serialize;

use crate::copies::Match;
use crate::{Distinct, Masked};

/// The kinds of content that must not be reachable from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Private keys, cloud keys, tokens.
    Credential,
    /// Directories and records of an organisation's people.
    EmployeePii,
    /// Content encrypted by its owner: user blobs, vaults, encrypted archives and documents.
    EncryptedBlob,
    /// Who did what when: clickstream, sessions, access logs with stable ids.
    InteractionMetadata,
    /// Rules an organisation sets for itself.
    InternalPolicy,
    /// What an organisation will build, and when.
    Roadmap,
}

impl Category {
    /// Every category, in the order of its name.
    pub const ALL: [Self; 6] = [
        Self::Credential,
        Self::EmployeePii,
        Self::EncryptedBlob,
        Self::InteractionMetadata,
        Self::InternalPolicy,
        Self::Roadmap,
    ];

    /// The name used in findings, configuration and answer keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::EmployeePii => "employee_pii",
            Self::EncryptedBlob => "encrypted_blob",
            Self::InteractionMetadata => "interaction_metadata",
            Self::InternalPolicy => "internal_policy",
            Self::Roadmap => "roadmap",
        }
    }
}

/// One category found in one object.
#[derive(Debug, Clone, Serialize)]
pub struct Detection {
    /// What was found.
    pub category: Category,
    /// How sure the classifier is, 0..=1.
    pub confidence: f64,
    /// How often: values, rows, events or keys, by category.
    pub occurrences: u64,
    /// How many distinct people, ids or secrets; serialised as the estimate, mergeable across objects.
    pub distinct: Distinct,
    /// What the count is made of, for example `{"private_key": 1}` or `{"work_email": 412, "phone": 410}`.
    pub kinds: BTreeMap<&'static str, u64>,
    /// A few masked samples with their positions.
    pub evidence: Vec<Evidence>,
    /// The reasons in words; no content.
    pub because: Vec<String>,
}

impl Detection {
    /// Whether what was found could open encrypted content that lies beside it: private keys, symmetric keys, keysets, and
    /// not merely tokens of a service.
    pub fn holds_key_material(&self) -> bool {
        self.category == Category::Credential
            && self.kinds.keys().any(|kind| crate::credential::KEY_MATERIAL.contains(kind))
    }
}

/// One masked sample and where it stands.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// What the sample is an instance of, for example `work_email`.
    pub kind: &'static str,
    /// The value, masked.
    pub sample: Masked,
    /// Path inside archives, sheet, column, row, page or byte offset, masked where it is made of content.
    pub at: Masked,
}

/// Everything that is known about one object after it was read.
#[derive(Debug, Clone, Serialize)]
pub struct Classification {
    /// The type by its bytes, as a media type.
    pub content_type: &'static str,
    /// One per category found, most confident first.
    pub detections: Vec<Detection>,
    /// Known documents that stand in it, where an index of them was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Match>,
    /// Bytes that were looked at.
    pub bytes_read: u64,
    /// Bytes that the object has, where known.
    pub bytes_total: Option<u64>,
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
}

/// Something in the object that could not be looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The class of the reason, stable for counting.
    pub reason: GapReason,
    /// A sentence for a person; no content.
    pub detail: String,
}

/// Why a part of an object was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// A limit on bytes, depth, entries or ratio was reached.
    LimitReached,
    /// The bytes break the rules of their own format.
    Malformed,
    /// The bytes end before their format does.
    Truncated,
    /// The format is known, but not one that can be looked into.
    Unsupported,
    /// The content is encrypted; what it hides cannot be classified.
    Encrypted,
}
