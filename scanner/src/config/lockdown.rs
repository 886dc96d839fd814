//! What does the section `[lockdown]` say?

use super::{Config, Reader, Section, count, severity, text, texts};
use crate::cloud::aws::Role;
use crate::findings::Severity;
use crate::lockdown::Automatic;

/// Reads the section into the settings.
pub(super) fn read(mut section: Section<'_>, config: &mut Config, reader: &mut Reader<'_>) {
    let (mut name, mut external_id) = (None, None);
    section.set("role_name", reader, text, |value| name = Some(value));
    section.set("external_id", reader, text, |value| external_id = Some(value));
    section.set("impersonate_service_account", reader, text, |value| {
        config.lockdown_service_account = Some(value);
    });
    if let Some(section) = section.section("automatic", reader) {
        config.lockdown_automatic = automatic(section, reader);
    }
    let at = section.at;
    section.end(reader);
    if external_id.is_some() && name.is_none() {
        reader.mistake(at, "`external_id` belongs to a role; set `role_name`".to_owned());
    }
    config.lockdown_role = name.map(|name| Role { name, external_id });
}

/// Accounts and buckets have to be named: nobody lets everything be locked by leaving a line out.
fn automatic(mut section: Section<'_>, reader: &mut Reader<'_>) -> Option<Automatic> {
    let (mut accounts, mut buckets, mut categories) = (Vec::new(), Vec::new(), Vec::new());
    let (mut least, mut most) = (Severity::High, 5);
    section.set("min_severity", reader, severity, |value| least = value);
    section.set("categories", reader, texts, |value| categories = value);
    section.set("accounts", reader, texts, |value| accounts = value);
    section.set("buckets", reader, texts, |value| buckets = value);
    section.set("buckets_per_run_max", reader, count, |value| most = value);
    let at = section.at;
    section.end(reader);
    if accounts.is_empty() || buckets.is_empty() {
        let message = "`[lockdown.automatic]` takes `accounts` and `buckets`: patterns of what may be locked";
        reader.mistake(at, message.to_owned());
        return None;
    }
    Some(Automatic {
        min_severity: least,
        categories: categories.into_iter().collect(),
        accounts: accounts.into_iter().collect(),
        buckets: buckets.into_iter().collect(),
        buckets_per_run_max: most,
    })
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn what_may_be_locked_without_a_person_has_to_be_named() {
        let parse = |text: &str| parse(&format!("[lockdown.automatic]\n{text}"));
        assert!(parse("buckets = [\"sandbox-*\"]\n").is_err());
        assert!(parse("accounts = [\"*\"]\n").is_err());
        assert!(parse("accounts = [\"*\"]\nbuckets = [\"sandbox-*\"]\nwebsites = true\n").is_err());
        let config = parse("accounts = [\"1111*\"]\nbuckets = [\"sandbox-*\"]\n").unwrap();
        assert_eq!(config.lockdown_automatic.unwrap().buckets_per_run_max, 5);
    }
}
