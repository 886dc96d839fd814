//! Findings in AWS Security Finding Format, one JSON line each: what does `BatchImportFindings` take?

use std::io::{self, BufWriter, Write};
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::telling::{self, partition_of, plain};
use super::{Form, line};
use crate::estate::Provider;
use crate::findings::{Finding, Found, Transition, sha256};
use crate::scan::Coverage;

/// Where findings are imported: Security Hub takes a finding only from the account and in the region of its product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    account: String,
    region: String,
}

impl FromStr for Product {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let wrong = || "write ACCOUNT/REGION, for example `111122223333/eu-west-1`".to_owned();
        let (account, region) = word.split_once('/').ok_or_else(wrong)?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_region = region.contains('-') && region.bytes().all(plain);
        let (account, region) = (account.to_owned(), region.to_owned());
        if is_account && is_region { Ok(Self { account, region }) } else { Err(wrong()) }
    }
}

impl Product {
    fn arn(&self) -> String {
        let Self { account, region } = self;
        format!("arn:{}:securityhub:{region}:{account}:product/{account}/default", partition_of(region))
    }
}

/// Writes each finding as it comes; the coverage is a finding of its own, under the same id from run to run.
pub(super) struct Asff<W: Write> {
    out: BufWriter<W>,
    product: Product,
}

impl<W: Write> Asff<W> {
    pub(super) fn new(out: W, product: Product) -> Self {
        Self { out: BufWriter::new(out), product }
    }

    /// What every finding carries. Workflow and notes belong to the people who work with Security Hub, and are never sent.
    fn frame(&self, id: &str, generator: &str, severity: &str, types: Value) -> Map<String, Value> {
        let rated = json!({"Severity": {"Label": severity, "Original": severity}, "Types": types});
        let frame = json!({
            "SchemaVersion": "2018-10-08",
            "Id": id,
            "ProductArn": self.product.arn(),
            "ProductName": "spillwatch",
            "GeneratorId": cut(&format!("spillwatch/{generator}"), 512),
            "AwsAccountId": self.product.account,
            "FindingProviderFields": rated,
        });
        if let Value::Object(frame) = frame { frame } else { Map::new() }
    }

    fn of_finding(&self, finding: &Finding) -> Value {
        let label = finding.severity.as_str().to_uppercase();
        let kind = if finding.detections.is_empty() {
            "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"
        } else {
            "Sensitive Data Identifications"
        };
        let mut said = self.frame(&finding.uid, &finding.rule, &label, json!([kind]));
        let state = match finding.status {
            Transition::Resolved | Transition::Suppressed => "ARCHIVED",
            _ => "ACTIVE",
        };
        said.extend([
            ("CreatedAt".to_owned(), json!(finding.first_seen)),
            ("UpdatedAt".to_owned(), json!(telling::seen_at(finding))),
            ("FirstObservedAt".to_owned(), json!(finding.first_seen)),
            ("LastObservedAt".to_owned(), json!(finding.last_seen)),
            ("Title".to_owned(), json!(cut(&telling::title(finding), 256))),
            ("Description".to_owned(), json!(cut(&telling::description(finding), 1024))),
            ("Remediation".to_owned(), json!({"Recommendation": {"Text": cut(&closing(finding), 512)}})),
            ("RecordState".to_owned(), json!(state)),
            ("Resources".to_owned(), json!([resource(finding)])),
            ("ProductFields".to_owned(), product_fields(finding)),
        ]);
        if let Some(found) = finding.detections.first() {
            // A share of 1, as whole percent.
            let percent = (found.confidence * 100.0).round() as i64;
            if let Some(rated) = said.get_mut("FindingProviderFields").and_then(Value::as_object_mut) {
                rated.insert("Confidence".to_owned(), json!(percent));
            }
        }
        Value::Object(said)
    }

    fn of_coverage(&self, coverage: &Coverage) -> Value {
        let id = sha256(format!("v1|coverage|{}", coverage.targets.join("|")).as_bytes());
        let label = if coverage.complete { "INFORMATIONAL" } else { "LOW" };
        let kind = json!(["Software and Configuration Checks"]);
        let mut said = self.frame(&id, "coverage", label, kind);
        let mut fields = Fields::default();
        fields.add("Verdict", telling::verdict(coverage));
        fields.add("Run", &coverage.run);
        for (reason, count) in &coverage.gaps_by_reason {
            fields.add(&format!("Gaps/{reason}"), &count.to_string());
        }
        for (place, gap) in coverage.gaps.iter().enumerate() {
            fields.add(&format!("Gap/{place}"), gap.detail());
        }
        let account = format!("AWS::::Account:{}", self.product.account);
        let next = "grant what the gaps name to the scan role and scan again";
        said.extend([
            ("CreatedAt".to_owned(), json!(coverage.started)),
            ("UpdatedAt".to_owned(), json!(coverage.ended)),
            (
                "Title".to_owned(),
                json!(format!("coverage of a spillwatch scan: {}", telling::verdict(coverage))),
            ),
            ("Description".to_owned(), json!(cut(&telling::coverage(coverage), 1024))),
            ("Remediation".to_owned(), json!({"Recommendation": {"Text": next}})),
            ("RecordState".to_owned(), json!("ACTIVE")),
            ("Resources".to_owned(), json!([{"Type": "AwsAccount", "Id": account}])),
            ("ProductFields".to_owned(), fields.value()),
        ]);
        Value::Object(said)
    }
}

impl<W: Write> Form for Asff<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let said = self.of_finding(finding);
        line(&mut self.out, &said)
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        let said = self.of_coverage(coverage);
        line(&mut self.out, &said)
    }
}

fn closing(finding: &Finding) -> String {
    let steps = finding.exposures.iter().flat_map(|way| &way.closing);
    let mut steps: Vec<&str> = steps.map(String::as_str).collect();
    steps.dedup();
    steps.insert(0, &finding.remediation);
    steps.join("; ")
}

fn resource(finding: &Finding) -> Value {
    let kind = if finding.provider == Provider::Aws { "AwsS3Bucket" } else { "Other" };
    let mut tags = Fields { sized: 256, ..Fields::default() };
    for (name, value) in &finding.tags {
        tags.add(name, value);
    }
    let mut said = json!({"Type": kind, "Id": cut(&telling::resource(finding), 512), "Tags": tags.value()});
    if let Value::Object(said) = &mut said {
        if finding.provider == Provider::Aws {
            said.insert("Partition".to_owned(), json!(telling::partition(finding)));
            said.insert("Details".to_owned(), json!({"AwsS3Bucket": {"Name": cut(&finding.bucket, 256)}}));
        }
        if let Some(region) = finding.region.as_deref().filter(|region| !region.trim().is_empty()) {
            said.insert("Region".to_owned(), json!(cut(region, 64)));
        }
        if !finding.detections.is_empty() {
            said.insert("DataClassification".to_owned(), classified(finding));
        }
    }
    said
}

fn classified(finding: &Finding) -> Value {
    let category = match finding.class.as_str() {
        "employee_pii" | "interaction_metadata" => "PERSONAL_INFORMATION",
        "credential" => "CREDENTIALS",
        _ => "CUSTOM_IDENTIFIER",
    };
    let kinds = |found: &Found| -> Vec<Value> {
        let kinds = found.kinds.iter().filter(|(kind, _)| !kind.trim().is_empty()).take(24);
        kinds.map(|(kind, count)| json!({"Type": cut(kind, 128), "Count": count})).collect()
    };
    let data: Vec<Value> = finding
        .detections
        .iter()
        .take(4)
        .map(|found| json!({"Category": category, "TotalCount": found.occurrences, "Detections": kinds(found)}))
        .collect();
    json!({"Result": {
        "SizeClassified": finding.objects.bytes,
        "SensitiveData": data,
    }})
}

/// What people look for first.
fn product_fields(finding: &Finding) -> Value {
    let mut fields = Fields::default();
    fields.add("Status", finding.status.as_str());
    fields.add("Rule", &finding.rule);
    fields.add("Class", &finding.class);
    fields.add("Provider", finding.provider.as_str());
    fields.add("Account", &finding.account);
    fields.add("Objects", &finding.objects.count.to_string());
    if let Some(found) = finding.detections.first() {
        fields.add("Distinct", &found.distinct.to_string());
    }
    fields.add("ExposedSince", finding.exposed_since.as_deref().unwrap_or_default());
    fields.add("ResolvedAt", finding.resolved_at.as_deref().unwrap_or_default());
    fields.add("Changes", &finding.changes.join("; "));
    if let Some(said) = &finding.suppression {
        fields.add("Suppressed", &format!("until {} by {}: {}", said.until, said.author, said.reason));
    }
    let witnesses = finding.exposures.iter().filter_map(|way| way.witness.as_ref());
    for (place, witness) in witnesses.enumerate().take(5) {
        fields.add(&format!("Witness/{place}"), &witness.command);
    }
    for (place, key) in finding.objects.top_keys.iter().enumerate() {
        fields.add(&format!("Key/{place}"), key);
    }
    fields.value()
}

/// A map as Security Hub takes it: at most fifty entries, none empty, names and values cut. It would take values of 2,048
/// characters, but fifty of these, escaped, could make a finding larger than 240 KB.
struct Fields {
    map: Map<String, Value>,
    sized: usize,
}

impl Default for Fields {
    fn default() -> Self {
        Self { map: Map::new(), sized: 1_024 }
    }
}

impl Fields {
    fn add(&mut self, name: &str, value: &str) {
        let room = self.map.len() < 50;
        if room && !name.trim().is_empty() && !value.trim().is_empty() {
            self.map.insert(cut(name, 128), json!(cut(value, self.sized)));
        }
    }

    fn value(self) -> Value {
        Value::Object(self.map)
    }
}

/// The beginning of a text, in at most so many bytes. A control character would take six when it is written.
fn cut(text: &str, bytes_max: usize) -> String {
    let text = plain(text);
    if text.len() <= bytes_max {
        return text;
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("äöü", 6), "äöü");
        assert_eq!(cut("äöüß", 7), "äö…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn a_product_names_an_account_and_a_region() {
        let product: Product = "111122223333/cn-north-1".parse().unwrap();
        assert_eq!(
            product.arn(),
            "arn:aws-cn:securityhub:cn-north-1:111122223333:product/111122223333/default"
        );
        for wrong in ["", "eu-west-1", "1/eu-west-1", "111122223333/", "111122223333/EU", "a11122223333/x-1"]
        {
            assert!(wrong.parse::<Product>().is_err(), "{wrong}");
        }
    }
}
