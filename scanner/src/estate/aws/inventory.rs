//! What does an S3 Inventory report say of the ACLs of a bucket's objects?
//!
//! Source: S3 User Guide, "Amazon S3 Inventory", "Inventory manifest" and "Working with the Object ACL field".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::read;
use crate::estate::{Fact, Facts};

const LIST: &str = "s3:ListBucketInventoryConfigurations";
const ACL: &str = "ObjectAccessControlList";

/// A report that is made regularly, in a format that can be read here, with the objects' ACLs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The bucket that the reports are written to.
    pub bucket: String,
    /// What the keys of its reports start with.
    pub prefix: String,
    /// What the keys of the objects that it lists start with.
    pub covers: String,
}

/// The reports on the ACLs of `bucket`'s objects, the widest first.
pub fn acl_inventories(facts: &Facts, bucket: &str) -> Vec<Inventory> {
    let configured = read(facts, LIST, bucket, |answer| {
        let list = answer.get("InventoryConfigurationList").and_then(Value::as_array);
        let usable = list.into_iter().flatten().filter_map(|item| inventory(item, bucket));
        Ok(usable.collect::<Vec<_>>())
    });
    let Fact::Present(mut usable) = configured else { return Vec::new() };
    usable.sort_by_key(|inventory| inventory.covers.len());
    usable
}

fn inventory(item: &Value, source: &str) -> Option<Inventory> {
    let fields = item.get("OptionalFields")?.as_array()?;
    let destination = item.pointer("/Destination/S3BucketDestination")?;
    let text = |value: &Value, name| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let usable = item.get("IsEnabled")?.as_bool()?
        && text(destination, "Format")? == "CSV"
        && fields.iter().any(|field| field == ACL);
    let prefix = text(destination, "Prefix").filter(|prefix| !prefix.is_empty());
    let prefix = prefix.map_or_else(String::new, |prefix| format!("{}/", prefix.trim_end_matches('/')));
    usable.then_some(Inventory {
        bucket: destination.get("Bucket")?.as_str()?.rsplit(':').next()?.to_owned(),
        prefix: format!("{prefix}{source}/{}/", item.get("Id")?.as_str()?),
        covers: item.pointer("/Filter/Prefix").and_then(Value::as_str).unwrap_or_default().to_owned(),
    })
}

/// What a report consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// When the bucket was as the report says.
    pub taken: OffsetDateTime,
    /// The keys of its gzipped CSV files, beside it.
    pub files: Vec<String>,
    columns: Columns,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    key: usize,
    acl: usize,
    owner: Option<usize>,
    latest: Option<usize>,
}

impl Manifest {
    /// Reads `manifest.json` of a report on `bucket`. Fails with what is wrong with it.
    pub fn parse(bytes: &[u8], bucket: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct File {
            source_bucket: String,
            creation_timestamp: String,
            file_format: String,
            file_schema: String,
            files: Vec<Part>,
        }
        #[derive(Deserialize)]
        struct Part {
            key: String,
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if file.source_bucket != bucket || file.file_format != "CSV" {
            return Err("it is about another bucket or in another format".to_owned());
        }
        let milliseconds: i128 = file.creation_timestamp.parse().map_err(|_| "no time of its making")?;
        let taken = OffsetDateTime::from_unix_timestamp_nanos(milliseconds.saturating_mul(1_000_000));
        let names: Vec<&str> = file.file_schema.split(',').map(str::trim).collect();
        let column = |name| names.iter().position(|column| *column == name);
        Ok(Self {
            taken: taken.map_err(|_| "no time of its making")?,
            files: file.files.into_iter().map(|part| part.key).collect(),
            columns: Columns {
                key: column("Key").ok_or("no column `Key`")?,
                acl: column(ACL).ok_or("no column `ObjectAccessControlList`")?,
                owner: column("ObjectOwner"),
                latest: column("IsLatest"),
            },
        })
    }

    /// What a row says: the key of a current object, and its ACL as `s3:GetObjectAcl` would answer if it grants anything to
    /// others than the owner. `None` for older versions; an ACL that the report does not tell is an error of the answer.
    ///
    /// `bucket_owner` is the canonical id of whoever owns the objects where the report does not say.
    pub fn row(&self, cells: &[&str], bucket_owner: &str) -> Option<(String, Option<Facts>)> {
        let cell = |place: usize| cells.get(place).copied();
        if self.columns.latest.and_then(cell).is_some_and(|latest| latest.eq_ignore_ascii_case("false")) {
            return None;
        }
        let key = percent_decode_str(cell(self.columns.key)?).decode_utf8().ok()?.into_owned();
        let owner = self.columns.owner.and_then(cell).filter(|owner| !owner.is_empty());
        let answer = match cell(self.columns.acl).and_then(|text| acl(text, owner.unwrap_or(bucket_owner))) {
            Some(Acl::OwnerOnly) => return Some((key, None)),
            Some(Acl::Grants(answer)) => answer,
            None => json!({ "Error": { "Code": "UnavailableInInventory" } }),
        };
        let mut facts = Facts::default();
        facts.record("s3:GetObjectAcl", answer);
        Some((key, Some(facts)))
    }
}

enum Acl {
    OwnerOnly,
    Grants(Value),
}

/// The ACL column: base64 of JSON.
fn acl(cell: &str, owner: &str) -> Option<Acl> {
    #[derive(Deserialize)]
    struct Column {
        status: String,
        #[serde(default)]
        grants: Vec<Grant>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Grant {
        canonical_id: Option<String>,
        uri: Option<String>,
        permission: String,
    }
    let column: Column = serde_json::from_slice(&STANDARD.decode(cell).ok()?).ok()?;
    if column.status != "AVAILABLE" {
        return None;
    }
    if column.grants.iter().all(|grant| grant.uri.is_none() && grant.canonical_id.as_deref() == Some(owner)) {
        return Some(Acl::OwnerOnly);
    }
    let grants = column.grants.iter().map(|grant| {
        let grantee = match &grant.uri {
            Some(uri) => json!({ "Type": "Group", "URI": uri }),
            None => json!({ "Type": "CanonicalUser", "ID": grant.canonical_id }),
        };
        json!({ "Grantee": grantee, "Permission": grant.permission })
    });
    Some(Acl::Grants(json!({ "Owner": { "ID": owner }, "Grants": grants.collect::<Vec<_>>() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{"sourceBucket": "b", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
        "creationTimestamp": "1764115200000", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, ObjectAccessControlList, ObjectOwner",
        "files": [{"key": "b/all/data/1.csv.gz", "size": 1, "MD5checksum": "x"}]}"#;

    fn column(grants: &Value) -> String {
        STANDARD.encode(json!({"version": "2022-11-10", "status": "AVAILABLE", "grants": grants}).to_string())
    }

    #[test]
    fn a_row_tells_whom_an_object_is_granted_to() {
        let manifest = Manifest::parse(MANIFEST.as_bytes(), "b").expect("a manifest");
        let own =
            column(&json!([{"canonicalId": "us", "type": "CanonicalUser", "permission": "FULL_CONTROL"}]));
        let everyone = "http://acs.amazonaws.com/groups/global/AllUsers";
        let open = column(&json!([{"uri": everyone, "type": "Group", "permission": "READ"}]));
        let told = manifest.row(&["b", "a%20b", "v", "true", &own, "us"], "us");
        assert_eq!(told, Some(("a b".to_owned(), None)));
        let (_, facts) = manifest.row(&["b", "k", "v", "true", &open, "us"], "us").expect("a row");
        let answer = facts.expect("granted").answer("s3:GetObjectAcl").cloned().expect("an ACL");
        assert_eq!(answer["Grants"][0]["Grantee"]["URI"], everyone);
        assert_eq!(manifest.row(&["b", "k", "v", "false", &open, "us"], "us"), None, "an older version");
        let (_, facts) = manifest.row(&["b", "k", "v", "true", &own, "them"], "us").expect("a row");
        assert!(facts.is_some(), "another account owns the object and grants us everything");
        let (_, facts) = manifest.row(&["b", "k", "v", "true", "", "us"], "us").expect("a row");
        let answer = facts.expect("unread").answer("s3:GetObjectAcl").cloned().expect("an answer");
        assert!(answer["Error"]["Code"].is_string(), "an ACL that is not told is not private");
    }

    #[test]
    fn a_manifest_of_another_bucket_or_without_acls_is_refused() {
        assert!(Manifest::parse(MANIFEST.as_bytes(), "another").is_err());
        let without = MANIFEST.replace("ObjectAccessControlList", "Size");
        assert!(Manifest::parse(without.as_bytes(), "b").is_err());
        assert!(Manifest::parse(b"{", "b").is_err());
    }

    #[test]
    fn only_enabled_reports_with_acls_in_a_readable_format_are_used() {
        let configured = |format: &str, enabled: bool, field: &str| {
            let mut facts = Facts::default();
            let destination = json!({"Bucket": "arn:aws:s3:::reports", "Format": format, "Prefix": "inv"});
            let item = json!({"Id": "all", "IsEnabled": enabled, "OptionalFields": [field],
                "Destination": {"S3BucketDestination": destination}});
            facts.record(LIST, json!({"InventoryConfigurationList": [item]}));
            acl_inventories(&facts, "b")
        };
        let [inventory] = configured("CSV", true, ACL).try_into().expect("one");
        assert_eq!((inventory.bucket.as_str(), inventory.prefix.as_str()), ("reports", "inv/b/all/"));
        assert!(configured("ORC", true, ACL).is_empty());
        assert!(configured("CSV", false, ACL).is_empty());
        assert!(configured("CSV", true, "Size").is_empty());
    }
}
