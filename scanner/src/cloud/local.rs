//! An estate or a plain folder on this machine, read through the same door as a cloud.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;
use walkdir::WalkDir;

use super::{Body, Cloud, CloudError, Stored};
use crate::estate::{self, Account, Bucket, Facts, GapReason, Object, Provider, State};
use crate::exposure::ZoneOfTrust;

mod rewrite;
mod versions;

pub use versions::{Versions, stated};

const PAGE_OBJECTS: usize = 1_000;
/// Pages that the walk is ahead of its reader.
const PAGES_AHEAD: usize = 2;
const CHUNK_BYTES: usize = 1 << 20;
/// Larger files of facts are refused: they are written by us or by a provider, never this long.
const FACTS_BYTES_MAX: u64 = 256 << 20;

/// A folder: an estate in our layout if it holds `estate.toml`, else one bucket of which no access fact is known.
pub struct LocalCloud {
    root: PathBuf,
    /// The one file that is an object, where a file was opened.
    only: Option<String>,
    zone: Option<ZoneOfTrust>,
    indexes: Mutex<BTreeMap<PathBuf, Arc<Index>>>,
    versions: Mutex<BTreeMap<PathBuf, Arc<Versions>>>,
}

type Index = BTreeMap<String, Facts>;

#[derive(Deserialize)]
struct EstateFile {
    #[serde(default)]
    zone_of_trust: ZoneOfTrust,
}

impl LocalCloud {
    /// Opens a folder. Fails if it is none, or if its `estate.toml` cannot be read.
    pub fn open(path: &Path) -> Result<Self, CloudError> {
        let failed =
            |message: String| failure("open", path.display().to_string(), GapReason::Failed, message);
        let root = fs::canonicalize(path).map_err(|error| failed(error.to_string()))?;
        if !root.is_dir() {
            return Err(failed("not a folder".to_owned()));
        }
        let estate = root.join("estate.toml");
        let zone = if estate.is_file() {
            let text = fs::read_to_string(&estate).map_err(|error| failed(error.to_string()))?;
            let file: EstateFile = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
            Some(file.zone_of_trust)
        } else {
            None
        };
        Ok(Self { zone, ..Self::at(root) })
    }

    /// Opens a file: one bucket with one object, whatever stands beside it.
    pub fn open_file(path: &Path) -> Result<Self, CloudError> {
        let failed =
            |message: String| failure("open", path.display().to_string(), GapReason::Failed, message);
        let file = fs::canonicalize(path).map_err(|error| failed(error.to_string()))?;
        let name = file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let (Some(root), Some(name), true) = (file.parent(), name, file.is_file()) else {
            return Err(failed("not a file with a UTF-8 name".to_owned()));
        };
        Ok(Self { only: Some(name), ..Self::at(root.to_owned()) })
    }

    fn at(root: PathBuf) -> Self {
        Self { root, only: None, zone: None, indexes: Mutex::default(), versions: Mutex::default() }
    }

    /// The facts of objects are read again after they were changed.
    fn forget(&self, index: &Path) {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner).remove(index);
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).remove(index);
    }

    fn bucket_folder(&self, bucket: &Bucket) -> PathBuf {
        match bucket.account.provider {
            Provider::Local => self.root.clone(),
            provider => self.root.join(provider.as_str()).join(&bucket.account.id).join(&bucket.name),
        }
    }

    fn objects_folder(&self, bucket: &Bucket) -> PathBuf {
        match bucket.account.provider {
            Provider::Local => self.root.clone(),
            _ => self.bucket_folder(bucket).join("objects"),
        }
    }

    /// The facts of a bucket's objects, read once per bucket.
    fn index(&self, bucket: &Bucket) -> Result<Arc<Index>, CloudError> {
        let path = self.bucket_folder(bucket).join("objects.json");
        if bucket.account.provider == Provider::Local || !path.is_file() {
            return Ok(Arc::default());
        }
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indexes.get(&path) {
            return Ok(Arc::clone(index));
        }
        let index: Arc<Index> = Arc::new(read_json(&path)?);
        indexes.insert(path, Arc::clone(&index));
        Ok(index)
    }
}

#[async_trait]
impl Cloud for LocalCloud {
    async fn accounts(&self) -> Result<Vec<Account>, CloudError> {
        if self.zone.is_none() {
            return Ok(vec![Account { provider: Provider::Local, id: "local".to_owned() }]);
        }
        let mut accounts = Vec::new();
        for provider in [Provider::Aws, Provider::Gcp] {
            for id in folders(&self.root.join(provider.as_str())) {
                accounts.push(Account { provider, id });
            }
        }
        Ok(accounts)
    }

    async fn zone_of_trust(&self) -> ZoneOfTrust {
        self.zone.clone().unwrap_or_default()
    }

    async fn account_facts(&self, account: &Account) -> Facts {
        read_facts(&self.root.join(account.provider.as_str()).join(&account.id).join("account.json"))
    }

    fn buckets<'a>(&'a self, account: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>> {
        let names = match account.provider {
            Provider::Local => vec![self.root.display().to_string()],
            provider => folders(&self.root.join(provider.as_str()).join(&account.id)),
        };
        let bucket = |name| {
            let mut bucket = Bucket { account: account.clone(), name, region: None };
            let facts = || read_facts(&self.bucket_folder(&bucket).join("facts.json"));
            bucket.region = match account.provider {
                Provider::Aws => estate::aws::region(&facts()),
                Provider::Gcp => estate::gcp::location(&facts()),
                Provider::Local => None,
            };
            Ok(bucket)
        };
        stream::iter(names.into_iter().map(bucket).collect::<Vec<_>>()).boxed()
    }

    fn names_all_buckets(&self, account: &Account) -> bool {
        // Another plain folder is another bucket of the same account.
        account.provider != Provider::Local
    }

    async fn access_facts(&self, bucket: &Bucket) -> Facts {
        match bucket.account.provider {
            Provider::Local => Facts::default(),
            _ => read_facts(&self.bucket_folder(bucket).join("facts.json")),
        }
    }

    async fn history(&self, bucket: &Bucket, _: &Facts) -> Facts {
        match bucket.account.provider {
            Provider::Local => Facts::default(),
            _ => read_facts(&self.bucket_folder(bucket).join("history.json")),
        }
    }

    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        let (send, mut pages) = mpsc::channel(PAGES_AHEAD);
        let denied = list_error(bucket, &read_facts(&self.bucket_folder(bucket).join("facts.json")));
        let missing = || CloudError::NotFound { operation: "list", resource: bucket.name.clone() };
        let missing = (!self.bucket_folder(bucket).is_dir()).then(missing);
        match denied.or(missing).map_or_else(|| self.index(bucket), Err) {
            Ok(index) => {
                let folder = self.objects_folder(bucket);
                let start = self.only.as_ref().map_or_else(|| folder.clone(), |name| folder.join(name));
                let listing = Listing { folder, start, prefix: prefix.to_owned(), index };
                tokio::task::spawn_blocking(move || listing.send(&send));
                stream::poll_fn(move |context| pages.poll_recv(context)).boxed()
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    fn older_versions<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.list_versions(bucket, prefix, State::Noncurrent)
    }

    fn soft_deleted<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.list_versions(bucket, prefix, State::SoftDeleted)
    }

    async fn object_facts(&self, bucket: &Bucket, object: &Object) -> Facts {
        let facts = match object.version.as_deref().filter(|_| !object.is_current()) {
            Some(version) => self
                .versions(bucket)
                .ok()
                .and_then(|versions| versions.get(&object.key)?.get(version).cloned()),
            None => self.index(bucket).ok().and_then(|index| index.get(&object.key).cloned()),
        };
        facts.unwrap_or_default()
    }

    async fn stored(&self, bucket: &Bucket, object: &Object) -> Result<Stored, CloudError> {
        let facts = self.object_facts(bucket, object).await;
        let head = facts.answer("s3:HeadObject");
        let says = |name: &str| head.and_then(|head| head.get(name)).and_then(Value::as_str);
        let etag_is_digest = head.is_some()
            && says("ServerSideEncryption").is_none_or(|with| with == "AES256")
            && says("SSECustomerAlgorithm").is_none();
        Ok(Stored { checksums: object.checksums.clone(), etag_is_digest })
    }

    async fn read(&self, bucket: &Bucket, object: &Object) -> Result<Body, CloudError> {
        let resource = format!("{}/{}", bucket.name, object.key);
        if object.state == State::SoftDeleted {
            return Err(CloudError::Archived { operation: "read", resource });
        }
        let facts = self.object_facts(bucket, object).await;
        if let Some(operation) = ["s3:GetObject", "s3:GetObjectVersion", "storage:objects.get"]
            .into_iter()
            .find(|name| error_code(&facts, name).is_some())
        {
            return Err(CloudError::Denied { operation, resource });
        }
        let Some(path) = self.file_of(bucket, object) else {
            return Err(failure("read", resource, GapReason::Unsupported, "not a file name".to_owned()));
        };
        let file = fs::File::open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => CloudError::NotFound { operation: "read", resource: resource.clone() },
            ErrorKind::PermissionDenied => {
                CloudError::Denied { operation: "read", resource: resource.clone() }
            }
            _ => failure("read", resource.clone(), GapReason::Failed, error.to_string()),
        })?;
        Ok(Body { metadata: user_metadata(&facts), chunks: chunks(file, resource).boxed() })
    }
}

fn list_error(bucket: &Bucket, facts: &Facts) -> Option<CloudError> {
    let (operation, code) = ["s3:ListObjectsV2", "storage:objects.list"]
        .into_iter()
        .find_map(|operation| Some((operation, error_code(facts, operation)?)))?;
    Some(match code.as_str() {
        "AccessDenied" | "PERMISSION_DENIED" => {
            CloudError::Denied { operation, resource: bucket.name.clone() }
        }
        _ => failure(operation, bucket.name.clone(), GapReason::Failed, code),
    })
}

/// A walk through a bucket's folder: the files, then what stands in the index alone.
struct Listing {
    folder: PathBuf,
    /// Where the walk begins: the folder, or the one file of it.
    start: PathBuf,
    prefix: String,
    index: Arc<Index>,
}

impl Listing {
    /// Ends early where nobody listens any more.
    fn send(&self, pages: &mpsc::Sender<Result<Vec<Object>, CloudError>>) {
        let mut page = Vec::with_capacity(PAGE_OBJECTS);
        // A bucket may be described without its objects, as in the evidence of a lockdown.
        let files = self.start.exists().then(|| WalkDir::new(&self.start).sort_by_file_name());
        let files = files.into_iter().flatten().filter_map(|entry| self.file(entry).transpose());
        let alone = self.index.iter().filter(|(key, _)| !is_file(&self.folder, key));
        let alone = alone.map(|(key, facts)| Ok(object_from_facts(key, facts)));
        for next in files.chain(alone) {
            match next {
                Ok(object) if object.key.starts_with(&self.prefix) => page.push(object),
                Ok(_) => {}
                Err(error) => {
                    if pages.blocking_send(Err(error)).is_err() {
                        return;
                    }
                }
            }
            if page.len() == PAGE_OBJECTS && pages.blocking_send(Ok(std::mem::take(&mut page))).is_err() {
                return;
            }
        }
        if !page.is_empty() {
            let _ = pages.blocking_send(Ok(page));
        }
    }

    /// The object that a file is; none for folders. What is no plain file with a UTF-8 name is an error, not silence.
    fn file(&self, entry: walkdir::Result<walkdir::DirEntry>) -> Result<Option<Object>, CloudError> {
        let failed = |path: Option<&Path>, reason, message: String| {
            let path = path.unwrap_or(&self.folder);
            failure("list", path.to_string_lossy().into_owned(), reason, message)
        };
        let entry = entry.map_err(|error| {
            let denied = error.io_error().is_some_and(|error| error.kind() == ErrorKind::PermissionDenied);
            let reason = if denied { GapReason::Denied } else { GapReason::Failed };
            failed(error.path(), reason, error.to_string())
        })?;
        if entry.file_type().is_dir() {
            return Ok(None);
        }
        let unsupported =
            |message: &str| failed(Some(entry.path()), GapReason::Unsupported, message.to_owned());
        if !entry.file_type().is_file() {
            return Err(unsupported("not a plain file; links are not followed"));
        }
        let key = entry.path().strip_prefix(&self.folder).ok().and_then(Path::to_str);
        let key = key.ok_or_else(|| unsupported("its name is not UTF-8"))?;
        let metadata = entry
            .metadata()
            .map_err(|error| failed(Some(entry.path()), GapReason::Failed, error.to_string()))?;
        let mut object = match self.index.get(key) {
            Some(facts) => object_from_facts(key, facts),
            None => Object {
                key: key.to_owned(),
                modified: metadata.modified().ok().map(OffsetDateTime::from),
                ..Object::default()
            },
        };
        object.size_bytes = metadata.len();
        Ok(Some(object))
    }
}

/// A key is a name, never a way out of the folder.
fn is_file(folder: &Path, key: &str) -> bool {
    is_inside(Path::new(key)) && folder.join(key).is_file()
}

fn is_inside(relative: &Path) -> bool {
    relative.components().all(|part| matches!(part, Component::Normal(_)))
}

fn chunks(file: fs::File, resource: String) -> impl stream::Stream<Item = Result<Bytes, CloudError>> {
    stream::unfold(Some(file), move |state| {
        let resource = resource.clone();
        async move {
            let mut file = state?;
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            match (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk) {
                Ok(0) => None,
                Ok(_) => Some((Ok(Bytes::from(chunk)), Some(file))),
                Err(error) => {
                    Some((Err(failure("read", resource, GapReason::Failed, error.to_string())), None))
                }
            }
        }
    })
}

fn failure(operation: &'static str, resource: String, reason: GapReason, message: String) -> CloudError {
    CloudError::Failed { operation, resource, reason, message }
}

fn folders(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, CloudError> {
    let failed = |message| failure("read", path.display().to_string(), GapReason::Malformed, message);
    let size_bytes = fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size_bytes > FACTS_BYTES_MAX {
        return Err(failed("larger than any file of facts".to_owned()));
    }
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))
}

/// Facts that cannot be read are facts that were not read: empty, and every judgement widens.
fn read_facts(path: &Path) -> Facts {
    read_json(path).unwrap_or_default()
}

fn error_code(facts: &Facts, operation: &str) -> Option<String> {
    Some(facts.answer(operation)?.get("Error")?.get("Code")?.as_str()?.to_owned())
}

/// The object as its own facts state it; a size or date that is not stated is nothing.
fn object_from_facts(key: &str, facts: &Facts) -> Object {
    let Some(head) = facts.answer("s3:HeadObject") else {
        return estate::gcp::object(key, facts.answer("storage:objects.get").unwrap_or(&Value::Null));
    };
    let text = |name: &str| head.get(name).and_then(Value::as_str);
    Object {
        key: key.to_owned(),
        size_bytes: head.get("ContentLength").and_then(Value::as_u64).unwrap_or(0),
        etag: text("ETag").map(|etag| etag.trim_matches('"').to_owned()),
        modified: text("LastModified").and_then(|date| OffsetDateTime::parse(date, &Rfc3339).ok()),
        storage_class: text("StorageClass").map(str::to_owned),
        version: text("VersionId").map(str::to_owned),
        ..Object::default()
    }
}

fn user_metadata(facts: &Facts) -> BTreeMap<String, String> {
    let Some(head) = facts.answer("s3:HeadObject") else {
        return estate::gcp::object_metadata(facts.answer("storage:objects.get").unwrap_or(&Value::Null));
    };
    let pairs = head.get("Metadata").and_then(Value::as_object).into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned()))).collect()
}
