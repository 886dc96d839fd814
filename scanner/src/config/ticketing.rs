//! What do `[[tickets]]` and `[ticketing]` say?

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{Reader, Section, count, flag, integer, seconds, severity, text, texts};
use crate::findings::Severity;
use crate::tickets::{DueDays, Kind, SecretSource, Settings, SinkSettings, host, is_safe};

/// The kinds as they are written.
const KINDS: &str =
    "one of `webhook`, `jira`, `servicenow`, `github`, `gitlab`, `slack`, `pagerduty`, `securityhub`";

/// Reads both sections into the settings.
pub(super) fn read(top: &mut Section<'_>, settings: &mut Settings, reader: &mut Reader<'_>) {
    for section in top.sections("tickets", reader) {
        let at = section.at;
        let Some(sink) = sink(section, reader) else { continue };
        if settings.sinks.iter().any(|known| known.name == sink.name) {
            reader.mistake(at, format!("two sinks are named `{}`; give one another `name`", sink.name));
        }
        settings.sinks.push(sink);
    }
    if let Some(section) = top.section("ticketing", reader) {
        ticketing(section, settings, reader);
    }
}

fn ticketing(mut section: Section<'_>, settings: &mut Settings, reader: &mut Reader<'_>) {
    let of = &mut settings.ownership;
    section.set("owner_tags", reader, texts, |value| of.owner_tags = value);
    section.set("team_tags", reader, texts, |value| of.team_tags = value);
    section.set("contact_tags", reader, texts, |value| of.contact_tags = value);
    section.set("default_owner", reader, text, |value| of.default_owner = Some(value));
    section.set("dead_letter", reader, text, |value| settings.dead_letter = Some(value.into()));
    section.set("time_max_s", reader, seconds, |value| settings.time_max = value);
    section.set("link", reader, text, |value| settings.link = Some(value));
    if let Some(mut days) = section.section("due_days", reader) {
        let DueDays(table) = &mut settings.due;
        for (key, step) in [
            ("critical", Severity::Critical),
            ("high", Severity::High),
            ("medium", Severity::Medium),
            ("low", Severity::Low),
            ("informational", Severity::Informational),
        ] {
            days.set(key, reader, three_days, |value| {
                table.insert(step, value);
            });
        }
        days.end(reader);
    }
    section.end(reader);
}

/// `[1, 3, 14]`: where anyone, somebody outside, nobody outside reaches it.
fn three_days(value: &DeValue<'_>) -> Result<[u32; 3], String> {
    let wanted =
        || "days for what anyone, somebody outside, nobody outside reaches, such as `[1, 3, 14]`".to_owned();
    let list = value.as_array().ok_or_else(wanted)?;
    let days: Option<Vec<u32>> =
        list.iter().map(|item| integer(item.get_ref()).and_then(|days| days.try_into().ok())).collect();
    days.and_then(|days| days.try_into().ok()).ok_or_else(wanted)
}

/// What a sink says of itself, and what it should have said.
struct Keys<'k, 't, 'r> {
    section: &'k mut Section<'t>,
    reader: &'k mut Reader<'r>,
    missing: Vec<&'static str>,
}

impl Keys<'_, '_, '_> {
    fn optional(&mut self, key: &'static str) -> Option<String> {
        let mut found = None;
        self.section.set(key, self.reader, text, |value| found = Some(value));
        found
    }

    fn needed(&mut self, key: &'static str) -> String {
        let before = self.section.table.contains_key(key);
        let found = self.optional(key);
        if !before {
            self.missing.push(key);
        }
        found.unwrap_or_default()
    }

    fn flag(&mut self, key: &'static str) -> Option<bool> {
        let mut found = None;
        self.section.set(key, self.reader, flag, |value| found = Some(value));
        found
    }

    fn fields(&mut self) -> Map<String, Value> {
        let mut found = Map::new();
        self.section.set("fields", self.reader, fields, |value| found = value);
        found
    }

    /// Where it is reached; of a public service that is known.
    fn url(&mut self, known: Option<&str>) -> Option<String> {
        let is_there = self.section.table.contains_key("url");
        let mut found = None;
        self.section.set("url", self.reader, address, |value| found = Some(value));
        if !is_there && known.is_none() {
            self.missing.push("url");
        }
        found.or_else(|| known.map(str::to_owned))
    }
}

fn sink(mut section: Section<'_>, reader: &mut Reader<'_>) -> Option<SinkSettings> {
    let at = section.at;
    let (mut kind, mut sink) = (String::new(), SinkSettings::new(Kind::Webhook));
    section.set("kind", reader, text, |value| kind = value);
    section.set("name", reader, text, |value| sink.name = value);
    section.set("min_severity", reader, severity, |value| sink.min_severity = value);
    section.set("evidence", reader, flag, |value| sink.evidence = value);
    section.set("requests_per_second_max", reader, count, |value| sink.manners.requests_per_second = value);
    section.set("attempts_max", reader, count, |value| sink.manners.attempts_max = value);
    section.set("timeout_s", reader, seconds, |value| sink.manners.timeout = value);
    sink.secret = secret(&mut section, reader);
    let mut keys = Keys { section: &mut section, reader, missing: Vec::new() };
    if !of_kind(&kind, &mut sink, &mut keys) {
        let what =
            if kind.is_empty() { "`kind` is missing".to_owned() } else { format!("unknown kind `{kind}`") };
        reader.mistake(at, format!("{what}; it is {KINDS}"));
        return None;
    }
    let mut missing = keys.missing;
    let own_credentials = matches!(sink.kind, Kind::SecurityHub { .. });
    if sink.secret.is_none() && !own_credentials {
        missing.push("token_env` or `token_file");
    }
    if own_credentials && sink.secret.is_some() {
        reader.mistake(
            at,
            format!("a sink of kind `{kind}` takes the credentials that AWS's own tools find; name none"),
        );
    }
    if !missing.is_empty() {
        reader.mistake(at, format!("a sink of kind `{kind}` needs `{}`", missing.join("`, `")));
    }
    if sink.name.is_empty() {
        sink.name = kind;
    }
    section.end(reader);
    Some(sink)
}

/// Reads what only this kind takes; says whether there is such a kind.
fn of_kind(kind: &str, sink: &mut SinkSettings, keys: &mut Keys<'_, '_, '_>) -> bool {
    sink.kind = match kind {
        "webhook" => {
            sink.url = keys.url(None);
            Kind::Webhook
        }
        "jira" => {
            sink.url = keys.url(None);
            sink.user = keys.optional("user");
            sink.fields = keys.fields();
            Kind::Jira {
                project: keys.needed("project"),
                issue_type: keys.optional("issue_type").unwrap_or_else(|| "Task".to_owned()),
                cloud: keys.flag("cloud").unwrap_or_else(|| {
                    sink.url.as_deref().is_some_and(|url| host(url).ends_with(".atlassian.net"))
                }),
                close_transition: keys.optional("close_transition"),
                reopen_transition: keys.optional("reopen_transition"),
            }
        }
        "servicenow" => {
            sink.url = keys.url(None);
            sink.user = keys.optional("user");
            sink.fields = keys.fields();
            Kind::ServiceNow {
                table: keys.optional("table").unwrap_or_else(|| "incident".to_owned()),
                close_code: keys.optional("close_code").unwrap_or_else(|| "Solution provided".to_owned()),
            }
        }
        "github" => {
            sink.url = keys.url(Some("https://api.github.com"));
            let repository = keys.needed("repository");
            if !repository.is_empty() && repository.split('/').filter(|part| !part.is_empty()).count() != 2 {
                let at = keys.section.at;
                keys.reader.mistake(at, "`repository` is written `OWNER/NAME`".to_owned());
            }
            Kind::GitHub { repository }
        }
        "gitlab" => {
            sink.url = keys.url(Some("https://gitlab.com"));
            Kind::GitLab { project: keys.needed("project") }
        }
        "pagerduty" => {
            sink.url = keys.url(Some("https://events.pagerduty.com"));
            Kind::PagerDuty
        }
        "slack" => Kind::Slack,
        "securityhub" => {
            let (region, account) = (keys.needed("region"), keys.needed("account"));
            let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            sink.url = keys.url(Some(&format!("https://securityhub.{region}.{domain}")));
            Kind::SecurityHub { region, account }
        }
        _ => return false,
    };
    true
}

/// Where the secret is; the secret itself has no place in the file, which is copied and checked in.
fn secret(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<SecretSource> {
    let (mut variable, mut file) = (None, None);
    let at = section.at;
    section.set("token_env", reader, text, |value| variable = Some(value));
    section.set("token_file", reader, text, |value| file = Some(value));
    for inline in ["token", "secret", "password"] {
        if let Some(value) = section.table.remove(inline) {
            let advice =
                "secrets do not stand in this file; name where it is with `token_env` or `token_file`";
            reader.mistake(value.span().start, format!("`{inline}`: {advice}"));
        }
    }
    match (variable, file) {
        (Some(_), Some(_)) => {
            reader.mistake(at, "`token_env` and `token_file` exclude each other; keep one".to_owned());
            None
        }
        (Some(name), None) => Some(SecretSource::Environment(name)),
        (None, Some(path)) => Some(SecretSource::File(path.into())),
        (None, None) => None,
    }
}

/// An address to which a secret may be sent: by TLS, or to this very machine.
fn address(value: &DeValue<'_>) -> Result<String, String> {
    let wanted = || "an address that begins with `https://` (`http://` only on this machine)".to_owned();
    let url = text(value).map_err(|_| wanted())?;
    if is_safe(&url) { Ok(url.trim_end_matches('/').to_owned()) } else { Err(wanted()) }
}

/// A table of the file as JSON.
fn fields(value: &DeValue<'_>) -> Result<Map<String, Value>, String> {
    let table = value.as_table().ok_or("a table")?;
    json_table(table).ok_or_else(|| "a table of texts, numbers, flags, lists and tables".to_owned())
}

fn json_table(table: &DeTable<'_>) -> Option<Map<String, Value>> {
    table.iter().map(|(key, value)| Some((key.get_ref().to_string(), json(value.get_ref())?))).collect()
}

fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(_) => Value::from(integer(value)?),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Array(list) => {
            list.iter().map(|item| json(item.get_ref())).collect::<Option<Vec<_>>>()?.into()
        }
        DeValue::Table(table) => Value::Object(json_table(table)?),
        DeValue::Float(_) | DeValue::Datetime(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn a_sink_is_read_with_its_fields() {
        let config = parse(
            "[[tickets]]\nkind = \"jira\"\nurl = \"https://acme.atlassian.net/\"\nproject = \"SEC\"\nuser = \"bot@acme.example\"\n\
             token_env = \"JIRA_TOKEN\"\nmin_severity = \"high\"\nfields = { components = [{ name = \"storage\" }] }\n\
             [ticketing]\ndefault_owner = \"security\"\n[ticketing.due_days]\ncritical = [0, 1, 2]\n",
        )
        .unwrap();
        let sink = &config.tickets.sinks[0];
        assert_eq!((sink.name.as_str(), sink.url.as_deref()), ("jira", Some("https://acme.atlassian.net")));
        assert!(matches!(&sink.kind, Kind::Jira { project, cloud: true, .. } if project == "SEC"));
        assert_eq!(sink.min_severity, Severity::High);
        assert_eq!(sink.secret, Some(SecretSource::Environment("JIRA_TOKEN".to_owned())));
        assert_eq!(
            Value::Object(sink.fields.clone()),
            serde_json::json!({"components": [{"name": "storage"}]})
        );
        assert_eq!(config.tickets.due.0[&Severity::Critical], [0, 1, 2]);
        assert_eq!(config.tickets.due.0[&Severity::High], [3, 7, 30], "what is not said keeps its default");
    }

    #[test]
    fn every_mistake_of_a_sink_is_told_with_its_line() {
        let wrong = "[[tickets]]\nkind = \"jira\"\nurl = \"http://jira.acme.example\"\ntoken = \"s3cr3t\"\n\
                     [[tickets]]\nkind = \"pigeon\"\n\n[[tickets]]\nkind = \"webhook\"\nurl = \"https://a.example\"\n\
                     token_env = \"A\"\ntoken_file = \"b\"\nproject = \"SEC\"\n[ticketing.due_days]\nhigh = [1]\n";
        let mistakes = parse(wrong).unwrap_err();
        let told: Vec<(usize, bool)> =
            mistakes.iter().map(|mistake| (mistake.line, mistake.message.contains("s3cr3t"))).collect();
        let lines: Vec<usize> = told.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 3, 4, 5, 8, 8, 13, 15], "{mistakes:#?}");
        assert!(told.iter().all(|(_, secret)| !secret));
    }

    #[test]
    fn two_sinks_have_two_names() {
        let one = "[[tickets]]\nkind = \"webhook\"\nurl = \"https://a.example\"\ntoken_env = \"A\"\n";
        assert!(parse(&format!("{one}{one}")).unwrap_err()[0].message.contains("two sinks"));
        assert!(parse(&format!("{one}{one}name = \"other\"\n")).is_ok());
    }

    #[test]
    fn a_secret_is_sent_by_tls_or_not_at_all() {
        for right in
            ["https://a.example", "http://127.0.0.1:8080", "http://localhost/x", "https://a.example:8443/b"]
        {
            assert!(address(&DeValue::String(right.into())).is_ok(), "{right}");
        }
        for wrong in [
            "http://a.example",
            "https://",
            "ftp://a",
            "http://127.0.0.1.evil.example",
            "https://u@a.example",
        ] {
            assert!(address(&DeValue::String(wrong.into())).is_err(), "{wrong}");
        }
    }
}
