//! Which permissions does a predefined role hold?
//!
//! Source: Cloud Storage, "IAM roles for Cloud Storage" (https://cloud.google.com/storage/docs/access-control/iam-roles) and
//! IAM, "Basic and predefined roles reference", as they stood on 2026-11-26. Only permissions that this program judges by
//! are kept. What `iam:roles.get` answered counts before this table, and a role that stands in neither can hold anything.

/// Roles by name, and what they hold.
const ROLES: &[(&str, &[&str])] = &[
    ("roles/storage.admin", &["storage.*"]),
    ("roles/storage.objectAdmin", &["storage.objects.*", "storage.multipartUploads.*"]),
    (
        "roles/storage.folderAdmin",
        &["storage.objects.*", "storage.multipartUploads.*", "storage.managedFolders.*"],
    ),
    ("roles/storage.objectUser", OBJECT_USER),
    ("roles/storage.objectCreator", &["storage.objects.create", "storage.multipartUploads.create"]),
    ("roles/storage.objectViewer", &["storage.objects.get", "storage.objects.list"]),
    ("roles/storage.legacyObjectReader", &["storage.objects.get"]),
    (
        "roles/storage.legacyObjectOwner",
        &[
            "storage.objects.get",
            "storage.objects.update",
            "storage.objects.setIamPolicy",
            "storage.objects.overrideUnlockedRetention",
        ],
    ),
    ("roles/storage.legacyBucketReader", &["storage.objects.list"]),
    ("roles/storage.legacyBucketWriter", BUCKET_WRITER),
    (
        "roles/storage.legacyBucketOwner",
        &[
            "storage.objects.list",
            "storage.objects.create",
            "storage.objects.delete",
            "storage.objects.restore",
            "storage.multipartUploads.create",
            "storage.managedFolders.setIamPolicy",
            "storage.buckets.setIamPolicy",
            "storage.buckets.update",
        ],
    ),
    ("roles/storage.bucketViewer", &[]),
    ("roles/storage.hmacKeyAdmin", &[]),
    ("roles/storage.insightsCollectorService", &[]),
    // Basic roles reach objects only through what buckets grant to `projectViewer:…` and its kind.
    ("roles/viewer", &[]),
    ("roles/editor", &["storage.buckets.delete"]),
    ("roles/owner", &["storage.buckets.delete", "resourcemanager.projects.setIamPolicy"]),
    ("roles/browser", &[]),
    ("roles/iam.securityReviewer", &["storage.objects.list"]),
    (
        "roles/iam.securityAdmin",
        &[
            "resourcemanager.projects.setIamPolicy",
            "storage.buckets.setIamPolicy",
            "storage.objects.setIamPolicy",
            "storage.managedFolders.setIamPolicy",
        ],
    ),
    ("roles/resourcemanager.projectIamAdmin", &["resourcemanager.projects.setIamPolicy"]),
    ("roles/resourcemanager.folderAdmin", &["resourcemanager.projects.setIamPolicy"]),
    ("roles/resourcemanager.organizationAdmin", &["resourcemanager.projects.setIamPolicy"]),
];

const OBJECT_USER: &[&str] = &[
    "storage.objects.get",
    "storage.objects.list",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.update",
    "storage.objects.move",
    "storage.objects.restore",
    "storage.multipartUploads.create",
];

const BUCKET_WRITER: &[&str] = &[
    "storage.objects.list",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.restore",
    "storage.multipartUploads.create",
];

/// What a predefined role holds; `None` for one that is not known here.
pub fn permissions(role: &str) -> Option<&'static [&'static str]> {
    ROLES.iter().find(|(name, _)| *name == role).map(|(_, permissions)| *permissions)
}

/// The role that an entry of a bucket's ACL amounts to ("IAM relation to ACLs", Cloud Storage).
pub(super) fn of_bucket_acl(role: &str) -> Option<&'static str> {
    match role {
        "READER" => Some("roles/storage.legacyBucketReader"),
        "WRITER" => Some("roles/storage.legacyBucketWriter"),
        "OWNER" => Some("roles/storage.legacyBucketOwner"),
        _ => None,
    }
}

/// The role that an entry of an object's ACL amounts to.
pub(super) fn of_object_acl(role: &str) -> Option<&'static str> {
    match role {
        "READER" => Some("roles/storage.legacyObjectReader"),
        "OWNER" => Some("roles/storage.legacyObjectOwner"),
        _ => None,
    }
}

/// The basic role whose holders `projectOwner:…`, `projectEditor:…` and `projectViewer:…` stand for.
pub(super) fn of_convenience(kind: &str) -> Option<&'static str> {
    match kind {
        "projectOwner" => Some("roles/owner"),
        "projectEditor" => Some("roles/editor"),
        "projectViewer" => Some("roles/viewer"),
        _ => None,
    }
}
