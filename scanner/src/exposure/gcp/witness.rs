//! How is a request written down so that a person can send it?

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::exposure::shell::shown as shown_whole;
use crate::exposure::{Access, Audience, Witness, quoted};

use super::Dossier;
use super::actions::Action;
use super::condition::{Shape, Term};
use super::requesters::shown;
use super::rules::{Rule, principal};

const API: &str = "https://storage.googleapis.com";

/// The request by which `rule` lets `audience` use `action`.
pub(super) fn witness(
    dossier: &Dossier<'_>,
    rule: &Rule,
    action: &Action,
    term: &Term,
    audience: Audience,
    context: &BTreeMap<String, Vec<String>>,
) -> Witness {
    let bucket = &dossier.bucket.name;
    let key = key(term);
    let resource = if action.object {
        format!("projects/_/buckets/{bucket}/objects/{key}")
    } else {
        format!("projects/_/buckets/{bucket}")
    };
    let anonymous =
        audience == Audience::Anyone || rule.is_public() && !dossier.requester_pays() && is_nobody(audience);
    let principal = if anonymous { "anonymous".to_owned() } else { principal(rule) };
    let command = if anonymous {
        curl(dossier, action, term, &key, "")
    } else {
        signed(dossier, action, term, &key, &principal)
    };
    Witness {
        principal: shown(&principal),
        action: action.name.to_owned(),
        resource: shown_whole(&resource),
        context: context.clone(),
        command,
    }
}

/// Whoever is let in by his address alone needs no account.
fn is_nobody(audience: Audience) -> bool {
    matches!(audience, Audience::External)
}

/// A key of the alternative, as plain as can be.
fn key(term: &Term) -> String {
    let excluded = |key: &str| {
        term.but.iter().any(|hole| match hole {
            Shape::Prefix(start) => key.starts_with(start.as_str()),
            Shape::Suffix(end) => key.ends_with(end.as_str()),
            Shape::Exactly(own) => own == key,
        })
    };
    let candidates: Vec<String> = match &term.keys {
        Shape::Exactly(key) => vec![key.clone()],
        Shape::Prefix(start) => ["object", "another", "x", "0"].map(|end| format!("{start}{end}")).to_vec(),
        Shape::Suffix(end) => ["object", "another", "x", "0"].map(|start| format!("{start}{end}")).to_vec(),
    };
    let plain = candidates.iter().find(|key| !excluded(key)).or_else(|| candidates.first());
    plain.cloned().unwrap_or_default()
}

/// Percent-encodes a name as one part of a path or query.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The generation that is judged; of a whole bucket, any that a listing with `versions=true` shows.
fn generation<'a>(dossier: &'a Dossier<'_>) -> &'a str {
    dossier.generation.as_deref().unwrap_or("GENERATION")
}

/// The request itself; where it would change something, the question whether it would be allowed.
fn curl(dossier: &Dossier<'_>, action: &Action, term: &Term, key: &str, with: &str) -> String {
    let bucket = escaped(&dossier.bucket.name);
    let (method, url) = match (action.name, action.access) {
        ("storage.objects.list", _) => {
            let prefix = match &term.keys {
                Shape::Prefix(start) if !start.is_empty() => format!("&prefix={}", escaped(start)),
                _ => String::new(),
            };
            ("-s", format!("{API}/storage/v1/b/{bucket}/o?maxResults=10{prefix}"))
        }
        ("storage.objects.get", Access::ReadVersions) => (
            "-s",
            format!(
                "{API}/storage/v1/b/{bucket}/o/{}?generation={}",
                escaped(key),
                escaped(generation(dossier))
            ),
        ),
        ("storage.objects.get", _) => ("-s", format!("{API}/storage/v1/b/{bucket}/o/{}", escaped(key))),
        // An upload that replaces nothing; everything else only asks.
        ("storage.objects.create", Access::Write) => (
            "-s -X POST --data-binary ''",
            format!(
                "{API}/upload/storage/v1/b/{bucket}/o?uploadType=media&ifGenerationMatch=0&name={}",
                escaped(key)
            ),
        ),
        (name, _) => ("-s", format!("{API}/storage/v1/b/{bucket}/iam/testPermissions?permissions={name}")),
    };
    format!("curl {method}{with} {}", quoted(&url))
}

/// The same for somebody with an account.
fn signed(dossier: &Dossier<'_>, action: &Action, term: &Term, key: &str, principal: &str) -> String {
    let bucket = &dossier.bucket.name;
    let caller = match principal.split_once(':') {
        Some(("serviceAccount", name)) if !name.contains('[') => {
            format!(" --impersonate-service-account={}", quoted(name))
        }
        Some(("user", name)) => format!(" --account={}", quoted(name)),
        _ => String::new(),
    };
    let billing = if dossier.requester_pays() { " --billing-project=PROJECT" } else { "" };
    match action.name {
        "storage.objects.list" => {
            let prefix = match &term.keys {
                Shape::Prefix(start) => start.as_str(),
                _ => "",
            };
            format!("gcloud storage ls {}{caller}{billing}", quoted(&format!("gs://{bucket}/{prefix}")))
        }
        "storage.objects.get" => {
            let generation = match action.access {
                Access::ReadVersions => format!("#{}", generation(dossier)),
                _ => String::new(),
            };
            format!(
                "gcloud storage objects describe {}{caller}{billing}",
                quoted(&format!("gs://{bucket}/{key}{generation}"))
            )
        }
        _ => {
            let token = format!(" -H \"Authorization: Bearer $(gcloud auth print-access-token{caller})\"");
            curl(dossier, action, term, key, &token)
        }
    }
}
