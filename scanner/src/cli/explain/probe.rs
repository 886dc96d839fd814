//! Is the verdict true? Unsigned requests from here, compared with what it says of anyone.

use futures::StreamExt;
use serde::Serialize;

use crate::cloud::{Cloud, CloudError};
use crate::estate::{Bucket, Gap, GapReason, Object, Provider};
use crate::exposure::{Access, Audience, BucketExposure, Certainty};

/// Pages of versions that are looked through for one that is older.
const PAGES_PROBED: usize = 10;

/// What became of one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Outcome {
    /// The answer is as predicted.
    Confirmed,
    /// The answer contradicts the prediction.
    Refuted,
    /// What could not be told before is allowed.
    Allowed,
    /// What could not be told before is denied.
    Denied,
    /// The answer tells nothing.
    Undecided,
}

/// One request that was sent, and what it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in super::super) struct Probed {
    access: Access,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    outcome: Outcome,
    answer: String,
    /// Our own model is wrong, or the facts have changed since they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<Gap>,
}

impl Probed {
    /// Whether the answer contradicts the prediction.
    pub(in super::super) fn is_refuted(&self) -> bool {
        self.outcome == Outcome::Refuted
    }

    pub(in super::super) fn sentence(&self) -> String {
        let what = match (&self.access, &self.key) {
            (Access::List, _) => "an unsigned listing".to_owned(),
            (Access::ReadVersions, Some(key)) => {
                format!("an unsigned read of an older version of `{}`", key.escape_default())
            }
            (_, Some(key)) => format!("an unsigned read of `{}`", key.escape_default()),
            (_, None) => "an unsigned read".to_owned(),
        };
        let outcome = match self.outcome {
            Outcome::Confirmed => "as predicted (confirmed)",
            Outcome::Refuted => {
                "against the prediction (refuted): the facts have changed, or our model is wrong"
            }
            Outcome::Allowed => "which settles that it is open",
            Outcome::Denied => "which settles that it is closed",
            Outcome::Undecided => "which tells nothing",
        };
        format!("{what} was answered `{}`, {outcome}", self.answer)
    }
}

/// What a request came to.
enum Answer {
    Allowed,
    Denied,
    Other(String),
}

/// Sends an unsigned listing, an unsigned read, and one of an older version where unsigned requests are shown any, and compares.
/// `cloud` must send no credentials.
pub(in super::super) async fn probe(
    cloud: &dyn Cloud,
    bucket: &Bucket,
    verdict: &BucketExposure,
    key: Option<&str>,
) -> Vec<Probed> {
    let mut listed = Vec::new();
    let list = match cloud.objects(bucket, "").next().await {
        Some(Ok(objects)) => {
            listed = objects;
            Answer::Allowed
        }
        None => Answer::Allowed,
        Some(Err(error)) => answer(&error),
    };
    let mut probed = vec![compare(bucket, verdict, Access::List, None, list)];
    let readable = |object: &&Object| predicted(verdict, Access::Read, Some(&object.key)).is_some();
    let found = listed.iter().filter(|object| object.must_be_restored().is_none());
    let chosen = key.map(str::to_owned).or_else(|| {
        found.clone().find(readable).or_else(|| found.clone().next()).map(|object| object.key.clone())
    });
    let read = match &chosen {
        Some(key) => {
            let object = Object { key: key.clone(), ..Object::default() };
            let object = listed.iter().find(|object| object.key == *key).cloned().unwrap_or(object);
            read(cloud, bucket, &object).await
        }
        None => Answer::Other("no key to ask for; name one by `--probe-key`".to_owned()),
    };
    probed.push(compare(bucket, verdict, Access::Read, chosen, read));
    if let Some(older) = some_older_version(cloud, bucket).await {
        let read = self::read(cloud, bucket, &older).await;
        probed.push(compare(bucket, verdict, Access::ReadVersions, Some(older.key), read));
    }
    probed
}

async fn some_older_version(cloud: &dyn Cloud, bucket: &Bucket) -> Option<Object> {
    let mut pages = cloud.older_versions(bucket, "").take(PAGES_PROBED);
    while let Some(Ok(page)) = pages.next().await {
        if let Some(older) = page.into_iter().find(|object| object.must_be_restored().is_none()) {
            return Some(older);
        }
    }
    None
}

/// The body is never taken: the answer's head is all that counts.
async fn read(cloud: &dyn Cloud, bucket: &Bucket, object: &Object) -> Answer {
    match cloud.read(bucket, object).await {
        Ok(_) => Answer::Allowed,
        Err(error) => answer(&error),
    }
}

fn answer(error: &CloudError) -> Answer {
    match error {
        CloudError::Denied { .. } => Answer::Denied,
        other => Answer::Other(other.to_string()),
    }
}

/// What the verdict says of anyone's access; `None` is a no.
fn predicted(verdict: &BucketExposure, access: Access, key: Option<&str>) -> Option<Certainty> {
    verdict
        .exposures
        .iter()
        .filter(|exposure| exposure.audience == Audience::Anyone && exposure.access.contains(&access))
        .filter(|exposure| key.is_none_or(|key| exposure.keys.contains(key)))
        .filter(|exposure| exposure.witness.as_ref().is_none_or(|witness| witness.context.is_empty()))
        .map(|exposure| exposure.certainty)
        .min()
}

fn compare(
    bucket: &Bucket,
    verdict: &BucketExposure,
    access: Access,
    key: Option<String>,
    answer: Answer,
) -> Probed {
    // An object's own ACL may open what the bucket's facts do not.
    let may_be_open_otherwise = access != Access::List;
    let outcome = match (predicted(verdict, access, key.as_deref()), &answer) {
        (_, Answer::Other(_)) => Outcome::Undecided,
        (Some(Certainty::Proven), Answer::Allowed) | (None, Answer::Denied) => Outcome::Confirmed,
        (None, Answer::Allowed) if may_be_open_otherwise => Outcome::Allowed,
        (Some(Certainty::Proven), Answer::Denied) | (None, Answer::Allowed) => Outcome::Refuted,
        (Some(Certainty::Possible), Answer::Allowed) => Outcome::Allowed,
        (Some(Certainty::Possible), Answer::Denied) => Outcome::Denied,
    };
    let answer = match answer {
        Answer::Allowed => "200".to_owned(),
        Answer::Denied => "403".to_owned(),
        Answer::Other(what) => what,
    };
    let gap = (outcome == Outcome::Refuted).then(|| Gap {
        reason: GapReason::Failed,
        operation: operation(bucket.account.provider, access).to_owned(),
        resource: bucket.name.clone(),
        detail: format!(
            "an unsigned request to `{}` was answered {answer}, against the verdict: the facts have changed, or our model of access is wrong",
            bucket.name
        ),
    });
    Probed { access, key, outcome, answer, gap }
}

fn operation(provider: Provider, access: Access) -> &'static str {
    match (provider, access) {
        (Provider::Gcp, Access::List) => "storage:objects.list",
        (Provider::Gcp, _) => "storage:objects.get",
        (_, Access::List) => "s3:ListBucket",
        (_, Access::ReadVersions) => "s3:GetObjectVersion",
        (_, _) => "s3:GetObject",
    }
}

#[cfg(test)]
mod tests;
