//! Which requests does S3 take, and what do they let a caller do?
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".

use crate::exposure::Access;

/// One of S3's actions that somebody outside could use.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) access: Access,
    /// Whether it is about an object, else about the bucket.
    pub(super) object: bool,
    /// The groups of condition keys that its requests can carry.
    pub(super) carries: &'static [Carries],
    /// Whether it only changes an ACL, which does nothing where ACLs are off.
    pub(super) acl_only: bool,
}

/// Condition keys that only some requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Carries {
    /// `s3:prefix`, `s3:delimiter`, `s3:max-keys`.
    Listing,
    /// `s3:VersionId`.
    Version,
    /// `s3:ExistingObjectTag/…`.
    ObjectTags,
    /// `s3:RequestObjectTag/…` and `s3:RequestObjectTagKeys`.
    RequestTags,
    /// Headers that set an ACL.
    AclHeaders,
    /// Headers of an upload: encryption, storage class, copy source and so on.
    UploadHeaders,
    /// Headers of object lock.
    LockHeaders,
    /// `If-Match`, `If-None-Match`.
    Preconditions,
}

use Carries::{
    AclHeaders, Listing, LockHeaders, ObjectTags, Preconditions, RequestTags, UploadHeaders, Version,
};

const fn bucket(name: &'static str, access: Access, carries: &'static [Carries]) -> Action {
    Action { name, access, object: false, carries, acl_only: false }
}

const fn object(name: &'static str, access: Access, carries: &'static [Carries]) -> Action {
    Action { name, access, object: true, carries, acl_only: false }
}

const fn acl(action: Action) -> Action {
    Action { acl_only: true, ..action }
}

/// The actions that let somebody list, read, write or administer, the plainest of each first.
///
/// `PutBucketPolicy`, `DeleteBucketPolicy` and `GetBucketPolicy` are not here: S3 answers 405 to whoever does not belong
/// to the bucket's account, whatever the policy says (API reference, "PutBucketPolicy").
pub(super) const ACTIONS: &[Action] = &[
    bucket("s3:ListBucket", Access::List, &[Listing]),
    bucket("s3:ListBucketVersions", Access::List, &[Listing]),
    bucket("s3:ListBucketMultipartUploads", Access::List, &[]),
    object("s3:GetObject", Access::Read, &[ObjectTags, Preconditions]),
    // The current version has an id too; with it, nobody needs `s3:GetObject` (API reference, "GetObject").
    object("s3:GetObjectVersion", Access::Read, &[ObjectTags, Version]),
    object("s3:GetObjectVersion", Access::ReadVersions, &[ObjectTags, Version]),
    object("s3:GetObjectTorrent", Access::Read, &[]),
    object(
        "s3:PutObject",
        Access::Write,
        &[RequestTags, AclHeaders, UploadHeaders, LockHeaders, Preconditions],
    ),
    object("s3:DeleteObject", Access::Write, &[Preconditions]),
    object("s3:DeleteObjectVersion", Access::Write, &[Version]),
    object("s3:ReplicateObject", Access::Write, &[UploadHeaders, RequestTags]),
    object("s3:ReplicateDelete", Access::Write, &[]),
    acl(object("s3:PutObjectAcl", Access::Administer, &[ObjectTags, AclHeaders])),
    acl(object("s3:PutObjectVersionAcl", Access::Administer, &[ObjectTags, AclHeaders, Version])),
    acl(bucket("s3:PutBucketAcl", Access::Administer, &[AclHeaders])),
    bucket("s3:PutBucketPublicAccessBlock", Access::Administer, &[]),
    bucket("s3:PutBucketOwnershipControls", Access::Administer, &[]),
    bucket("s3:PutReplicationConfiguration", Access::Administer, &[]),
    bucket("s3:PutLifecycleConfiguration", Access::Administer, &[]),
    bucket("s3:PutInventoryConfiguration", Access::Administer, &[]),
    bucket("s3:PutBucketVersioning", Access::Administer, &[]),
    bucket("s3:PutBucketWebsite", Access::Administer, &[]),
    bucket("s3:PutEncryptionConfiguration", Access::Administer, &[]),
    bucket("s3:PutBucketLogging", Access::Administer, &[]),
    bucket("s3:PutBucketNotification", Access::Administer, &[]),
    bucket("s3:PutBucketObjectLockConfiguration", Access::Administer, &[]),
    bucket("s3:DeleteBucket", Access::Administer, &[]),
    object("s3:BypassGovernanceRetention", Access::Administer, &[]),
    object("s3:PutObjectRetention", Access::Administer, &[LockHeaders]),
    object("s3:PutObjectLegalHold", Access::Administer, &[LockHeaders]),
];

/// Which of an action's groups a condition key belongs to; `None` if every request can carry it.
pub(super) fn group(key: &str) -> Option<Carries> {
    Some(match key {
        "s3:prefix" | "s3:delimiter" | "s3:max-keys" => Listing,
        "s3:versionid" => Version,
        "s3:requestobjecttagkeys" => RequestTags,
        "s3:if-match" | "s3:if-none-match" => Preconditions,
        "s3:x-amz-acl" => AclHeaders,
        key if key.starts_with("s3:x-amz-grant-") => AclHeaders,
        key if key.starts_with("s3:existingobjecttag/") => ObjectTags,
        key if key.starts_with("s3:requestobjecttag/") => RequestTags,
        key if key.starts_with("s3:object-lock-") => LockHeaders,
        "s3:x-amz-content-sha256" => return None,
        key if key.starts_with("s3:x-amz-") => UploadHeaders,
        _ => return None,
    })
}

/// What an ACL's permission allows: on the bucket or on an object.
///
/// Source: S3 User Guide, "Access control list (ACL) overview", "Mapping of ACL permissions and access policy
/// permissions". READ_ACP only shows the ACL.
pub(super) fn of_permission(permission: &str, on_object: bool) -> &'static [&'static str] {
    match (permission, on_object) {
        ("READ", false) => &["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
        ("WRITE", false) => &["s3:PutObject"],
        ("WRITE_ACP", false) => &["s3:PutBucketAcl"],
        ("FULL_CONTROL", false) => &[
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:PutObject",
            "s3:PutBucketAcl",
        ],
        ("READ", true) => &["s3:GetObject", "s3:GetObjectVersion"],
        ("WRITE_ACP", true) => &["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
        ("FULL_CONTROL", true) => {
            &["s3:GetObject", "s3:GetObjectVersion", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"]
        }
        _ => &[],
    }
}
