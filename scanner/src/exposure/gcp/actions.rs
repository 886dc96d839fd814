//! Which permissions of Google Cloud let a caller do something with a bucket or its objects?
//!
//! Source: Cloud Storage, "IAM permissions for Cloud Storage" and "IAM permissions for JSON methods".

use crate::exposure::Access;

/// One permission that somebody outside could use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) access: Access,
    /// Whether it is about an object, else about the bucket; a condition's `resource.name` is that of the one or the other.
    pub(super) object: bool,
    /// Whether it only changes an ACL, which does nothing where ACLs are off.
    pub(super) acl_only: bool,
}

const fn bucket(name: &'static str, access: Access) -> Action {
    Action { name, access, object: false, acl_only: false }
}

const fn object(name: &'static str, access: Access) -> Action {
    Action { name, access, object: true, acl_only: false }
}

/// The permissions that let somebody list, read, write or administer, the plainest of each first.
///
/// Whoever may change the project's policy can grant himself every other: the last of them.
pub(super) const ACTIONS: &[Action] = &[
    bucket("storage.objects.list", Access::List),
    // It reads every generation ("Object Versioning"), soft-deleted ones only once they are restored.
    object("storage.objects.get", Access::Read),
    object("storage.objects.get", Access::ReadVersions),
    object("storage.objects.create", Access::Write),
    object("storage.objects.delete", Access::Write),
    object("storage.objects.update", Access::Write),
    object("storage.objects.move", Access::Write),
    object("storage.objects.restore", Access::Write),
    object("storage.multipartUploads.create", Access::Write),
    bucket("storage.buckets.setIamPolicy", Access::Administer),
    Action { name: "storage.objects.setIamPolicy", access: Access::Administer, object: true, acl_only: true },
    bucket("storage.managedFolders.setIamPolicy", Access::Administer),
    bucket("storage.buckets.update", Access::Administer),
    bucket("storage.buckets.setIpFilter", Access::Administer),
    bucket("storage.buckets.delete", Access::Administer),
    object("storage.objects.overrideUnlockedRetention", Access::Administer),
    bucket("resourcemanager.projects.setIamPolicy", Access::Administer),
];

/// Whether a permission stands among `granted`, where `service.resource.*` means all of that resource.
pub(super) fn is_granted(action: &Action, granted: &[impl AsRef<str>]) -> bool {
    granted.iter().any(|permission| {
        let permission = permission.as_ref();
        match permission.strip_suffix('*') {
            Some(head) => action.name.starts_with(head),
            None => action.name == permission,
        }
    })
}
