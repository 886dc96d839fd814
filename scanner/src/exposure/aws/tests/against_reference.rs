//! Does the reasoner agree with the reference evaluator, on policies and requests that nobody thought of?
//!
//! Each proof must be a request that the reference allows, and each request of an outsider that the reference allows must
//! be covered by an exposure. `SPILLWATCH_PAIRS=1000000 cargo test --release -p spillwatch --lib against_reference`
//! compares a million pairs of policy and request; without it, some ten thousand.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::reference::{Request, Sender, allowed};
use crate::estate::{Account, Bucket, Facts, Provider};
use crate::exposure::aws::actions::ACTIONS;
use crate::exposure::aws::judge::Hit;
use crate::exposure::aws::requesters::Caller;
use crate::exposure::aws::verdict::Notes;
use crate::exposure::aws::{Dossier, channels, judge};
use crate::exposure::policy::PrincipalName;
use crate::exposure::{Access, Audience, Certainty, ZoneOfTrust};

const OWNER: &str = "111122223333";
const PARTNER: &str = "444455556666";
const SISTER: &str = "777788889999";
const REQUESTS_PER_POLICY: usize = 200;

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
    prop::collection::vec(prop::sample::select(values), 1..3).prop_map(|mut values| {
        values.dedup();
        if values.len() == 1 { json!(values[0]) } else { json!(values) }
    })
}

fn principal() -> impl Strategy<Value = (&'static str, Value)> {
    let names = prop_oneof![
        4 => Just(json!("*")),
        1 => Just(json!({"AWS": "*"})),
        1 => Just(json!({"AWS": PARTNER})),
        1 => Just(json!({"AWS": [format!("arn:aws:iam::{SISTER}:root"), OWNER]})),
        1 => Just(json!({"AWS": format!("arn:aws:iam::{PARTNER}:user/bob")})),
        1 => Just(json!({"AWS": format!("arn:aws:iam::{PARTNER}:role/reader")})),
        1 => Just(json!({"Service": "logging.s3.amazonaws.com"})),
        1 => Just(json!({"Federated": "graph.facebook.com"})),
    ];
    (prop::sample::select(&["Principal", "Principal", "Principal", "Principal", "NotPrincipal"][..]), names)
}

const ACTIONS_NAMED: [&str; 9] = [
    "s3:GetObject",
    "s3:getobject",
    "s3:Get*",
    "s3:*",
    "s3:PutObject*",
    "s3:ListBucket",
    "s3:List*",
    "*",
    "s3:PutBucketAcl",
];
const RESOURCES: [&str; 9] = [
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::bucket/logs/*",
    "arn:aws:s3:::bucket/logs/a?",
    "arn:aws:s3:::bucket*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::other/*",
    "arn:aws:s3:::bucket/*.csv",
    "arn:aws:s3:::bucket/home/${aws:username}/*",
];

/// A key, operators that fit it, and values that fit those.
type Vocabulary = (&'static str, &'static [&'static str], &'static [&'static str]);

const TEXT: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
];
const IP: &[&str] = &["IpAddress", "NotIpAddress"];
const NUMBER: &[&str] = &[
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
];
const ARN: &[&str] = &["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", "StringLike", "StringEquals"];
const DATE: &[&str] = &["DateLessThan", "DateGreaterThan", "DateGreaterThanEquals"];
const SETS: &[&str] = &[
    "ForAnyValue:StringEquals",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringLike",
    "ForAllValues:StringLike",
    "ForAnyValue:StringNotEquals",
    "ForAllValues:StringNotEquals",
];

const CONDITIONS: &[Vocabulary] = &[
    (
        "aws:SourceIp",
        IP,
        &["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "8.8.8.0/24", "2001:db8::/32", "::/0"],
    ),
    ("aws:Referer", TEXT, &["https://example.com/*", "*", "https://*", "secret"]),
    ("aws:UserAgent", TEXT, &["curl/*", "Secret", "secret"]),
    ("aws:SecureTransport", &["Bool"], &["true", "false"]),
    ("aws:PrincipalOrgID", TEXT, &["o-ours123456", "o-theirs1234", "o-*"]),
    ("aws:PrincipalOrgPaths", SETS, &["o-ours123456/*", "o-theirs1234/r-abcd/ou-x/*", "*"]),
    ("aws:SourceVpc", TEXT, &["vpc-*", "vpc-ours", "vpc-other"]),
    ("aws:SourceVpce", TEXT, &["vpce-ours", "vpce-other", "vpce-0*"]),
    ("aws:PrincipalAccount", TEXT, &[OWNER, PARTNER, "*", "4*", "anonymous"]),
    (
        "aws:PrincipalArn",
        ARN,
        &[
            "arn:aws:iam::444455556666:role/reader",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::4*:user/bob",
        ],
    ),
    ("aws:PrincipalType", TEXT, &["User", "AssumedRole", "Anonymous"]),
    ("aws:username", TEXT, &["bob", "b*"]),
    ("aws:ResourceAccount", TEXT, &[OWNER, PARTNER]),
    ("aws:PrincipalTag/team", TEXT, &["red", "r*"]),
    ("s3:x-amz-acl", TEXT, &["public-read", "bucket-owner-full-control"]),
    ("s3:prefix", TEXT, &["", "logs/", "logs/*", "home/b*"]),
    ("s3:max-keys", NUMBER, &["10", "100"]),
    ("s3:RequestObjectTagKeys", SETS, &["a", "b", "*"]),
    ("s3:ExistingObjectTag/public", TEXT, &["yes", "no"]),
    ("aws:CurrentTime", DATE, &["2020-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]),
    (
        "aws:SourceArn",
        ARN,
        &[
            "arn:aws:s3:::trail",
            "arn:aws:sns:us-east-1:111122223333:*",
            "arn:aws:sns:us-east-1:999988887777:t",
        ],
    ),
    ("aws:SourceAccount", TEXT, &[OWNER, "999988887777"]),
    ("s3:TlsVersion", NUMBER, &["1.2", "1.3"]),
];

fn condition() -> impl Strategy<Value = (String, String, Value)> {
    prop::sample::select(CONDITIONS).prop_flat_map(|(key, operators, values)| {
        let operator = (prop::sample::select(operators), prop::bool::weighted(0.2)).prop_map(|(operator, if_exists)| {
            format!("{operator}{}", if if_exists { "IfExists" } else { "" })
        });
        prop_oneof![
            6 => (operator, Just(key), one_of(values)).prop_map(|(operator, key, values)| (operator, key.to_owned(), values)),
            1 => (Just("Null".to_owned()), Just(key.to_owned()), prop::sample::select(&["true", "false"][..]).prop_map(|value| json!(value))),
        ]
    })
}

fn statement() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(&["Allow", "Allow", "Deny"][..]),
        principal(),
        (prop::sample::select(&["Action", "Action", "Action", "NotAction"][..]), one_of(&ACTIONS_NAMED)),
        (prop::sample::select(&["Resource", "Resource", "Resource", "NotResource"][..]), one_of(&RESOURCES)),
        prop::collection::vec(condition(), 0..3),
    )
        .prop_map(
            |(effect, (principal, names), (action, actions), (resource, resources), conditions)| {
                let mut statement =
                    json!({"Effect": effect, principal: names, action: actions, resource: resources});
                for (operator, key, values) in conditions {
                    statement["Condition"][operator][key] = values;
                }
                statement
            },
        )
}

fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..5)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

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

/// A small generator: what it draws is the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap_or(0)
    }

    fn pick<'a, T: ?Sized>(&mut self, values: &[&'a T]) -> &'a T {
        values[self.roll(values.len())]
    }

    fn maybe(&mut self) -> bool {
        self.roll(2) == 0
    }
}

const KEYS: [&str; 8] =
    ["logs/ab", "logs/x", "logs/", "a.csv", "home/bob/x", "home/visitor/", "z", "logs/b.csv"];

/// Somebody outside, with something to ask, and the audiences that they are part of.
fn outsider(dice: &mut Dice) -> (Request, Vec<Audience>) {
    let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        context.insert(key.to_owned(), vec![value.to_owned()]);
    };
    let mut audiences = vec![Audience::Anyone, Audience::AnyAuthenticated, Audience::External];
    let who = dice.roll(8);
    let sender = match who {
        0 | 1 => {
            set("aws:principalaccount", "anonymous");
            set("aws:principaltype", "Anonymous");
            Sender::Anonymous
        }
        2 => {
            set("aws:principalisawsservice", "true");
            let service = dice.pick(&["logging.s3.amazonaws.com", "sns.amazonaws.com"]);
            let (arn, account) = *[
                ("arn:aws:sns:us-east-1:999988887777:t", "999988887777"),
                ("arn:aws:sns:us-east-1:123412341234:t", "123412341234"),
            ]
            .get(dice.roll(2))
            .expect("two of them");
            set("aws:sourcearn", arn);
            set("aws:sourceaccount", account);
            Sender::Service(service.to_owned())
        }
        _ => {
            let account = dice.pick(&[PARTNER, "123412341234", "999988887777", SISTER]);
            let organization = match account {
                SISTER => Some("o-ours123456"),
                PARTNER => None,
                _ => *[None, Some("o-theirs1234"), Some("o-stranger12")]
                    .get(dice.roll(3))
                    .expect("three of them"),
            };
            if account == SISTER {
                audiences.push(Audience::Organization);
            }
            if let Some(organization) = organization {
                set("aws:principalorgid", organization);
                let path = dice.pick(&["r-abcd/ou-x/ou-y/", "r-abcd/"]);
                set("aws:principalorgpaths", &format!("{organization}/{path}"));
            }
            set("aws:principalaccount", account);
            let name = dice.pick(&["bob", "alice", "reader"]);
            let kind = dice.pick(&["user", "role"]);
            set("aws:principaltype", if kind == "user" { "User" } else { "AssumedRole" });
            let arn = format!("arn:aws:iam::{account}:{kind}/{name}");
            set("aws:principalarn", &arn);
            if kind == "user" {
                set("aws:username", name);
            }
            if dice.maybe() {
                set("aws:principaltag/team", dice.pick(&["red", "blue"]));
            }
            Sender::Aws { account: account.to_owned(), arn, session: None }
        }
    };
    if dice.roll(3) > 0 {
        set("aws:sourceip", dice.pick(&["8.8.8.8", "9.1.1.1", "200.1.1.1", "2001:db8::1", "2a00::1"]));
    } else {
        set("aws:sourcevpc", dice.pick(&["vpc-0123456789abcdef0", "vpc-other"]));
        set("aws:sourcevpce", dice.pick(&["vpce-0123456789abcdef0", "vpce-other"]));
    }
    if who == 0 || who == 1 {
        audiences.retain(|audience| {
            *audience != Audience::AnyAuthenticated || context.contains_key("aws:sourcevpc")
        });
    }
    let action = dice.pick(&ACTIONS.iter().collect::<Vec<_>>());
    let about = ask(action.name, dice, &mut context);
    let resource = if action.object {
        format!("arn:aws:s3:::bucket/{}", about.unwrap_or("z"))
    } else {
        "arn:aws:s3:::bucket".to_owned()
    };
    (Request { sender, action: action.name.to_owned(), resource, context }, audiences)
}

/// What a request for an action carries; the key, if it is about one.
fn ask(action: &str, dice: &mut Dice, context: &mut BTreeMap<String, Vec<String>>) -> Option<&'static str> {
    let mut set = |key: &str, value: &str| {
        context.insert(key.to_owned(), vec![value.to_owned()]);
    };
    if dice.maybe() {
        set("aws:referer", dice.pick(&["https://example.com/a", "secret", "x"]));
    }
    set("aws:useragent", dice.pick(&["curl/8", "Secret", "secret", "x"]));
    set("aws:securetransport", dice.pick(&["true", "false"]));
    set("aws:resourceaccount", OWNER);
    set("s3:tlsversion", dice.pick(&["1.2", "1.3"]));
    set("aws:currenttime", dice.pick(&["2027-01-01T00:00:00Z", "2035-01-01T00:00:00Z"]));
    let of = ACTIONS.iter().find(|known| known.name == action)?;
    let carries =
        |key: &str| crate::exposure::aws::actions::group(key).is_none_or(|group| of.carries.contains(&group));
    if carries("s3:prefix") && dice.maybe() {
        set("s3:prefix", dice.pick(&["", "logs/", "logs/a", "home/bob/", "x"]));
    }
    if carries("s3:max-keys") && dice.maybe() {
        set("s3:max-keys", dice.pick(&["5", "10", "50", "100", "1000"]));
    }
    if carries("s3:x-amz-acl") && dice.maybe() {
        set("s3:x-amz-acl", dice.pick(&["public-read", "bucket-owner-full-control", "private"]));
    }
    if carries("s3:existingobjecttag/public") && dice.maybe() {
        set("s3:existingobjecttag/public", dice.pick(&["yes", "no", "maybe"]));
    }
    if carries("s3:requestobjecttagkeys") {
        let keys: Vec<String> =
            ["a", "b", "c"].iter().filter(|_| dice.maybe()).map(|key| (*key).to_owned()).collect();
        if !keys.is_empty() {
            context.insert("s3:requestobjecttagkeys".to_owned(), keys);
        }
    }
    of.object.then(|| dice.pick(&KEYS))
}

/// Whether some hit says that this request gets through.
fn covered(hits: &[Hit], request: &Request, audiences: &[Audience]) -> bool {
    let Some(action) = ACTIONS.iter().find(|action| action.name == request.action) else { return true };
    let key = request.resource.strip_prefix("arn:aws:s3:::bucket/");
    let prefix = request.context.get("s3:prefix").and_then(|values| values.first());
    hits.iter().any(|hit| {
        let keys = match (action.access, key) {
            // A listing below a prefix shows keys that start with it.
            (Access::List, _) => {
                let shown = format!("{}anything", prefix.map_or("", String::as_str));
                hit.keys.contains(&shown)
            }
            (_, Some(key)) => hit.keys.contains(key),
            (_, None) => true,
        };
        audiences.contains(&hit.audience) && hit.access == action.access && keys
    })
}

fn check(policy: &Value, seed: u64) -> Result<(), TestCaseError> {
    let hits = hits(policy);
    for hit in hits.iter().filter(|hit| hit.certainty == Certainty::Proven) {
        let request = witnessed(hit);
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
    let outcome = runner.run(&(policy(), any::<u64>()), |(policy, seed)| check(&policy, seed));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
