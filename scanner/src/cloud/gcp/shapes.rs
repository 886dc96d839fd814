//! How do the answers of Google's gRPC services read in the JSON of its JSON API, which facts are kept in?

use google_cloud_storage::model::Bucket;
use serde_json::{Map, Value, json};

use super::failure::Failure;

/// Fields of a bucket that have another name in the JSON API ("Buckets", JSON API reference).
const RENAMED: [(&str, &str); 6] = [
    ("bucketId", "id"),
    ("createTime", "timeCreated"),
    ("updateTime", "updated"),
    ("iamConfig", "iamConfiguration"),
    ("lockTime", "lockedTime"),
    ("defaultKmsKey", "defaultKmsKeyName"),
];

/// Any answer, as its own protocol writes it in JSON.
pub(super) fn verbatim(answer: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer).map_err(|_| Failure::unparsable())
}

/// A bucket, in the names of the JSON API. Access lists are facts of their own.
pub(super) fn bucket(bucket: &Bucket) -> Result<Value, Failure> {
    let Value::Object(mut fields) = renamed(verbatim(bucket)?) else { return Err(Failure::unparsable()) };
    let name = bucket.name.rsplit('/').next().unwrap_or_default().to_owned();
    fields.insert("kind".to_owned(), json!("storage#bucket"));
    fields.insert("name".to_owned(), json!(name));
    if let Some(number) = bucket.project.strip_prefix("projects/") {
        fields.insert("projectNumber".to_owned(), json!(number));
    }
    if let Some(Value::String(path)) =
        fields.get_mut("logging").and_then(|logging| logging.get_mut("logBucket"))
    {
        *path = path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    for other in ["project", "acl", "defaultObjectAcl"] {
        fields.remove(other);
    }
    if let Some(period) =
        bucket.retention_policy.as_ref().and_then(|policy| policy.retention_duration.as_ref())
    {
        let period = json!({"retentionPeriod": period.seconds().to_string()});
        fields.insert("retentionPolicy".to_owned(), period);
    }
    Ok(Value::Object(fields))
}

fn renamed(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let other =
                    RENAMED.iter().find(|(own, _)| *own == name).map(|(_, other)| (*other).to_owned());
                // Labels are named by people.
                let value = if name == "labels" { value } else { renamed(value) };
                (other.unwrap_or(name), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(renamed).collect()),
        other => other,
    }
}

/// A list of entries under `items`, as the JSON API lists.
pub(super) fn items(kind: &str, entries: &[impl serde::Serialize]) -> Result<Value, Failure> {
    let entries: Result<Vec<Value>, Failure> = entries.iter().map(verbatim).collect();
    Ok(json!({"kind": kind, "items": entries?}))
}
