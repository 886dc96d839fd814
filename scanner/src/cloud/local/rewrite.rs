//! How are the facts of a local bucket changed as a provider would change them, and put back byte for byte?
//!
//! Only the text of the answers that change is replaced; the rest of the file stays as somebody wrote it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{LocalCloud, failure, is_inside, versions};
use crate::cloud::{CloudError, Lockable, Stated};
use crate::estate::{Bucket, GapReason, Setting, policy};

const STATUS: &str = "s3:GetBucketPolicyStatus";

/// Where in a bucket's files a setting stands: the file, and the names that lead to the answer.
struct Place {
    file: PathBuf,
    names: Vec<String>,
}

#[async_trait]
impl Lockable for LocalCloud {
    fn identity(&self) -> String {
        "your user on this machine".to_owned()
    }

    async fn stated(&self, bucket: &Bucket, setting: &Setting) -> Result<Stated, CloudError> {
        let place = self.place(bucket, setting);
        let text = read(&place.file, bucket)?;
        // What a run that was killed left half written.
        let _ = fs::remove_file(beside(&place.file));
        let span = find(&text, &place.names).ok_or_else(|| unread(bucket, setting))?;
        let raw = text.get(span).unwrap_or_default();
        let answer = serde_json::from_str(raw).map_err(|_| unread(bucket, setting))?;
        let mut verbatim = BTreeMap::from([(setting.operation().to_owned(), raw.to_owned())]);
        if *setting == Setting::BucketPolicy
            && let Some(status) = find(&text, &[STATUS.to_owned()]).and_then(|span| text.get(span))
        {
            verbatim.insert(STATUS.to_owned(), status.to_owned());
        }
        Ok(Stated { answer, verbatim })
    }

    async fn set(
        &self,
        bucket: &Bucket,
        setting: &Setting,
        _from: &Value,
        to: &Stated,
    ) -> Result<(), CloudError> {
        let place = self.place(bucket, setting);
        let text = read(&place.file, bucket)?;
        let span = find(&text, &place.names).ok_or_else(|| unread(bucket, setting))?;
        let mut pieces = vec![(span.clone(), told(to, setting.operation(), &to.answer, &text, span.start))];
        if *setting == Setting::BucketPolicy
            && let Some(span) = find(&text, &[STATUS.to_owned()])
        {
            pieces.push((span.clone(), told(to, STATUS, &status_of(&to.answer), &text, span.start)));
        }
        pieces.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut changed = text;
        for (span, piece) in pieces {
            changed.replace_range(span, &piece);
        }
        self.forget(&place.file);
        write(&place.file, &changed)
            .map_err(|error| failed(bucket, format!("could not write `{}`: {error}", place.file.display())))
    }
}

impl LocalCloud {
    /// Whether it is a version that is no longer current.
    fn holds(&self, bucket: &Bucket, key: &str, id: &str) -> bool {
        self.versions(bucket).is_ok_and(|versions| versions.get(key).is_some_and(|ids| ids.contains_key(id)))
    }

    fn place(&self, bucket: &Bucket, setting: &Setting) -> Place {
        let folder = self.bucket_folder(bucket);
        let operation = setting.operation().to_owned();
        match setting {
            Setting::ObjectAcl { key, version: Some(id) }
            | Setting::ObjectAccessList { key, version: Some(id) }
                if self.holds(bucket, key, id) =>
            {
                Place { file: folder.join(versions::FILE), names: vec![key.clone(), id.clone(), operation] }
            }
            Setting::ObjectAcl { key, .. } | Setting::ObjectAccessList { key, .. } => {
                Place { file: folder.join("objects.json"), names: vec![key.clone(), operation] }
            }
            Setting::AccessPointPolicy(name) => {
                Place { file: folder.join("facts.json"), names: vec![operation, name.clone()] }
            }
            // It is the account's, not a bucket's: beside the account's facts, which decide about all its buckets.
            Setting::Isolation(principal) => Place {
                file: folder.with_file_name("iam.json"),
                names: vec![operation, principal.name().to_owned()],
            },
            _ => Place { file: folder.join("facts.json"), names: vec![operation] },
        }
    }
}

fn read(file: &Path, bucket: &Bucket) -> Result<String, CloudError> {
    if ![&bucket.name, &bucket.account.id].into_iter().all(|name| is_inside(Path::new(name))) {
        return Err(failed(bucket, "its name leads out of the estate".to_owned()));
    }
    fs::read_to_string(file)
        .map_err(|error| failed(bucket, format!("could not read `{}`: {error}", file.display())))
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("json.new")
}

/// Written beside it and put in its place, so that it is never half there.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = beside(path);
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(path) {
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Where in the text the value stands that the names lead to.
fn find(text: &str, names: &[String]) -> Option<Range<usize>> {
    let mut at = 0..text.len();
    for name in names {
        let within = text.get(at.clone())?;
        let values: BTreeMap<String, &RawValue> = serde_json::from_str(within).ok()?;
        let value = values.get(name)?.get();
        // The value is borrowed from the text, so its address tells where it stands.
        let start = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        at = start..start.checked_add(value.len())?;
    }
    Some(at)
}

/// The text that a value had, or one in the style of the file.
fn told(to: &Stated, operation: &str, answer: &Value, text: &str, at: usize) -> String {
    if let Some(verbatim) = to.verbatim.get(operation) {
        return verbatim.clone();
    }
    if !text.trim_end().contains('\n') {
        return answer.to_string();
    }
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let pretty = serde_json::to_string_pretty(answer).unwrap_or_else(|_| answer.to_string());
    pretty.replace('\n', &format!("\n{indent}"))
}

/// What AWS would say of the policy that is set here: one that is left over is not public, else it would not be left.
fn status_of(answer: &Value) -> Value {
    match policy(answer) {
        Some(_) => serde_json::json!({ "PolicyStatus": { "IsPublic": false } }),
        None => serde_json::json!({ "Error": { "Code": "NoSuchBucketPolicy" } }),
    }
}

fn unread(bucket: &Bucket, setting: &Setting) -> CloudError {
    let place =
        if matches!(setting, Setting::Isolation(_)) { "`iam.json` of its account" } else { "its facts" };
    failed(bucket, format!("the {setting} does not stand in {place}"))
}

fn failed(bucket: &Bucket, message: String) -> CloudError {
    failure("set", bucket.name.clone(), GapReason::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_where_it_stands_and_nothing_else_is_touched() {
        let text = "{ \"a\" : {\"x\":1},\n  \"k\\u0065y\": {\"y\" :  [2] } }";
        assert_eq!(find(text, &["key".to_owned()]).map(|span| &text[span]), Some("{\"y\" :  [2] }"));
        let deeper = find(text, &["key".to_owned(), "y".to_owned()]);
        assert_eq!(deeper.map(|span| &text[span]), Some("[2]"));
        assert_eq!(find(text, &["b".to_owned()]), None);
        assert_eq!(find("[]", &["b".to_owned()]), None);
    }
}
