//! What does the newest inventory report say of the objects whose ACLs are too many to ask for?

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures::stream::StreamExt;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::cloud::{Cloud, CloudError};
use crate::estate::aws::{Inventory, Manifest};
use crate::estate::{Bucket, Facts, Gap, GapReason, Object};

/// A manifest names its files; no bucket needs more than this says.
const MANIFEST_BYTES_MAX: usize = 16 << 20;
/// Objects of which a report says that they are granted to others; beyond, it is not used.
const GRANTED_MAX: usize = 200_000;
/// Unpacked; a thousand million rows with their ACLs would be more.
const FILE_BYTES_MAX: u64 = 64 << 30;
/// A key of 1,024 bytes, each escaped as three, and an ACL of a hundred grants, fit several times over.
const ROW_BYTES_MAX: u64 = 256 << 10;
/// Chunks that the network is ahead of the unpacking.
const CHUNKS_AHEAD: usize = 8;

/// The ACLs of a bucket's objects at one moment.
#[derive(Debug)]
pub(super) struct AclReport {
    /// When.
    pub(super) taken: OffsetDateTime,
    covers: String,
    granted: BTreeMap<String, Facts>,
}

impl AclReport {
    /// What the report says of the object: nothing of one that is newer or not covered, no facts of one that is its
    /// owner's alone.
    pub(super) fn of(&self, object: &Object) -> Option<Option<&Facts>> {
        let known = object.is_current()
            && object.modified.is_some_and(|modified| modified < self.taken)
            && object.key.starts_with(&self.covers);
        known.then(|| self.granted.get(&object.key))
    }
}

/// Reads the newest report of `inventory` on `bucket`; a report that is not there, or cannot be read to its end, is a gap.
pub(super) async fn read(
    cloud: &dyn Cloud,
    bucket: &Bucket,
    inventory: &Inventory,
    owner: &str,
) -> Result<AclReport, Gap> {
    let reports = Bucket { account: bucket.account.clone(), name: inventory.bucket.clone(), region: None };
    let missing = |detail: &str| Gap {
        reason: GapReason::NotFound,
        operation: "s3:ListBucketInventoryConfigurations".to_owned(),
        resource: bucket.name.clone(),
        detail: format!("the inventory report on `{}` was not used: {detail}", bucket.name),
    };
    let newest = newest_manifest(cloud, &reports, &inventory.prefix).await.map_err(|error| error.gap())?;
    let newest = newest.ok_or_else(|| missing("there is none yet"))?;
    let bytes = whole(cloud, &reports, &newest).await.map_err(|error| error.gap())?;
    let manifest = Manifest::parse(&bytes, &bucket.name).map_err(|why| missing(&why))?;
    let mut granted = BTreeMap::new();
    for key in &manifest.files {
        let file = Object { key: key.clone(), ..Object::default() };
        let body = cloud.read(&reports, &file).await.map_err(|error| error.gap())?;
        let (send, receive) = mpsc::channel(CHUNKS_AHEAD);
        let (manifest, owner) = (manifest.clone(), owner.to_owned());
        let rows = tokio::task::spawn_blocking(move || rows(receive, &manifest, &owner, granted));
        let mut chunks = body.chunks;
        while let Some(chunk) = chunks.next().await {
            // A reader that is gone has said why.
            if send.send(chunk).await.is_err() {
                break;
            }
        }
        drop(send);
        granted = rows.await.map_err(|_| missing("its reader failed"))?.map_err(|why| missing(&why))?;
    }
    Ok(AclReport { taken: manifest.taken, covers: inventory.covers.clone(), granted })
}

/// The last manifest by its key, which holds the date.
async fn newest_manifest(
    cloud: &dyn Cloud,
    reports: &Bucket,
    prefix: &str,
) -> Result<Option<Object>, CloudError> {
    let mut pages = cloud.objects(reports, prefix);
    let mut newest: Option<Object> = None;
    while let Some(page) = pages.next().await {
        let manifests = page?.into_iter().filter(|object| object.key.ends_with("/manifest.json"));
        newest = newest.into_iter().chain(manifests).max_by(|one, other| one.key.cmp(&other.key));
    }
    Ok(newest)
}

async fn whole(cloud: &dyn Cloud, bucket: &Bucket, object: &Object) -> Result<Vec<u8>, CloudError> {
    let mut chunks = cloud.read(bucket, object).await?.chunks;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(CloudError::Failed {
                operation: "s3:GetObject",
                resource: format!("{}/{}", bucket.name, object.key),
                reason: GapReason::LimitReached,
                message: "longer than any manifest".to_owned(),
            });
        }
    }
    Ok(bytes)
}

type Chunks = mpsc::Receiver<Result<Bytes, CloudError>>;

/// Reads one file, and adds what is granted to others to what is known.
fn rows(
    chunks: Chunks,
    manifest: &Manifest,
    owner: &str,
    mut granted: BTreeMap<String, Facts>,
) -> Result<BTreeMap<String, Facts>, String> {
    let unpacked = MultiGzDecoder::new(Arriving { chunks, chunk: Bytes::new() }).take(FILE_BYTES_MAX);
    let mut unpacked = BufReader::new(unpacked);
    let (mut line, mut row) = (Vec::new(), csv::StringRecord::new());
    loop {
        // Keys are escaped and ACLs are base64, so that a row is a line: no quote may hold the rest of the file.
        line.clear();
        let read = (&mut unpacked).take(ROW_BYTES_MAX).read_until(b'\n', &mut line);
        if read.map_err(|error| error.to_string())? == 0 {
            break;
        }
        if line.len() as u64 == ROW_BYTES_MAX {
            return Err("it holds a row longer than any".to_owned());
        }
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_slice());
        rows.read_record(&mut row).map_err(|error| error.to_string())?;
        let cells: Vec<&str> = row.iter().collect();
        if let Some((key, Some(facts))) = manifest.row(&cells, owner) {
            granted.insert(key, facts);
        }
        if granted.len() > GRANTED_MAX {
            return Err(format!("it grants more than {GRANTED_MAX} objects to others"));
        }
    }
    Ok(granted)
}

/// Bytes on their way, for a reader that waits.
struct Arriving {
    chunks: Chunks,
    chunk: Bytes,
}

impl Read for Arriving {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(out.len());
        let taken = self.chunk.split_to(count);
        out.get_mut(..count).unwrap_or_default().copy_from_slice(&taken);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// What becomes of a file of rows that unpacks to this.
    fn read(unpacked: &[u8]) -> Result<BTreeMap<String, Facts>, String> {
        let manifest = br#"{"sourceBucket": "b", "creationTimestamp": "1764115200000", "fileFormat": "CSV",
            "fileSchema": "Bucket, Key, ObjectAccessControlList", "files": []}"#;
        let manifest = Manifest::parse(manifest, "b").unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(unpacked).unwrap();
        let (send, receive) = mpsc::channel(1);
        let reading = std::thread::spawn(move || rows(receive, &manifest, "us", BTreeMap::new()));
        send.blocking_send(Ok(Bytes::from(packed.finish().unwrap()))).unwrap();
        drop(send);
        reading.join().unwrap()
    }

    #[test]
    fn a_row_that_does_not_end_is_refused_not_kept_in_memory() {
        assert!(read(&vec![b'a'; 4 << 20]).unwrap_err().contains("longer than any"));
        let mut open_quote = b"\"b\",\"".to_vec();
        open_quote.resize(4 << 20, b'x');
        assert!(read(&open_quote).unwrap_err().contains("longer than any"));
    }

    #[test]
    fn an_acl_that_a_row_does_not_tell_is_unread() {
        let granted = read(b"\"b\",\"k\",\"\"\n").unwrap();
        let answer = granted["k"].answer("s3:GetObjectAcl").unwrap();
        assert!(answer["Error"]["Code"].is_string(), "{answer}");
    }
}
