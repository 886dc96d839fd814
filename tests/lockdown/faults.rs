//! What if a call fails, succeeds unheard, or is the last that the run makes? For every call, a second run sets it right.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use spillwatch::cloud::local::LocalCloud;
use spillwatch::cloud::{Body, Cloud, CloudError, Lockable, Stated};
use spillwatch::estate::{Account, Bucket, Facts, GapReason, Object, Setting};
use spillwatch::lockdown::{Applied, ApplyError, Outcome};
use tokio::sync::Notify;

use super::files;
use super::generated::{Estate, State, runtime, state};

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It is not done, and says so.
    Fails,
    /// It is done, and the answer is lost.
    Unheard,
    /// The run ends before it is done.
    KilledBefore,
    /// The run ends after it is done.
    KilledAfter,
}

const FAULTS: [Fault; 4] = [Fault::Fails, Fault::Unheard, Fault::KilledBefore, Fault::KilledAfter];

/// A door of which one call goes wrong. Like S3 it shows ACLs without the public grants in them while those are ignored.
struct Faulty {
    inner: LocalCloud,
    fault: Fault,
    /// Calls until then.
    left: AtomicUsize,
    killed: Notify,
}

impl Faulty {
    fn new(estate: &Estate, fault: Fault, call: usize) -> Self {
        Self { inner: estate.door(), fault, left: AtomicUsize::new(call), killed: Notify::new() }
    }

    /// One of which none does.
    fn sound(estate: &Estate) -> Self {
        Self::new(estate, Fault::Fails, usize::MAX / 2)
    }

    /// An ACL as it is shown while the block stands that stands now.
    async fn shown(&self, bucket: &Bucket, mut acl: Value) -> Value {
        let block = self.inner.stated(bucket, &Setting::PublicAccessBlock).await.map(|stated| stated.answer);
        let ignored =
            block.is_ok_and(|block| block["PublicAccessBlockConfiguration"]["IgnorePublicAcls"] == true);
        if let (true, Some(grants)) = (ignored, acl.get_mut("Grants").and_then(Value::as_array_mut)) {
            grants.retain(|grant| !grant["Grantee"]["URI"].as_str().unwrap_or_default().contains("/global/"));
        }
        acl
    }

    async fn shown_facts(&self, bucket: &Bucket, mut facts: Facts) -> Facts {
        for operation in ["s3:GetBucketAcl", "s3:GetObjectAcl"] {
            if let Some(acl) = facts.answer(operation).cloned() {
                facts.record(operation, self.shown(bucket, acl).await);
            }
        }
        facts
    }

    /// Whether the fault came to pass.
    fn has_struck(&self) -> bool {
        // Counted down past nothing.
        self.left.load(Ordering::SeqCst) > CALLS_MAX
    }

    async fn call<T>(&self, call: impl Future<Output = T>, failed: impl FnOnce() -> T) -> T {
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return call.await;
        }
        if matches!(self.fault, Fault::Unheard | Fault::KilledAfter) {
            call.await;
        }
        if matches!(self.fault, Fault::KilledBefore | Fault::KilledAfter) {
            self.killed.notify_one();
            return std::future::pending().await;
        }
        failed()
    }
}

fn error() -> CloudError {
    CloudError::Failed {
        operation: "test",
        resource: "generated".to_owned(),
        reason: GapReason::Unreachable,
        message: "the connection broke off".to_owned(),
    }
}

#[async_trait]
impl Cloud for Faulty {
    async fn accounts(&self) -> Result<Vec<Account>, CloudError> {
        self.inner.accounts().await
    }

    async fn account_facts(&self, account: &Account) -> Facts {
        self.call(self.inner.account_facts(account), Facts::default).await
    }

    fn buckets<'a>(&'a self, account: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>> {
        self.inner.buckets(account)
    }

    async fn access_facts(&self, bucket: &Bucket) -> Facts {
        let read = async { self.shown_facts(bucket, self.inner.access_facts(bucket).await).await };
        self.call(read, Facts::default).await
    }

    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        let pages = async move {
            let pages = self.inner.objects(bucket, prefix).collect::<Vec<_>>();
            self.call(pages, || vec![Err(error())]).await
        };
        stream::once(pages).map(stream::iter).flatten().boxed()
    }

    async fn object_facts(&self, bucket: &Bucket, object: &Object) -> Facts {
        let read = async { self.shown_facts(bucket, self.inner.object_facts(bucket, object).await).await };
        self.call(read, Facts::default).await
    }

    async fn read(&self, bucket: &Bucket, object: &Object) -> Result<Body, CloudError> {
        self.inner.read(bucket, object).await
    }
}

#[async_trait]
impl Lockable for Faulty {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    async fn stated(&self, bucket: &Bucket, setting: &Setting) -> Result<Stated, CloudError> {
        let read = async {
            let stated = self.inner.stated(bucket, setting).await?;
            Ok(Stated { answer: self.shown(bucket, stated.answer).await, ..stated })
        };
        self.call(read, || Err(error())).await
    }

    async fn set(
        &self,
        bucket: &Bucket,
        setting: &Setting,
        from: &Value,
        to: &Stated,
    ) -> Result<(), CloudError> {
        self.call(self.inner.set(bucket, setting, from, to), || Err(error())).await
    }
}

/// The outcome of a run, unless it was killed.
async fn until_killed(
    door: &Faulty,
    run: impl Future<Output = Result<Applied, ApplyError>>,
) -> Option<Applied> {
    tokio::select! {
        applied = run => Some(applied.unwrap()),
        () = door.killed.notified() => None,
    }
}

/// Whether there was a call of that number in the first run; if so, everything held.
async fn holds_at(state: &State, fault: Fault, call: usize, goes_on: bool) -> Result<bool, TestCaseError> {
    let estate = Estate::of(state);
    let before = files(&estate.root());
    let Some(plan) =
        estate.plan_by(&Faulty::sound(&estate)).await.filter(|plan| plan.buckets[0].refused.is_none())
    else {
        return Ok(false);
    };
    let door = Faulty::new(&estate, fault, call);
    let applied = until_killed(&door, estate.apply(&door, &plan)).await;
    let struck = door.has_struck() || applied.is_none();
    // What is said to be done, is; what is not, is said.
    if let Some(applied) = &applied {
        let closed = estate.plan_by(&Faulty::sound(&estate)).await.is_none();
        prop_assert!(closed || !applied.is_complete(), "{:#?}", applied.steps);
        let changed = files(&estate.root()) != before;
        let told = applied.steps.iter().any(|step| {
            step.outcome == Outcome::Failed
                || (step.outcome == Outcome::Applied && step.setting != "verification")
        });
        prop_assert!(told || !changed, "{:#?}", applied.steps);
    }
    if goes_on {
        let second = estate.apply(&Faulty::sound(&estate), &plan).await.unwrap();
        prop_assert!(second.is_complete(), "{:#?}", second.steps);
        prop_assert!(estate.plan_by(&Faulty::sound(&estate)).await.is_none());
    }
    let undone = estate.undo(&Faulty::sound(&estate), &estate.journal(&plan)).await.unwrap();
    prop_assert!(undone.is_complete(), "{:#?}", undone.steps);
    prop_assert!(files(&estate.root()) == before, "not as it was");
    Ok(struck)
}

/// The same for a call of undoing.
async fn is_undone_at(state: &State, fault: Fault, call: usize) -> Result<bool, TestCaseError> {
    let estate = Estate::of(state);
    let before = files(&estate.root());
    let Some(plan) =
        estate.plan_by(&Faulty::sound(&estate)).await.filter(|plan| plan.buckets[0].refused.is_none())
    else {
        return Ok(false);
    };
    let journal = estate.apply(&Faulty::sound(&estate), &plan).await.unwrap().journal;
    let door = Faulty::new(&estate, fault, call);
    let undone = until_killed(&door, estate.undo(&door, &journal)).await;
    let struck = door.has_struck() || undone.is_none();
    if let Some(undone) = undone {
        let whole = files(&estate.root()) == before;
        prop_assert!(whole || !undone.is_complete(), "{:#?}", undone.steps);
    }
    let again = estate.undo(&Faulty::sound(&estate), &journal).await.unwrap();
    prop_assert!(again.is_complete(), "{:#?}", again.steps);
    prop_assert!(files(&estate.root()) == before, "not as it was");
    Ok(struck)
}

/// More calls than any run here makes.
const CALLS_MAX: usize = 200;

#[test]
fn whichever_call_of_a_run_goes_wrong_a_second_run_sets_it_right() {
    let state = State::open_in_every_way();
    for fault in FAULTS {
        for goes_on in [false, true] {
            let calls = (0..CALLS_MAX).take_while(|call| {
                let held = runtime().block_on(holds_at(&state, fault, *call, goes_on));
                held.unwrap_or_else(|error| panic!("{fault:?} at call {call}, goes on: {goes_on}: {error}"))
            });
            let calls = calls.count();
            assert!((20..CALLS_MAX).contains(&calls), "{calls} calls");
        }
    }
}

#[test]
fn whichever_call_of_undoing_goes_wrong_a_second_undo_sets_it_right() {
    let state = State::open_in_every_way();
    for fault in FAULTS {
        let calls = (0..CALLS_MAX).take_while(|call| {
            let held = runtime().block_on(is_undone_at(&state, fault, *call));
            held.unwrap_or_else(|error| panic!("{fault:?} at call {call}: {error}"))
        });
        let calls = calls.count();
        assert!((12..CALLS_MAX).contains(&calls), "{calls} calls");
    }
}

#[test]
fn a_fault_anywhere_in_any_state_is_set_right() {
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let cases = (state(), prop::sample::select(FAULTS.to_vec()), 0..30_usize, any::<bool>());
    let held = TestRunner::new(config).run(&cases, |(state, fault, call, goes_on)| {
        runtime().block_on(async {
            holds_at(&state, fault, call, goes_on).await?;
            is_undone_at(&state, fault, call).await.map(drop)
        })
    });
    if let Err(error) = held {
        panic!("{error}");
    }
}

#[test]
fn two_runs_by_one_journal_exclude_each_other() {
    runtime().block_on(async {
        let estate = Estate::of(&State::open_in_every_way());
        let before = files(&estate.root());
        let plan = estate.plan_by(&Faulty::sound(&estate)).await.unwrap();
        assert_eq!(plan.buckets[0].refused, None);
        std::fs::create_dir_all(estate.journal(&plan).parent().unwrap()).unwrap();
        let held = spillwatch::lockdown::Journal::open(&estate.journal(&plan)).unwrap();
        let error = estate.apply(&estate.door(), &plan).await.unwrap_err();
        assert!(error.to_string().contains("in use by another run"), "{error}");
        assert!(files(&estate.root()) == before);
        drop(held);
        assert!(estate.apply(&estate.door(), &plan).await.unwrap().is_complete());
    });
}
