//! What does the configuration file say? The file as written → settings as meant, all mistakes told at once with their lines.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cloud::aws::{AccountAccess, Accounts, AwsSettings, Role};
use crate::cloud::gcp::GcpSettings;
use crate::exposure::ZoneOfTrust;
use crate::findings::Severity;
use crate::lockdown::Automatic;
use crate::scan::Settings;
use crate::tickets;

mod gcp;
mod lockdown;
mod metrics;
mod ticketing;

/// Everything that a file can set; what it leaves out has its default.
#[derive(Debug, Default)]
pub struct Config {
    /// How AWS is reached.
    pub aws: AwsSettings,
    /// How Google Cloud is reached.
    pub gcp: GcpSettings,
    /// What a scan may spend, how deep it looks and whom it trusts.
    pub scan: Settings,
    /// From which severity on a run exits with 3.
    pub fail_on: Option<Severity>,
    /// Whether a run with gaps exits with 4.
    pub require_full_coverage: bool,
    /// The ledger between runs: a file, or `postgres://…`.
    pub ledger: Option<String>,
    /// The index of known documents of which copies are sought, and the file of its key.
    pub index: Option<PathBuf>,
    /// See `index`.
    pub index_key: Option<PathBuf>,
    /// Where findings become tickets.
    pub tickets: tickets::Settings,
    /// How an operator learns how a run went.
    pub metrics: crate::metrics::Settings,
    /// The role that `lock` assumes in each account; without one, it writes with the caller's own credentials.
    pub lockdown_role: Option<Role>,
    /// The service account that `lock` impersonates; without one, it writes with the caller's own credentials.
    pub lockdown_service_account: Option<String>,
    /// What `lock auto` may lock without a person; nothing, where the file does not say so.
    pub lockdown_automatic: Option<Automatic>,
}

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads a configuration file, or tells every mistake in it in one error.
pub fn read(path: &Path) -> anyhow::Result<Config> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read `{name}`"))?;
    parse(&text).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(|mistake| format!("  {mistake}")).collect();
        anyhow::anyhow!("`{name}` has {} mistakes:\n{}", lines.len(), lines.join("\n"))
    })
}

/// Reads a configuration file's text, or tells every mistake in it, in the order of lines.
pub fn parse(text: &str) -> Result<Config, Vec<Mistake>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, mistakes: Vec::new() };
    for error in errors {
        reader.mistake(error.span().map_or(0, |span| span.start), error.message().to_owned());
    }
    let mut config = Config::default();
    let mut top = Section::new("", document.into_inner());
    if let Some(section) = top.section("aws", &mut reader) {
        aws(section, &mut config.aws, &mut reader);
    }
    if let Some(section) = top.section("gcp", &mut reader) {
        gcp::read(section, &mut config.gcp, &mut reader);
    }
    if let Some(section) = top.section("zone_of_trust", &mut reader) {
        zone(section, &mut config.scan.zone, &mut reader);
    }
    if let Some(section) = top.section("limits", &mut reader) {
        limits(section, &mut config.scan, &mut reader);
    }
    if let Some(mut section) = top.section("report", &mut reader) {
        section.set("fail_on", &mut reader, severity, |value| config.fail_on = Some(value));
        section.set("require_full_coverage", &mut reader, flag, |value| config.require_full_coverage = value);
        section.set("confidence_min", &mut reader, share, |value| config.scan.confidence_min = value);
        section.end(&mut reader);
    }
    if let Some(section) = top.section("state", &mut reader) {
        state(section, &mut config, &mut reader);
    }
    if let Some(section) = top.section("copies", &mut reader) {
        copies(section, &mut config, &mut reader);
    }
    if let Some(section) = top.section("lockdown", &mut reader) {
        lockdown::read(section, &mut config, &mut reader);
    }
    if let Some(section) = top.section("metrics", &mut reader) {
        metrics::read(section, &mut config.metrics, &mut reader);
    }
    ticketing::read(&mut top, &mut config.tickets, &mut reader);
    top.end(&mut reader);
    if reader.mistakes.is_empty() {
        return Ok(config);
    }
    reader.mistakes.sort_by_key(|mistake| mistake.line);
    Err(reader.mistakes)
}

fn aws(mut section: Section<'_>, aws: &mut AwsSettings, reader: &mut Reader<'_>) {
    let (mut listed, mut role, mut external_id) = (None, None, None);
    let mut organization = false;
    section.set("accounts", reader, accounts, |value| listed = Some(value));
    section.set("organization", reader, flag, |value| organization = value);
    section.set("role_name", reader, text, |value| role = Some(value));
    section.set("external_id", reader, text, |value| external_id = Some(value));
    section.set("profile", reader, text, |value| aws.profile = Some(value));
    section.set("region", reader, text, |value| aws.region = Some(value));
    section.set("endpoint_url", reader, text, |value| aws.endpoint_url = Some(value));
    section.set("path_style", reader, flag, |value| aws.path_style = value);
    section.set("sign_requests", reader, flag, |value| aws.sign_requests = value);
    section.set("session_duration_s", reader, session_duration, |value| aws.session_duration = value);
    section.set("requests_per_second_max", reader, count, |value| aws.requests_per_second = value);
    section.set("attempts_max", reader, count, |value| aws.attempts_max = value);
    section.set("connect_timeout_s", reader, seconds, |value| aws.connect_timeout = value);
    section.set("read_timeout_s", reader, seconds, |value| aws.read_timeout = value);
    let at = section.at;
    section.end(reader);

    let role = role.map(|name| Role { name, external_id: external_id.clone() });
    if external_id.is_some() && role.is_none() {
        reader.mistake(at, "`external_id` belongs to a role; set `role_name`".to_owned());
    }
    aws.accounts = match (organization, listed, role) {
        (true, Some(_), _) => {
            reader.mistake(at, "`organization` and `accounts` exclude each other; keep one".to_owned());
            return;
        }
        (true, None, None) => {
            reader.mistake(
                at,
                "`organization` needs `role_name`: the role to assume in each account".to_owned(),
            );
            return;
        }
        (true, None, Some(role)) => Accounts::Organization(role),
        (false, Some(ids), role) => {
            Accounts::Listed(ids.into_iter().map(|id| AccountAccess { id, role: role.clone() }).collect())
        }
        (false, None, None) => Accounts::Own,
        (false, None, Some(_)) => {
            reader.mistake(at, "`role_name` needs `accounts` or `organization = true`".to_owned());
            return;
        }
    };
}

fn zone(mut section: Section<'_>, zone: &mut ZoneOfTrust, reader: &mut Reader<'_>) {
    section.set("accounts", reader, texts, |value| zone.accounts.extend(value));
    section.set("organizations", reader, texts, |value| zone.organizations.extend(value));
    section.set("canonical_ids", reader, texts, |value| zone.canonical_ids.extend(value));
    section.set("networks", reader, texts, |value| zone.networks.extend(value));
    section.set("cidrs", reader, texts, |value| zone.cidrs.extend(value));
    section.set("domains", reader, texts, |value| zone.domains.extend(value));
    section.end(reader);
}

fn limits(mut section: Section<'_>, scan: &mut Settings, reader: &mut Reader<'_>) {
    section.set("bytes_in_flight_max", reader, bytes, |value| scan.bytes_in_flight_max = value);
    section.set("bytes_per_object_max", reader, bytes, |value| scan.bytes_per_object_max = value);
    section.set("objects_per_bucket_max", reader, count, |value: u32| {
        scan.objects_per_bucket_max = value.into();
    });
    section.set("sample_objects_max", reader, count, |value: u32| scan.sample_objects_max = value as usize);
    section.set("object_acls_per_bucket_max", reader, count, |value: u32| {
        scan.object_acls_per_bucket_max = value.into();
    });
    section.set("reads_in_flight_max", reader, count, |value: u32| scan.reads_in_flight_max = value as usize);
    section.set("buckets_in_flight_max", reader, count, |value: u32| {
        scan.buckets_in_flight_max = value as usize;
    });
    section.end(reader);
}

fn state(mut section: Section<'_>, config: &mut Config, reader: &mut Reader<'_>) {
    section.set("ledger", reader, text, |value| config.ledger = Some(value));
    section.end(reader);
}

fn copies(mut section: Section<'_>, config: &mut Config, reader: &mut Reader<'_>) {
    section.set("index", reader, text, |value| config.index = Some(value.into()));
    section.set("key_file", reader, text, |value| config.index_key = Some(value.into()));
    section.end(reader);
}

struct Reader<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn mistake(&mut self, at: usize, message: String) {
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        self.mistakes.push(Mistake { line, message });
    }
}

/// A table of the file; whatever nobody asked for is a mistake at its end.
struct Section<'t> {
    name: &'static str,
    at: usize,
    table: DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    fn new(name: &'static str, table: DeTable<'t>) -> Self {
        Self { name, at: 0, table, known: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn section(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<Self> {
        let value = self.take(key)?;
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Some(Self { at, ..Self::new(key, table) }),
            other => {
                reader.mistake(at, format!("`{key}` is {}; write a section `[{key}]`", kind(&other)));
                None
            }
        }
    }

    /// The tables of a list, as `[[key]]` writes them.
    fn sections(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Vec<Self> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let at = value.span().start;
        let DeValue::Array(list) = value.into_inner() else {
            reader.mistake(at, format!("`{key}` is no list; write sections `[[{key}]]`"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in list {
            let at = item.span().start;
            match item.into_inner() {
                DeValue::Table(table) => sections.push(Self { at, ..Self::new(key, table) }),
                other => {
                    reader.mistake(at, format!("`{key}` holds {}; write sections `[[{key}]]`", kind(&other)))
                }
            }
        }
        sections
    }

    fn set<T>(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'_>,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
        set: impl FnOnce(T),
    ) {
        let Some(value) = self.take(key) else { return };
        match read(value.get_ref()) {
            Ok(read) => set(read),
            Err(wanted) => reader.mistake(
                value.span().start,
                format!("`{key}` is {}; it takes {wanted}", kind(value.get_ref())),
            ),
        }
    }

    fn end(self, reader: &mut Reader<'_>) {
        let place = if self.name.is_empty() { String::new() } else { format!(" in `[{}]`", self.name) };
        for key in self.table.keys() {
            let known = self.known.join("`, `");
            reader.mistake(
                key.span().start,
                format!("unknown setting `{}`{place}; known are `{known}`", key.get_ref()),
            );
        }
    }
}

/// What a value is, with its article.
fn kind(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}

fn text(value: &DeValue<'_>) -> Result<String, String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| "a text that is not empty".to_owned())
}

fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let wanted = "a list of texts";
    let list = value.as_array().ok_or(wanted)?;
    list.iter().map(|item| text(item.get_ref()).map_err(|_| wanted.to_owned())).collect()
}

fn accounts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let wanted = "a list of account ids, each a text of twelve digits";
    let ids = texts(value).map_err(|_| wanted)?;
    let right = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    if ids.is_empty() || !ids.iter().all(right) { Err(wanted.to_owned()) } else { Ok(ids) }
}

fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "`true` or `false`".to_owned())
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn count(value: &DeValue<'_>) -> Result<u32, String> {
    let count = integer(value).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    count.ok_or_else(|| "a whole number from 1 to 4294967295".to_owned())
}

fn seconds(value: &DeValue<'_>) -> Result<Duration, String> {
    let seconds = integer(value).filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "seconds, a whole number from 1 to 86400".to_owned())
}

/// STS accepts 15 minutes to 12 hours (AssumeRole, `DurationSeconds`).
fn session_duration(value: &DeValue<'_>) -> Result<Duration, String> {
    let seconds = integer(value).filter(|seconds| (900..=43_200).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "seconds, a whole number from 900 to 43200".to_owned())
}

fn share(value: &DeValue<'_>) -> Result<f64, String> {
    let number = value.as_float().and_then(|float| float.as_str().parse::<f64>().ok());
    let number = number.or_else(|| integer(value).map(|whole| if whole == 0 { 0.0 } else { whole as f64 }));
    number.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "a number from 0 to 1".to_owned())
}

/// `"256MiB"`, or a whole number of bytes.
fn bytes(value: &DeValue<'_>) -> Result<u64, String> {
    let wanted = || "bytes, such as `\"256MiB\"` or a whole number above 0".to_owned();
    let count = match value.as_str() {
        None => integer(value),
        Some(text) => {
            let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
            let (number, unit) = text.split_at(digits);
            let shift = match unit.trim() {
                "" | "B" => 0,
                "KiB" => 10,
                "MiB" => 20,
                "GiB" => 30,
                "TiB" => 40,
                _ => return Err(wanted()),
            };
            number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift))
        }
    };
    count.filter(|count| *count > 0).ok_or_else(wanted)
}

fn severity(value: &DeValue<'_>) -> Result<Severity, String> {
    value.as_str().unwrap_or_default().parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_file_sets_what_it_says() {
        let config = parse(
            "[aws]\naccounts = [\"111122223333\"]\nrole_name = \"scan\"\nexternal_id = \"x\"\n\
             [limits]\nbytes_in_flight_max = \"64MiB\"\nsample_objects_max = 7\n\
             [report]\nfail_on = \"high\"\nconfidence_min = 0.8\n[zone_of_trust]\norganizations = [\"o-1\"]\n\
             [state]\nledger = \"ledger.db\"\n",
        )
        .unwrap();
        let Accounts::Listed(accounts) = config.aws.accounts else { panic!() };
        assert_eq!(accounts[0].role.as_ref().unwrap().external_id.as_deref(), Some("x"));
        assert_eq!(config.scan.bytes_in_flight_max, 64 << 20);
        assert_eq!(config.scan.sample_objects_max, 7);
        assert_eq!(config.fail_on, Some(Severity::High));
        assert!(config.scan.zone.organizations.contains("o-1"));
        assert_eq!(config.ledger.as_deref(), Some("ledger.db"));
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let wrong = "[aws]\norganization = 1\nrole = \"scan\"\n\n[limits]\nbytes_in_flight_max = \"lots\"\n\
                     sample_objects_max = -1\n[report]\nfail_on = \"urgent\"\n[colour]\n";
        let mistakes = parse(wrong).unwrap_err();
        let lines: Vec<usize> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [2, 3, 6, 7, 9, 10], "{mistakes:#?}");
        assert!(mistakes[1].message.starts_with("unknown setting `role` in `[aws]`; known are `accounts`"));
    }

    #[test]
    fn broken_syntax_is_a_mistake_with_its_line() {
        let mistakes = parse("[aws]\nregion = \n").unwrap_err();
        assert_eq!(mistakes[0].line, 2, "{mistakes:?}");
    }

    #[test]
    fn settings_that_exclude_each_other_are_mistakes() {
        let both = parse("[aws]\norganization = true\naccounts = [\"111122223333\"]\nrole_name = \"r\"\n");
        assert!(both.unwrap_err()[0].message.contains("exclude each other"));
        assert!(parse("[aws]\norganization = true\n").is_err());
        assert!(parse("[aws]\nexternal_id = \"x\"\n").is_err());
        assert!(parse("[lockdown]\nexternal_id = \"x\"\n").is_err());
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(parse("").unwrap().scan.reads_in_flight_max, Settings::default().reads_in_flight_max);
    }
}
