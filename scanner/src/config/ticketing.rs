//! What do `[[tickets]]` and `[ticketing]` say?

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{Reader, Section, count, flag, integer, seconds, severity, text, texts};
use crate::findings::Severity;
use crate::tickets::{DueDays, Kind, SecretSource, Settings, SinkSettings};

/// The kinds as they are written.
const KINDS: &str = "one of `webhook`, `jira`";

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

/// What only some kinds take, as it stands in the file.
#[derive(Default)]
struct Written {
    kind: Option<String>,
    project: Option<String>,
    issue_type: Option<String>,
    close_transition: Option<String>,
    reopen_transition: Option<String>,
}

fn sink(mut section: Section<'_>, reader: &mut Reader<'_>) -> Option<SinkSettings> {
    let at = section.at;
    let mut written = Written::default();
    let mut sink = SinkSettings::new(Kind::Webhook);
    section.set("kind", reader, text, |value| written.kind = Some(value));
    section.set("name", reader, text, |value| sink.name = value);
    section.set("url", reader, address, |value| sink.url = Some(value));
    section.set("user", reader, text, |value| sink.user = Some(value));
    section.set("min_severity", reader, severity, |value| sink.min_severity = value);
    section.set("evidence", reader, flag, |value| sink.evidence = value);
    section.set("requests_per_second_max", reader, count, |value| sink.manners.requests_per_second = value);
    section.set("attempts_max", reader, count, |value| sink.manners.attempts_max = value);
    section.set("timeout_s", reader, seconds, |value| sink.manners.timeout = value);
    sink.secret = secret(&mut section, reader);
    let kind = written.kind.as_deref().unwrap_or_default();
    if kind == "jira" {
        section.set("project", reader, text, |value| written.project = Some(value));
        section.set("issue_type", reader, text, |value| written.issue_type = Some(value));
        section.set("close_transition", reader, text, |value| written.close_transition = Some(value));
        section.set("reopen_transition", reader, text, |value| written.reopen_transition = Some(value));
        section.set("fields", reader, fields, |value| sink.fields = value);
    }
    let mut missing: Vec<&str> = Vec::new();
    let mut needed = |name: &'static str, value: Option<String>| {
        if value.is_none() {
            missing.push(name);
        }
        value.unwrap_or_default()
    };
    let url = sink.url.clone().unwrap_or_default();
    let (mut known, mut needs_url) = (true, true);
    sink.kind = match kind {
        "webhook" => Kind::Webhook,
        "jira" => Kind::Jira {
            project: needed("project", written.project.clone()),
            issue_type: written.issue_type.clone().unwrap_or_else(|| "Task".to_owned()),
            cloud: host(&url).ends_with(".atlassian.net"),
            close_transition: written.close_transition.clone(),
            reopen_transition: written.reopen_transition.clone(),
        },
        _ => {
            (known, needs_url) = (false, false);
            Kind::Webhook
        }
    };
    if needs_url && sink.url.is_none() {
        missing.push("url");
    }
    if known && sink.secret.is_none() {
        missing.push("token_env` or `token_file");
    }
    if !known {
        let what =
            if kind.is_empty() { "`kind` is missing".to_owned() } else { format!("unknown kind `{kind}`") };
        reader.mistake(at, format!("{what}; it is {KINDS}"));
        return None;
    }
    if !missing.is_empty() {
        reader.mistake(at, format!("a sink of kind `{kind}` needs `{}`", missing.join("`, `")));
    }
    if sink.name.is_empty() {
        sink.name = kind.to_owned();
    }
    section.end(reader);
    Some(sink)
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
    let local = ["127.0.0.1", "localhost", "[::1]"].contains(&host(&url));
    let right =
        (url.starts_with("https://") || url.starts_with("http://") && local) && !host(&url).is_empty();
    if right && !url.contains(['@', ' ']) { Ok(url.trim_end_matches('/').to_owned()) } else { Err(wanted()) }
}

/// The name of the server in an address.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
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
