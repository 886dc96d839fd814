//! What does the section `[metrics]` say?

use toml::de::DeValue;

use super::{Reader, Section, text};
use crate::metrics::Settings;
use crate::tickets::{SecretSource, is_safe};

/// Reads the section into the settings.
pub(super) fn read(mut section: Section<'_>, metrics: &mut Settings, reader: &mut Reader<'_>) {
    let (mut start, mut fail) = (None, None);
    section.set("textfile", reader, text, |value| metrics.textfile = Some(value.into()));
    section.set("otlp", reader, address, |value| metrics.otlp = Some(value));
    section.set("otlp_token_env", reader, text, |value| {
        metrics.otlp_token = Some(SecretSource::Environment(value));
    });
    section.set("otlp_token_file", reader, text, |value| {
        metrics.otlp_token = Some(SecretSource::File(value.into()));
    });
    section.set("heartbeat", reader, address, |value| metrics.heartbeat = Some(value));
    section.set("heartbeat_start", reader, address_or_none, |value| start = Some(value));
    section.set("heartbeat_fail", reader, address_or_none, |value| fail = Some(value));
    // The convention of most watchdogs: the same address with a word behind it.
    let beside = |word: &str| metrics.heartbeat.as_ref().map(|address| format!("{address}/{word}"));
    metrics.heartbeat_start = start.unwrap_or_else(|| beside("start"));
    metrics.heartbeat_fail = fail.unwrap_or_else(|| beside("fail"));
    let unsafe_token = metrics.otlp_token.is_some() && !metrics.otlp.as_deref().is_some_and(is_safe);
    if unsafe_token {
        let wanted = "a token is sent by TLS only; set `otlp` to an address that begins with `https://`";
        reader.mistake(section.at, wanted.to_owned());
    }
    section.end(reader);
}

/// Figures are no secret, so a collector inside may be reached without TLS.
fn address(value: &DeValue<'_>) -> Result<String, String> {
    let wanted = || "an address that begins with `https://` or `http://`".to_owned();
    let address = text(value).map_err(|_| wanted())?;
    let right = address.starts_with("https://") || address.starts_with("http://");
    if right { Ok(address.trim_end_matches('/').to_owned()) } else { Err(wanted()) }
}

/// An address, or `false` where the watchdog knows no such call.
fn address_or_none(value: &DeValue<'_>) -> Result<Option<String>, String> {
    if value.as_bool() == Some(false) {
        return Ok(None);
    }
    address(value).map(Some).map_err(|wanted| format!("{wanted}, or `false`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn a_heartbeat_has_its_beginning_and_failure_beside_it_unless_told_otherwise() {
        let read = |text: &str| parse(&format!("[metrics]\n{text}\n")).map(|config| config.metrics);
        let metrics = read("heartbeat = \"https://hc.example/abc/\"").unwrap();
        assert_eq!(metrics.heartbeat_start.as_deref(), Some("https://hc.example/abc/start"));
        assert_eq!(metrics.heartbeat_fail.as_deref(), Some("https://hc.example/abc/fail"));
        let metrics = read(
            "heartbeat = \"https://a.example\"\nheartbeat_start = false\nheartbeat_fail = \"https://b.example\"",
        );
        let metrics = metrics.unwrap();
        assert_eq!(
            (metrics.heartbeat_start, metrics.heartbeat_fail.as_deref()),
            (None, Some("https://b.example"))
        );
        assert_eq!(read("").unwrap(), Settings::default());
        assert_eq!(read("otlp = \"http://collector:4318\"\notlp_token_env = \"T\"").unwrap_err()[0].line, 1);
        assert_eq!(read("heartbeat = 7").unwrap_err()[0].line, 2);
    }
}
