//! What does the section `[gcp]` say?

use super::{Reader, Section, count, flag, seconds, text, texts};
use crate::cloud::gcp::{GcpSettings, Projects};

/// Reads the section into the settings.
pub(super) fn read(mut section: Section<'_>, gcp: &mut GcpSettings, reader: &mut Reader<'_>) {
    let (mut listed, mut folder, mut organization) = (None, None, None);
    section.set("projects", reader, texts, |value| listed = Some(value));
    section.set("folder", reader, text, |value| folder = Some(value));
    section.set("organization", reader, text, |value| organization = Some(value));
    section.set("impersonate_service_account", reader, text, |value| {
        gcp.impersonate_service_account = Some(value);
    });
    section.set("user_project", reader, text, |value| gcp.user_project = Some(value));
    section.set("endpoint", reader, text, |value| gcp.endpoint = Some(value));
    section.set("sign_requests", reader, flag, |value| gcp.sign_requests = value);
    section.set("requests_per_second_max", reader, count, |value| gcp.requests_per_second = value);
    section.set("attempts_max", reader, count, |value| gcp.attempts_max = value);
    section.set("read_timeout_s", reader, seconds, |value| gcp.read_timeout = value);
    let at = section.at;
    section.end(reader);

    let numbered = |kind: &str, id: String| {
        let number = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&id).to_owned();
        let right = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| Projects::Below(format!("{kind}/{number}")))
    };
    let named = [
        listed.filter(|projects| !projects.is_empty()).map(|projects| Some(Projects::Listed(projects))),
        folder.map(|id| numbered("folders", id)),
        organization.map(|id| numbered("organizations", id)),
    ];
    let mut named = named.into_iter().flatten();
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => {
            reader.mistake(
                at,
                "`projects`, `folder` and `organization` exclude each other; keep one".to_owned(),
            );
        }
        (Some(None), None) => {
            reader.mistake(at, "a folder or an organization is named by its number".to_owned());
        }
        (Some(Some(projects)), None) => gcp.projects = projects,
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn whose_projects_are_meant_is_said_in_one_way() {
        let projects = |text: &str| parse(&format!("[gcp]\n{text}\n")).map(|config| config.gcp.projects);
        assert_eq!(projects(""), Ok(Projects::Visible));
        assert_eq!(
            projects("projects = [\"a\", \"b\"]"),
            Ok(Projects::Listed(vec!["a".to_owned(), "b".to_owned()]))
        );
        assert_eq!(
            projects("organization = \"771530924416\""),
            Ok(Projects::Below("organizations/771530924416".to_owned()))
        );
        assert_eq!(projects("folder = \"folders/7\""), Ok(Projects::Below("folders/7".to_owned())));
        assert!(projects("folder = \"7\"\nprojects = [\"a\"]").is_err());
        assert!(projects("organization = \"acme.example\"").is_err());
        assert!(projects("project = \"a\"").is_err());
    }
}
