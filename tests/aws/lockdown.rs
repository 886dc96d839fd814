//! Is a leak closed, and opened again, on a server that enforces what is set?

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::types::ObjectCannedAcl;
use futures::stream::BoxStream;
use serde_json::{Value, json};
use spillwatch::cloud::aws::{AwsCloud, UNKNOWN_ACCOUNT};
use spillwatch::cloud::{Body, Cloud, CloudError, Lockable, Stated};
use spillwatch::estate::{Account, Bucket, Facts, Object, Provider, Setting};
use spillwatch::exposure::ZoneOfTrust;
use spillwatch::lockdown::{
    HazardKind, Journal, Options, Outcome, Plan, Scope, Subject, apply, plan_bucket, undo,
};

use super::{credentials, keep_versions, put, seeder, settings};
use crate::servers;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(10);

const BLOCK: &str = "s3:GetPublicAccessBlock";

/// Ceph answers nothing that can be read of blocks and ownership, and enforces neither; here they are kept beside it.
/// Policies and ACLs, which it enforces, are its own.
struct WithBlocks {
    ceph: AwsCloud,
    block: Mutex<Value>,
}

impl WithBlocks {
    fn block(&self) -> std::sync::MutexGuard<'_, Value> {
        self.block.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cloud for WithBlocks {
    async fn accounts(&self) -> Result<Vec<Account>, CloudError> {
        self.ceph.accounts().await
    }

    async fn account_facts(&self, _: &Account) -> Facts {
        let mut facts = Facts::default();
        facts.record_error("s3control:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
        facts
    }

    fn buckets<'a>(&'a self, account: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>> {
        self.ceph.buckets(account)
    }

    async fn access_facts(&self, bucket: &Bucket) -> Facts {
        let mut facts = Facts::default();
        facts.record(BLOCK, self.block().clone());
        facts.record_error("s3:GetBucketOwnershipControls", "OwnershipControlsNotFoundError");
        facts.inherit(&self.ceph.access_facts(bucket).await);
        facts
    }

    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.ceph.objects(bucket, prefix)
    }

    fn older_versions<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        self.ceph.older_versions(bucket, prefix)
    }

    async fn object_facts(&self, bucket: &Bucket, object: &Object) -> Facts {
        self.ceph.object_facts(bucket, object).await
    }

    async fn read(&self, bucket: &Bucket, object: &Object) -> Result<Body, CloudError> {
        self.ceph.read(bucket, object).await
    }
}

#[async_trait]
impl Lockable for WithBlocks {
    fn identity(&self) -> String {
        self.ceph.identity()
    }

    async fn stated(&self, bucket: &Bucket, setting: &Setting) -> Result<Stated, CloudError> {
        match setting {
            Setting::PublicAccessBlock => Ok(Stated::answered(self.block().clone())),
            _ => self.ceph.stated(bucket, setting).await,
        }
    }

    async fn set(
        &self,
        bucket: &Bucket,
        setting: &Setting,
        from: &Value,
        to: &Stated,
    ) -> Result<(), CloudError> {
        match setting {
            Setting::PublicAccessBlock => *self.block() = to.answer.clone(),
            _ => self.ceph.set(bucket, setting, from, to).await?,
        }
        Ok(())
    }
}

/// A door to alice's Ceph without a public access block.
fn door(endpoint: &str) -> WithBlocks {
    let absent = json!({"Error": {"Code": "NoSuchPublicAccessBlockConfiguration"}});
    WithBlocks { ceph: AwsCloud::connect(settings(endpoint, "alice")), block: Mutex::new(absent) }
}

fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Aws, id: UNKNOWN_ACCOUNT.to_owned() };
    Bucket { account, name: name.to_owned(), region: None }
}

/// Ceph knows neither all of AWS's actions nor what a negated operator says of a key that is missing, and refuses.
#[tokio::test]
async fn where_a_server_takes_no_quarantine_that_is_said_and_nothing_is_changed() {
    let ceph = servers::ceph();
    let (s3, bob) =
        (seeder(&ceph.endpoint, credentials("alice")), seeder(&ceph.endpoint, credentials("bob")));
    let name = "lock-quarantine";
    s3.create_bucket().bucket(name).send().await.expect("made");
    put(&s3, name, "drafts/atlas.md", "shared by name").await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Bob", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/bob"}, "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{name}/*"),
    }]});
    s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send().await.expect("set");
    let reads = async || bob.get_object().bucket(name).key("drafts/atlas.md").send().await.is_ok();
    assert!(reads().await, "bob is let in");

    let door = door(&ceph.endpoint);
    let zone =
        ZoneOfTrust { accounts: BTreeSet::from(["111122223333".to_owned()]), ..ZoneOfTrust::default() };
    let responders = BTreeSet::from(["arn:aws:iam::111122223333:role/incident-response".to_owned()]);
    let scope = Scope::public().with_quarantine_but_for(responders);
    let before = Subject::read(&door, bucket(name), zone.clone()).await;
    let planned = plan_bucket(&before, &scope).expect("to be quarantined");
    assert_eq!(planned.refused, None, "{planned:#?}");
    let plan =
        Plan::new("s3://lock-quarantine".to_owned(), String::new(), scope, zone.clone(), vec![planned]);
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        approver: "a tester",
        accepted: &BTreeSet::from([HazardKind::CrossAccount]),
        folder: folder.path(),
        recipient: None,
        archive: None,
        patience: PATIENCE,
    };
    let applied = apply(&door, &plan, &options).await.expect("applied");
    assert_eq!(applied.steps[0].outcome, Outcome::Failed, "{:#?}", applied.steps);
    assert!(!applied.steps.iter().any(|step| step.outcome == Outcome::Applied), "{:#?}", applied.steps);
    assert!(reads().await, "as before");
    assert_eq!(Subject::read(&door, bucket(name), zone).await.facts, before.facts);
}

#[tokio::test]
async fn an_older_version_that_is_open_is_closed_and_opened_again() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let name = "lock-versions";
    s3.create_bucket().bucket(name).send().await.expect("made");
    keep_versions(&s3, name).await;
    let put = async |acl: ObjectCannedAcl| {
        let put = s3.put_object().bucket(name).key("people.csv").acl(acl).send().await.expect("put");
        put.version_id.expect("a version")
    };
    let older = put(ObjectCannedAcl::PublicRead).await;
    put(ObjectCannedAcl::Private).await;
    let get = |version: &str| {
        let head = format!("GET /{name}/people.csv?versionId={version}");
        servers::plain_request(&ceph.endpoint, &head, "", "").0
    };
    assert_eq!(get(&older), 200, "the leak");
    let door = door(&ceph.endpoint);
    let before = Subject::read(&door, bucket(name), ZoneOfTrust::default()).await;
    let planned = plan_bucket(&before, &Scope::public()).expect("it is open");
    assert_eq!(planned.refused, None, "{planned:#?}");
    let acl = Setting::ObjectAcl { key: "people.csv".to_owned(), version: Some(older.clone()) };
    assert_eq!(planned.changes.iter().map(|change| &change.setting).collect::<Vec<_>>(), [&acl]);
    let target = format!("s3://{name}");
    let plan = Plan::new(target, String::new(), Scope::public(), ZoneOfTrust::default(), vec![planned]);
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        approver: "a tester",
        accepted: &BTreeSet::new(),
        folder: folder.path(),
        recipient: None,
        archive: None,
        patience: PATIENCE,
    };
    let applied = apply(&door, &plan, &options).await.expect("applied");
    assert!(applied.is_complete(), "{:#?}", applied.steps);
    assert_eq!(get(&older), 403, "closed");
    let kept = folder.path().join(&plan.id).join("evidence/estate/aws").join(UNKNOWN_ACCOUNT).join(name);
    let versions = std::fs::read_to_string(kept.join("versions.json")).expect("kept");
    assert!(versions.contains(&older), "{versions}");
    let undone =
        undo(&door, Journal::open(&applied.journal).expect("a journal"), PATIENCE).await.expect("undone");
    assert!(undone.is_complete(), "{:#?}", undone.steps);
    assert_eq!(get(&older), 200, "as before");
}

#[tokio::test]
async fn a_leak_is_closed_for_anonymous_requests_and_opened_again_as_it_was() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let name = "lock-leak";
    s3.create_bucket().bucket(name).send().await.expect("made");
    put(&s3, name, "drafts/atlas.md", "by policy").await;
    put(&s3, name, "people.csv", "by ACL").await;
    let acl = s3.put_object_acl().bucket(name).key("people.csv").acl(ObjectCannedAcl::PublicRead);
    acl.send().await.expect("granted");
    let partner = json!({"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": format!("arn:aws:s3:::{name}/kept/*")});
    let policy = json!({"Version": "2012-10-17", "Statement": [partner, {
        "Sid": "Demo", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{name}/drafts/*"),
    }]});
    s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send().await.expect("set");
    let get = |key: &str| servers::plain_request(&ceph.endpoint, &format!("GET /{name}/{key}"), "", "").0;
    assert_eq!((get("drafts/atlas.md"), get("people.csv")), (200, 200), "the leak");

    let door = door(&ceph.endpoint);
    let (bucket, absent) = (bucket(name), door.block().clone());
    let zone = ZoneOfTrust::default();
    let before = Subject::read(&door, bucket.clone(), zone.clone()).await;
    let planned = plan_bucket(&before, &Scope::public()).expect("it is open");
    assert_eq!(planned.refused, None, "{planned:#?}");
    let plan =
        Plan::new("s3://lock-leak".to_owned(), String::new(), Scope::public(), zone.clone(), vec![planned]);
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        approver: "a tester",
        accepted: &BTreeSet::new(),
        folder: folder.path(),
        recipient: None,
        archive: None,
        patience: PATIENCE,
    };
    let applied = apply(&door, &plan, &options).await.expect("applied");
    assert!(applied.is_complete(), "{:#?}", applied.steps);
    assert_eq!((get("drafts/atlas.md"), get("people.csv")), (403, 403), "closed");
    let left = s3.get_bucket_policy().bucket(name).send().await.expect("read").policy.expect("a policy");
    assert!(left.contains("\"Own\"") && !left.contains("\"Demo\""), "{left}");

    let again =
        undo(&door, Journal::open(&applied.journal).expect("a journal"), PATIENCE).await.expect("undone");
    assert!(again.steps.iter().all(|step| step.outcome == Outcome::Applied), "{:#?}", again.steps);
    assert_eq!((get("drafts/atlas.md"), get("people.csv")), (200, 200), "as before");
    let after = Subject::read(&door, bucket, zone).await;
    // Ceph counts a changed ACL as a change of the object's date.
    let acls = |subject: &Subject| subject.objects.iter().map(|(_, facts)| facts.clone()).collect::<Vec<_>>();
    assert_eq!((&after.facts, acls(&after)), (&before.facts, acls(&before)), "not as it was");
    assert_eq!(*door.block(), absent);
}
