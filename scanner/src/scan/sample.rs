//! Which objects of a bucket are read where not all are? So many, chosen by the hash of their keys.

use std::collections::BinaryHeap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::estate::{Gap, GapReason, Object};
use crate::findings::Holders;

pub(super) fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// A sample of objects by the hash of their keys, so that the order of the listing has no say in it; bounded.
pub(super) struct Sample {
    bucket: String,
    most: usize,
    pub(super) left_out: u64,
    /// Those left out, and others that nobody outside reaches and nobody read.
    pub(super) unseen: Holders,
    objects: BinaryHeap<Hashed>,
}

impl Sample {
    pub(super) fn new(bucket: &str, most: usize) -> Self {
        let (bucket, unseen) = (bucket.to_owned(), Holders::default());
        Self { bucket, most, left_out: 0, unseen, objects: BinaryHeap::new() }
    }

    pub(super) fn offer(&mut self, object: Object) {
        self.objects.push(Hashed(hash(&object.key), object));
        if self.objects.len() > self.most
            && let Some(Hashed(_, object)) = self.objects.pop()
        {
            self.unseen.insert_object(&self.bucket, &object);
            self.left_out += 1;
        }
    }

    pub(super) fn gap(&self, bucket: &str) -> Gap {
        let (read, all) = (self.objects.len(), self.objects.len() as u64 + self.left_out);
        Gap {
            reason: GapReason::Sampled,
            operation: "read".to_owned(),
            resource: bucket.to_owned(),
            detail: format!(
                "read {read} of {all} objects that nobody outside reaches; `--all` reads them all"
            ),
        }
    }

    pub(super) fn into_objects(self) -> impl Iterator<Item = Object> {
        self.objects.into_iter().map(|Hashed(_, object)| object)
    }
}

struct Hashed(u64, Object);

impl PartialEq for Hashed {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Hashed {}

impl PartialOrd for Hashed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Hashed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(keys: &[String]) -> Vec<String> {
        let mut sample = Sample::new("b", 10);
        for key in keys {
            let size_bytes = 1;
            let key = key.clone();
            sample.offer(Object { key, size_bytes, ..Object::default() });
        }
        assert_eq!(sample.left_out, 990);
        let mut keys: Vec<String> = sample.into_objects().map(|object| object.key).collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_sample_is_bounded_and_blind_to_the_order_of_the_listing() {
        let mut keys: Vec<String> = (0..1000).map(|number| format!("key-{number:04}")).collect();
        let forward = sample(&keys);
        keys.reverse();
        assert_eq!(forward, sample(&keys));
        assert!(forward.iter().any(|key| key.as_str() > "key-0500"), "{forward:?}");
    }
}
