use std::collections::BTreeMap;

use serde_json::json;

use super::*;

/// A finding with what an attacker may have written wherever he can write.
pub(crate) fn hostile(text: &str) -> Finding {
    serde_json::from_value(json!({
        "schema": "spillwatch.finding/1", "uid": "a".repeat(64), "rule": "exposed_content", "class": "employee_pii",
        "severity": "critical", "provider": "aws", "account": "111122223333", "bucket": text, "region": null,
        "exposures": [{"audience": "anyone", "access": ["read"], "keys": text, "certainty": "proven", "witness": null,
                       "because": [], "closing": []}],
        "detections": [], "objects": {"count": 40, "bytes": 7, "top_keys": vec![text; 40]}, "because": [text],
        "remediation": "close it", "first_seen": "2026-11-20T00:00:00Z", "last_seen": "2026-11-26T00:00:00Z",
        "status": "new", "tags": {"Owner": text},
    }))
    .unwrap()
}

fn ticket(text: &str) -> Ticket {
    Ticket::of(&hostile(text), &Settings::default(), false)
}

#[test]
fn no_key_breaks_out_of_its_block() {
    for text in [
        "```\n# @everyone ![](https://evil.example/x)",
        "{noformat}!https://evil.example/x!",
        "`````",
        "\x1b[2J",
    ] {
        let markdown = Markup::Markdown.render(&ticket(text).sections);
        let mut fence: Option<&str> = None;
        for line in markdown.lines() {
            match fence {
                None if line.starts_with("```") => fence = Some(line.trim_end_matches("text")),
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None => {
                    assert!(line.is_empty() || line.starts_with("### "), "{line} stands outside of a block")
                }
            }
        }
        assert_eq!(fence, None);
        let jira = Markup::Jira.render(&ticket(text).sections);
        assert_eq!(jira.matches("{noformat").count(), 2 * jira.matches("h3. ").count());
        for text in [markdown, jira, Markup::Plain.render(&ticket(text).sections), ticket(text).title] {
            assert!(!text.contains('\x1b'));
        }
    }
}

#[test]
fn a_ticket_has_a_bounded_size_whatever_the_finding_holds() {
    let ticket = ticket(&"é".repeat(5_000));
    assert!(ticket.title.chars().count() <= TITLE_CHARS_MAX + 1);
    let body = Markup::Plain.render(&ticket.sections);
    assert!(body.contains("more") && body.chars().count() < 30_000, "{}", body.chars().count());
}

#[test]
fn the_day_it_is_due_follows_severity_and_exposure() {
    let due = |change: fn(&mut Finding)| {
        let mut finding = hostile("acme");
        change(&mut finding);
        Ticket::of(&finding, &Settings::default(), false).whose.due
    };
    let day = |day: &str| Some(day.to_owned());
    assert_eq!(due(|_| {}), day("2026-11-21"), "anyone");
    assert_eq!(due(|finding| finding.exposures[0].certainty = Certainty::Possible), day("2026-11-23"));
    assert_eq!(due(|finding| finding.exposures.clear()), day("2026-12-04"), "nobody outside");
    assert_eq!(due(|finding| finding.severity = Severity::High), day("2026-11-23"));
    assert_eq!(due(|finding| finding.severity = Severity::Informational), None);
    assert_eq!(
        due(|finding| finding.status = Transition::Reopened),
        day("2026-11-27"),
        "from when it came back"
    );
}

#[test]
fn the_owner_is_the_first_tag_that_is_there_or_who_owns_the_rest() {
    let owner = |tags: &[(&str, &str)], settings: &Settings| {
        let mut finding = hostile("acme");
        finding.tags = tags
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect::<BTreeMap<_, _>>();
        Ticket::of(&finding, settings, false).whose.owner
    };
    let mut settings = Settings::default();
    settings.ownership.owner_tags = vec!["service-owner".to_owned(), "owner".to_owned()];
    settings.ownership.default_owner = Some("security".to_owned());
    assert_eq!(owner(&[("OWNER", "hr"), ("Service-Owner", "labs")], &settings).as_deref(), Some("labs"));
    assert_eq!(owner(&[("OWNER", "hr"), ("Service-Owner", "")], &settings).as_deref(), Some("hr"));
    assert_eq!(owner(&[], &settings).as_deref(), Some("security"));
}

#[test]
fn the_same_transition_has_the_same_marker_and_another_has_another() {
    let marker = |status, last_seen: &str| {
        let mut finding = hostile("acme");
        finding.status = status;
        finding.last_seen = last_seen.to_owned();
        marker(&finding)
    };
    assert_eq!(marker(Transition::Updated, "a"), marker(Transition::Updated, "a"));
    assert_ne!(marker(Transition::Updated, "a"), marker(Transition::Updated, "b"));
    assert_ne!(marker(Transition::Updated, "a"), marker(Transition::Reopened, "a"));
}
