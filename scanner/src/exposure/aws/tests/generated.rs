//! Which policies could somebody write? Generated ones, over a small vocabulary, so that their statements meet.

use proptest::prelude::*;
use serde_json::{Value, json};

pub(super) const OWNER: &str = "111122223333";
pub(super) const PARTNER: &str = "444455556666";
pub(super) const SISTER: &str = "777788889999";

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

/// A policy of a few statements.
pub(super) fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..5)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}
