//! What was there before anything was changed, in the layout of an estate, and how is it known that nobody altered it?
//!
//! `manifest.jsonl` lists every file with its SHA-256 and the SHA-256 of the line before; the last line's hash stands for the
//! whole. With a recipient, every file but the manifest is encrypted to it with age.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::x25519::Recipient;
use futures::stream::StreamExt;
use serde::Serialize;
use serde_json::json;

use super::plan::{Plan, Subject};
use crate::cloud::Cloud;
use crate::estate::{Facts, Object, Provider};
use crate::exposure::Exposure;
use crate::findings::{reads, reads_versions, sha256};

const MANIFEST: &str = "manifest.jsonl";
/// Objects that are listed of one bucket.
const OBJECTS_MAX: usize = 1_000_000;

/// A bundle of evidence on disk, private to its owner.
#[derive(Debug)]
pub struct Evidence {
    folder: PathBuf,
    recipient: Option<Recipient>,
    manifest: File,
    previous: String,
    /// The folders of accounts whose facts are kept.
    accounts: BTreeSet<String>,
}

#[derive(Serialize)]
struct Listed<'a> {
    previous: &'a str,
    path: &'a str,
    sha256: String,
    size_bytes: usize,
}

impl Evidence {
    /// Starts a bundle in `folder`, which must be new; `recipient` is an age recipient (`age1…`).
    pub fn start(folder: &Path, recipient: Option<&str>) -> io::Result<Self> {
        let recipient =
            recipient.map(|text| Recipient::from_str(text).map_err(io::Error::other)).transpose()?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let manifest = private(&folder.join(MANIFEST))?;
        Ok(Self {
            folder: folder.to_owned(),
            recipient,
            manifest,
            previous: String::new(),
            accounts: BTreeSet::new(),
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the plan.
    pub fn plan(&mut self, plan: &Plan) -> io::Result<()> {
        self.keep("plan.json", &serde_json::to_vec_pretty(plan)?)
    }

    /// Keeps who belongs to us.
    pub fn zone(&mut self, zone: &crate::exposure::ZoneOfTrust) -> io::Result<()> {
        let text = toml::to_string(&json!({ "zone_of_trust": zone })).map_err(io::Error::other)?;
        self.keep("estate/estate.toml", text.as_bytes())
    }

    /// Keeps a bucket's facts verbatim, the records of who changed them, and what is listed of the objects and versions that are open.
    pub fn bucket(
        &mut self,
        subject: &Subject,
        records: &Facts,
        listed: &[Object],
        open: &[Exposure],
    ) -> io::Result<()> {
        let account = &subject.bucket.account;
        // Names of buckets and accounts come from a provider, or from a folder's listing: never a way out.
        let safe = |name: &str| name.replace(['/', '\\'], "_").replace("..", "_");
        let folder = format!("estate/{}/{}", account.provider, safe(&account.id));
        if self.accounts.insert(folder.clone()) {
            self.keep(
                &format!("{folder}/account.json"),
                &serde_json::to_vec_pretty(&subject.account_facts)?,
            )?;
        }
        let folder = format!("{folder}/{}", safe(&subject.bucket.name));
        self.keep(&format!("{folder}/facts.json"), &serde_json::to_vec_pretty(&subject.facts)?)?;
        if !records.is_empty() {
            self.keep(&format!("{folder}/history.json"), &serde_json::to_vec_pretty(records)?)?;
        }
        let (objects, versions) = affected(subject, listed, open);
        self.keep(&format!("{folder}/objects.json"), &serde_json::to_vec_pretty(&objects)?)?;
        if versions.is_empty() {
            return Ok(());
        }
        self.keep(&format!("{folder}/versions.json"), &serde_json::to_vec_pretty(&versions)?)
    }

    /// Writes a file and its line in the manifest; both are on disk when this returns.
    fn keep(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let (path, bytes) = match &self.recipient {
            Some(recipient) => {
                (format!("{path}.age"), age::encrypt(recipient, bytes).map_err(io::Error::other)?)
            }
            None => (path.to_owned(), bytes.to_vec()),
        };
        let full = self.folder.join(&path);
        if let Some(folder) = full.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = private(&full)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        let line =
            Listed { previous: &self.previous, path: &path, sha256: sha256(&bytes), size_bytes: bytes.len() };
        let mut text = serde_json::to_vec(&line)?;
        let hash = sha256(&text);
        text.push(b'\n');
        self.manifest.write_all(&text)?;
        self.manifest.sync_all()?;
        self.previous = hash;
        // The names are part of the evidence, too.
        full.ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(&self.folder))
            .try_for_each(|folder| fs::File::open(folder)?.sync_all())
    }
}

/// Keeps everything about these buckets in a folder of its own; the SHA-256 that the last line of its manifest has.
pub(super) async fn keep(
    cloud: &dyn Cloud,
    plan: &Plan,
    subjects: &[&Subject],
    folder: &Path,
    recipient: Option<&str>,
) -> io::Result<String> {
    // What an earlier run left half written is not evidence.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut evidence = Evidence::start(folder, recipient)?;
    evidence.plan(plan)?;
    evidence.zone(&plan.zone_of_trust)?;
    for subject in subjects {
        let open = subject.open_ways();
        let listed = listed(cloud, subject, &open).await;
        let records = cloud.history(&subject.bucket, &subject.facts).await;
        evidence.bucket(subject, &records, &listed, &open)?;
    }
    Ok(evidence.previous)
}

/// The files of a bundle with their paths inside, the manifest last.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let inside = entry.path().strip_prefix(folder).map_err(io::Error::other)?;
            files.push((inside.to_string_lossy().into_owned(), fs::read(entry.path())?));
        }
    }
    files.sort_by_key(|(path, _)| path == MANIFEST);
    Ok(files)
}

/// The objects of a bucket, and their older versions where somebody outside reads such.
async fn listed(cloud: &dyn Cloud, subject: &Subject, open: &[Exposure]) -> Vec<Object> {
    let bucket = &subject.bucket;
    let mut listings = vec![cloud.objects(bucket, "")];
    if subject.keeps_versions() && open.iter().any(reads_versions) {
        listings.push(cloud.older_versions(bucket, ""));
    }
    let mut objects = Vec::new();
    for mut pages in listings {
        while let Some(page) = pages.next().await {
            // A listing that is denied, or breaks off, is no reason to leave the bucket open.
            let Ok(page) = page else { break };
            objects.extend(page);
            if objects.len() >= OBJECTS_MAX {
                break;
            }
        }
    }
    objects
}

/// By key, and of versions by key and version id, as an estate keeps them.
type Affected = (BTreeMap<String, Facts>, BTreeMap<String, BTreeMap<String, Facts>>);

/// The objects and versions that are open, with what the listing and their ACLs say.
fn affected(subject: &Subject, listed: &[Object], open: &[Exposure]) -> Affected {
    let name = |object: &Object| (object.key.clone(), object.version.clone(), object.state);
    let own: BTreeMap<_, &Facts> =
        subject.objects.iter().map(|(object, facts)| (name(object), facts)).collect();
    let is_open = |object: &&Object| open.iter().any(|way| reads(way, object));
    let (mut objects, mut versions) = Affected::default();
    for object in listed.iter().filter(is_open).take(OBJECTS_MAX) {
        let mut facts = stated(subject.bucket.account.provider, object);
        own.get(&name(object)).into_iter().for_each(|own| facts.inherit(own));
        match object.version.clone().filter(|_| !object.is_current()) {
            Some(version) => {
                versions.entry(object.key.clone()).or_insert_with(BTreeMap::new).insert(version, facts);
            }
            None => {
                objects.insert(object.key.clone(), facts);
            }
        }
    }
    (objects, versions)
}

/// What a listing says of an object, in the provider's words.
fn stated(provider: Provider, object: &Object) -> Facts {
    let modified = object
        .modified
        .map(|at| at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default());
    let (operation, head) = match provider {
        Provider::Gcp => (
            "storage:objects.get",
            json!({"size": object.size_bytes, "generation": object.version, "updated": modified}),
        ),
        _ => (
            "s3:HeadObject",
            json!({"ContentLength": object.size_bytes, "ETag": object.etag, "LastModified": modified,
                "VersionId": object.version, "StorageClass": object.storage_class}),
        ),
    };
    let mut facts = Facts::default();
    facts.record(operation, head);
    facts
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
