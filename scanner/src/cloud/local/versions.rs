//! How does an estate keep what is no longer current? Facts by key and version in `versions.json`, the bytes in
//! `versions/VERSION/KEY`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use futures::stream::{self, BoxStream, StreamExt};

use super::{
    LocalCloud, PAGE_OBJECTS, error_code, is_inside, list_error, object_from_facts, read_facts, read_json,
};
use crate::cloud::CloudError;
use crate::estate::{Bucket, Facts, Object, Provider, State};

pub(super) const FILE: &str = "versions.json";
const LIST: &str = "s3:ListObjectVersions";

/// The facts of versions, by key and version id.
pub type Versions = BTreeMap<String, BTreeMap<String, Facts>>;

/// The versions that a file states, as objects with their own facts.
pub fn stated(versions: &Versions) -> impl Iterator<Item = (Object, &Facts)> {
    versions.iter().flat_map(|(key, by_id)| {
        by_id.iter().map(|(id, facts)| {
            let object = object_from_facts(key, facts);
            let state = match object.state {
                // Where it stands says that it is not, whatever else is stated.
                State::Current => State::Noncurrent,
                other => other,
            };
            (Object { version: Some(id.clone()), state, ..object }, facts)
        })
    })
}

impl LocalCloud {
    /// The versions of a bucket's objects, read once per bucket.
    pub(super) fn versions(&self, bucket: &Bucket) -> Result<Arc<Versions>, CloudError> {
        let path = self.bucket_folder(bucket).join(FILE);
        if bucket.account.provider == Provider::Local || !path.is_file() {
            return Ok(Arc::default());
        }
        let mut known = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(versions) = known.get(&path) {
            return Ok(Arc::clone(versions));
        }
        let versions: Arc<Versions> = Arc::new(read_json(&path)?);
        known.insert(path, Arc::clone(&versions));
        Ok(versions)
    }

    /// Where the bytes of an object are, current or not; none where its name leads out of the folder.
    pub(super) fn file_of(&self, bucket: &Bucket, object: &Object) -> Option<PathBuf> {
        let folder = match object.version.as_deref().filter(|_| !object.is_current()) {
            Some(version) if is_id(version) => self.bucket_folder(bucket).join("versions").join(version),
            Some(_) => return None,
            None => self.objects_folder(bucket),
        };
        is_inside(Path::new(&object.key)).then(|| folder.join(&object.key))
    }

    /// The versions in one state, a page at a time.
    pub(super) fn list_versions<'a>(
        &'a self,
        bucket: &Bucket,
        prefix: &str,
        state: State,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        if state == State::SoftDeleted && bucket.account.provider != Provider::Gcp {
            return stream::empty().boxed();
        }
        let facts = read_facts(&self.bucket_folder(bucket).join("facts.json"));
        let denied = || error_code(&facts, LIST).map(|_| denied(bucket));
        let versions = match denied().or_else(|| list_error(bucket, &facts)) {
            Some(error) => Err(error),
            None => self.versions(bucket),
        };
        let versions = match versions {
            Ok(versions) => versions,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let sized = |mut object: Object| {
            let file = self.file_of(bucket, &object).and_then(|path| std::fs::metadata(path).ok());
            object.size_bytes = file.map_or(object.size_bytes, |file| file.len());
            object
        };
        let all = stated(&versions).map(|(object, _)| object);
        let own = all.filter(|object| object.state == state && object.key.starts_with(prefix)).map(sized);
        let own: Vec<Object> = own.collect();
        let pages: Vec<_> = own.chunks(PAGE_OBJECTS).map(|page| Ok(page.to_vec())).collect();
        stream::iter(pages).boxed()
    }
}

fn denied(bucket: &Bucket) -> CloudError {
    CloudError::Denied { operation: LIST, resource: bucket.name.clone() }
}

/// A version id is one part of a path, and nothing that a terminal would obey.
fn is_id(version: &str) -> bool {
    is_inside(Path::new(version)) && version.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
}
