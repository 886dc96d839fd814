//! How long does it take to judge a bucket? A policy as large as S3 takes, and ten thousand ordinary buckets.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use spillwatch::estate::{Account, Bucket, Facts, Provider};
use spillwatch::exposure::ZoneOfTrust;
use spillwatch::exposure::aws::bucket_exposure;

const OWNER: &str = "111122223333";

fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Aws, id: OWNER.to_owned() };
    Bucket { account, name: name.to_owned(), region: Some("eu-central-1".to_owned()) }
}

fn facts(policy: Option<&Value>) -> Facts {
    let mut facts = Facts::default();
    facts.record("s3:GetBucketAcl", json!({"Owner": {"ID": "owner"}, "Grants": [{"Grantee": {"ID": "owner"}, "Permission": "FULL_CONTROL"}]}));
    facts.record(
        "s3:GetBucketOwnershipControls",
        json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}),
    );
    facts.record_error("s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    facts.record_error("s3control:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    match policy {
        Some(policy) => facts.record("s3:GetBucketPolicy", json!({"Policy": policy.to_string()})),
        None => facts.record_error("s3:GetBucketPolicy", "NoSuchBucketPolicy"),
    }
    facts
}

/// Sixty statements, close to the 20 KiB that S3 accepts: teams with prefixes, partners, networks, and Denies over all.
fn large_policy() -> Value {
    let mut statements = Vec::new();
    for team in 0..20 {
        let prefix = format!("arn:aws:s3:::bucket/team-{team:02}");
        statements.push(json!({
            "Sid": format!("Team{team}"), "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::4444555566{team:02}:role/team-{team}")},
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:GetObjectTagging", "s3:PutObjectTagging"], "Resource": [format!("{prefix}/*"), format!("{prefix}-archive/*")],
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ours123456"}, "Bool": {"aws:SecureTransport": "true"}},
        }));
        statements.push(json!({
            "Sid": format!("List{team}"), "Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket",
            "Condition": {"StringLike": {"s3:prefix": [format!("team-{team:02}/*"), format!("team-{team:02}-archive/*")]}, "StringEquals": {"aws:SourceVpce": format!("vpce-0a1b2c3d4e5f60{team:02}")}},
        }));
        statements.push(json!({
            "Sid": format!("Guard{team}"), "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": format!("{prefix}/private/*"),
            "Condition": {"NotIpAddress": {"aws:SourceIp": [format!("203.0.113.{team}/32"), "198.51.100.0/24"]}, "ArnNotLike": {"aws:PrincipalArn": format!("arn:aws:iam::{OWNER}:role/team-{team}-*")}},
        }));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn ordinary_policy(kind: usize) -> Option<Value> {
    let statement = match kind % 5 {
        0 | 1 => return None,
        2 => {
            json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
        }
        3 => {
            json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"})
        }
        _ => {
            json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ours123456"}}})
        }
    };
    Some(json!({"Version": "2012-10-17", "Statement": [statement]}))
}

fn judge(criterion: &mut Criterion) {
    let zone = ZoneOfTrust { organizations: ["o-ours123456".to_owned()].into(), ..ZoneOfTrust::default() };
    let policy = large_policy();
    assert!((18_000..20_481).contains(&policy.to_string().len()), "{} bytes", policy.to_string().len());
    let (large_bucket, large_facts) = (bucket("bucket"), facts(Some(&policy)));
    criterion.bench_function("a policy of 60 statements and 20 KB", |bencher| {
        bencher.iter(|| bucket_exposure(&large_bucket, black_box(&large_facts), &Facts::default(), &zone));
    });
    let ordinary: Vec<(Bucket, Facts)> =
        (0..10_000).map(|at| (bucket("bucket"), facts(ordinary_policy(at).as_ref()))).collect();
    let mut group = criterion.benchmark_group("estate");
    group.sample_size(10);
    group.bench_function("10 000 ordinary buckets", |bencher| {
        bencher.iter(|| {
            ordinary
                .iter()
                .map(|(bucket, facts)| {
                    bucket_exposure(bucket, black_box(facts), &Facts::default(), &zone).exposures.len()
                })
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
