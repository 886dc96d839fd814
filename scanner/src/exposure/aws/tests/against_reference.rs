//! Does the reasoner agree with the reference evaluator, on policies and requests that nobody thought of?
//!
//! Each proof must be a request that the reference allows, and each request of an outsider that the reference allows must
//! be covered by an exposure. `SPILLWATCH_PAIRS=1000000 cargo test --release -p spillwatch --lib against_reference`
//! compares a million pairs of policy and request; without it, some ten thousand.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::generated::{OWNER, SISTER, policy};
use super::outsiders::{Dice, outsider};
use super::reference::{Request, Sender, allowed};
use crate::estate::{Account, Bucket, Facts, Provider};
use crate::exposure::aws::actions::ACTIONS;
use crate::exposure::aws::judge::Hit;
use crate::exposure::aws::requesters::Caller;
use crate::exposure::aws::verdict::Notes;
use crate::exposure::aws::{Dossier, channels, judge};
use crate::exposure::policy::PrincipalName;
use crate::exposure::{Access, Audience, Certainty, ZoneOfTrust};

const REQUESTS_PER_POLICY: usize = 200;

fn zone() -> ZoneOfTrust {
    ZoneOfTrust {
        accounts: [OWNER.to_owned(), SISTER.to_owned()].into(),
        organizations: ["o-ours123456".to_owned()].into(),
        networks: ["vpc-ours".to_owned(), "vpce-ours".to_owned()].into(),
        ..ZoneOfTrust::default()
    }
}

/// The ways in that the reasoner finds.
fn hits(policy: &Value) -> Vec<Hit> {
    let account = Account { provider: Provider::Aws, id: OWNER.to_owned() };
    let bucket = Bucket { account, name: "bucket".to_owned(), region: Some("eu-central-1".to_owned()) };
    let mut facts = Facts::default();
    facts.record("s3:GetBucketPolicy", json!({"Policy": policy}));
    facts.record("s3:GetBucketAcl", json!({"Owner": {"ID": "owner"}, "Grants": []}));
    facts.record_error("s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    facts.record_error("s3control:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    let zone = zone();
    let dossier = Dossier::read(&bucket, &facts, &Facts::default(), &zone);
    let mut channels = channels::of_bucket(&dossier, &mut Notes::default());
    judge::judge(&channels.remove(0), &zone)
}

/// The request that a proof speaks of.
fn witnessed(hit: &Hit) -> Request {
    let evidence = &hit.evidence;
    let mut context: BTreeMap<String, Vec<String>> = evidence.values.clone();
    let account_arn = |account: &str, rest: &str| format!("arn:aws:iam::{account}:{rest}");
    let chosen = |key: &str| evidence.values.get(key).and_then(|values| values.first()).cloned();
    let sender = match &evidence.requester.caller {
        Caller::Anonymous => Sender::Anonymous,
        Caller::User { account, name } => {
            let name =
                name.clone().or_else(|| chosen("aws:username")).unwrap_or_else(|| "visitor".to_owned());
            let arn =
                chosen("aws:principalarn").unwrap_or_else(|| account_arn(account, &format!("user/{name}")));
            context.entry("aws:username".to_owned()).or_insert_with(|| vec![name]);
            Sender::Aws { account: account.clone(), arn, session: None }
        }
        Caller::Role { account, role, session } => {
            let role = role.clone().unwrap_or_else(|| "visitor".to_owned());
            let arn =
                chosen("aws:principalarn").unwrap_or_else(|| account_arn(account, &format!("role/{role}")));
            let session = session
                .as_ref()
                .map(|session| format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"));
            Sender::Aws { account: account.clone(), arn, session }
        }
        Caller::Root { account } => {
            Sender::Aws { account: account.clone(), arn: account_arn(account, "root"), session: None }
        }
        Caller::FederatedUser { account } => {
            let arn = chosen("aws:principalarn")
                .unwrap_or_else(|| format!("arn:aws:sts::{account}:federated-user/visitor"));
            Sender::Aws { account: account.clone(), arn, session: None }
        }
        Caller::Service { name, .. } => Sender::Service(name.clone()),
        Caller::Opaque { name: PrincipalName::Federated(provider), .. } => {
            Sender::Federated(provider.clone())
        }
        Caller::Opaque { name: PrincipalName::Canonical(id), .. } => Sender::Canonical(id.clone()),
        Caller::Opaque { arn, account, .. } => Sender::Aws {
            account: account.clone().unwrap_or_default(),
            arn: arn.clone().unwrap_or_default(),
            session: None,
        },
    };
    // Circumstances hold in every way for a proof; the reference needs one of them.
    context.entry("aws:currenttime".to_owned()).or_insert_with(|| vec!["2027-01-01T00:00:00Z".to_owned()]);
    let resource = match &evidence.key {
        Some(key) => format!("arn:aws:s3:::bucket/{key}"),
        None => "arn:aws:s3:::bucket".to_owned(),
    };
    Request { sender, action: evidence.action.to_owned(), resource, context }
}

/// Whether some hit says that this request gets through.
fn covered(hits: &[Hit], request: &Request, audiences: &[Audience]) -> bool {
    let key = request.resource.strip_prefix("arn:aws:s3:::bucket/");
    let prefix = request.context.get("s3:prefix").and_then(|values| values.first());
    let says = |hit: &Hit, access: Access| {
        let keys = match (access, key) {
            // A listing below a prefix shows keys that start with it.
            (Access::List, _) => {
                let shown = format!("{}anything", prefix.map_or("", String::as_str));
                hit.keys.contains(&shown)
            }
            (_, Some(key)) => hit.keys.contains(key),
            (_, None) => true,
        };
        audiences.contains(&hit.audience) && hit.access == access && keys
    };
    // One action may be good for several kinds of access.
    let mut accesses =
        ACTIONS.iter().filter(|action| action.name == request.action).map(|action| action.access);
    accesses.all(|access| hits.iter().any(|hit| says(hit, access)))
}

/// How often there was something to compare: a proof, or a request that the reference allows.
#[derive(Default)]
struct Tally {
    proofs: Cell<usize>,
    allowed: Cell<usize>,
}

fn check(policy: &Value, seed: u64, tally: &Tally) -> Result<(), TestCaseError> {
    let hits = hits(policy);
    for hit in hits.iter().filter(|hit| hit.certainty == Certainty::Proven) {
        let request = witnessed(hit);
        tally.proofs.set(tally.proofs.get() + 1);
        prop_assert!(
            allowed(policy, &request),
            "not allowed by the reference: {request:#?}, keys {}",
            hit.keys
        );
    }
    let mut dice = Dice(seed);
    for _ in 0..REQUESTS_PER_POLICY {
        let (request, audiences) = outsider(&mut dice);
        if allowed(policy, &request) {
            tally.allowed.set(tally.allowed.get() + 1);
            let found: Vec<_> = hits
                .iter()
                .map(|hit| (hit.audience, hit.access, hit.keys.to_string(), hit.certainty))
                .collect();
            prop_assert!(
                covered(&hits, &request, &audiences),
                "allowed by the reference, but not covered: {request:#?}\nfor {audiences:?}; found {found:#?}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_reasoner_agrees_with_the_reference_on_generated_policies() {
    let pairs: usize =
        std::env::var("SPILLWATCH_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(40_000);
    let cases = u32::try_from(pairs / REQUESTS_PER_POLICY).unwrap_or(u32::MAX);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tally = Tally::default();
    let outcome = runner.run(&(policy(), any::<u64>()), |(policy, seed)| check(&policy, seed, &tally));
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let (proofs, allowed) = (tally.proofs.get(), tally.allowed.get());
    println!("{proofs} proofs and {allowed} allowed requests in {pairs} pairs");
    assert!(
        proofs > pairs / 400 && allowed > pairs / 50,
        "{proofs} proofs and {allowed} allowed requests say little"
    );
}
