use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};

use super::*;
use crate::cloud::Body;
use crate::estate::{Account, Facts, Provider, State};
use crate::exposure::{Exposure, Keys};

/// A bucket with one object that lets unsigned requests list, read, or neither.
struct Door {
    list: bool,
    read: bool,
    /// Whether it shows an older version.
    older: bool,
}

#[async_trait]
impl Cloud for Door {
    async fn accounts(&self) -> Result<Vec<Account>, CloudError> {
        Ok(Vec::new())
    }

    async fn account_facts(&self, _: &Account) -> Facts {
        Facts::default()
    }

    fn buckets<'a>(&'a self, _: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>> {
        stream::empty().boxed()
    }

    async fn access_facts(&self, _: &Bucket) -> Facts {
        Facts::default()
    }

    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        _: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        let object = Object { key: "logs/a".to_owned(), size_bytes: 1, ..Object::default() };
        let page = if self.list { Ok(vec![object]) } else { Err(denied(bucket)) };
        stream::iter([page]).boxed()
    }

    fn older_versions<'a>(
        &'a self,
        _: &'a Bucket,
        _: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        let older = Object { key: "logs/b".to_owned(), state: State::Noncurrent, ..Object::default() };
        stream::iter([Ok(if self.older { vec![older] } else { Vec::new() })]).boxed()
    }

    async fn object_facts(&self, _: &Bucket, _: &Object) -> Facts {
        Facts::default()
    }

    async fn read(&self, bucket: &Bucket, _: &Object) -> Result<Body, CloudError> {
        if self.read {
            Ok(Body { metadata: BTreeMap::new(), chunks: stream::empty().boxed() })
        } else {
            Err(denied(bucket))
        }
    }
}

fn denied(bucket: &Bucket) -> CloudError {
    CloudError::Denied { operation: "s3:ListObjectsV2", resource: bucket.name.clone() }
}

fn bucket() -> Bucket {
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    Bucket { account, name: "bucket".to_owned(), region: None }
}

fn verdict(certainty: Option<Certainty>) -> BucketExposure {
    let exposure = |certainty| Exposure {
        audience: Audience::Anyone,
        access: [Access::List, Access::Read].into(),
        keys: Keys::all(),
        certainty,
        witness: None,
        because: Vec::new(),
        closing: Vec::new(),
    };
    BucketExposure {
        exposures: certainty.map(exposure).into_iter().collect(),
        ..BucketExposure::unknown(&bucket())
    }
}

async fn outcomes(door: Door, certainty: Option<Certainty>) -> Vec<(Outcome, bool)> {
    let probed = probe(&door, &bucket(), &verdict(certainty), None).await;
    probed.iter().map(|probed| (probed.outcome, probed.gap.is_some())).collect()
}

#[tokio::test]
async fn what_was_proven_is_confirmed_by_an_open_door() {
    let found = outcomes(Door { list: true, read: true, older: false }, Some(Certainty::Proven)).await;
    assert_eq!(found, [(Outcome::Confirmed, false), (Outcome::Confirmed, false)]);
}

#[tokio::test]
async fn a_closed_door_refutes_what_was_proven_and_is_a_gap_of_our_model() {
    let found = outcomes(Door { list: true, read: false, older: false }, Some(Certainty::Proven)).await;
    assert_eq!(found, [(Outcome::Confirmed, false), (Outcome::Refuted, true)]);
}

#[tokio::test]
async fn an_open_door_refutes_a_no() {
    let found = outcomes(Door { list: true, read: false, older: false }, None).await;
    assert_eq!(found, [(Outcome::Refuted, true), (Outcome::Confirmed, false)]);
}

#[tokio::test]
async fn what_was_possible_is_settled_without_blame() {
    let found = outcomes(Door { list: true, read: false, older: false }, Some(Certainty::Possible)).await;
    assert_eq!(found, [(Outcome::Allowed, false), (Outcome::Denied, false)]);
}

#[tokio::test]
async fn an_older_version_that_is_shown_and_read_is_told_apart() {
    let door = Door { list: true, read: true, older: true };
    let probed = probe(&door, &bucket(), &verdict(Some(Certainty::Proven)), None).await;
    let [_, _, older] = &probed[..] else { panic!("{probed:?}") };
    // The verdict lets anyone read what is current, and says nothing of versions, which an ACL may open.
    assert_eq!((older.access, older.outcome), (Access::ReadVersions, Outcome::Allowed));
    assert!(older.sentence().contains("older version of `logs/b`"), "{}", older.sentence());
}

#[tokio::test]
async fn without_a_key_a_read_tells_nothing() {
    let found = outcomes(Door { list: false, read: true, older: false }, None).await;
    assert_eq!(found, [(Outcome::Confirmed, false), (Outcome::Undecided, false)]);
}
