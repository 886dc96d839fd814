//! Who is meant by a member of a binding or an entity of an access list: we, others of ours, or somebody outside?
//!
//! Sources: IAM, "Principal identifiers" and "Service agents"; Cloud Storage, "Access control lists".

use crate::exposure::{Audience, ZoneOfTrust};

/// Who somebody is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody outside: the project's own identities, those of our domains, and what was deleted.
    Ours,
    /// Surely these.
    Known(Audience),
    /// Perhaps these, and why that cannot be told.
    Perhaps(Audience, String),
}

/// Us: the project that holds the bucket and the zone of trust around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Us<'a> {
    pub(super) zone: &'a ZoneOfTrust,
    pub(super) project: &'a str,
    pub(super) number: Option<&'a str>,
}

/// The identity by which Cloud CDN fetches from a bucket that is not public ("Use signed URLs", Cloud CDN).
const CDN: &str = "@cloud-cdn-fill.iam.gserviceaccount.com";

/// Google's group that writes usage logs into a bucket ("Usage logs & storage logs", Cloud Storage).
const LOG_DELIVERY: &str = "cloud-storage-analytics@google.com";

/// Projects of Google's in which the agents of its services live, one for every customer's project ("Service agents").
const AGENTS: [&str; 13] = [
    "bigquery-encryption",
    "cloud-cdn-fill",
    "cloud-filer",
    "cloudcomposer-accounts",
    "cloud-ml.google.com",
    "compute-system",
    "container-engine-robot",
    "containerregistry",
    "dataflow-service-producer-prod",
    "gae-api-prod.google.com",
    "gcf-admin-robot",
    "gs-project-accounts",
    "serverless-robot-prod",
];

/// A project by its id or its number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ProjectName {
    Id(String),
    Number(String),
}

impl Us<'_> {
    /// Whom a member of an IAM binding stands for.
    pub(super) fn member(&self, member: &str) -> Who {
        if let Some(public) = public(member) {
            return Who::Known(public);
        }
        if let Some(path) =
            member.strip_prefix("principal://").or_else(|| member.strip_prefix("principalSet://"))
        {
            return self.federated(path, member.starts_with("principalSet"));
        }
        let Some((kind, name)) = member.split_once(':') else { return unknown(member) };
        match kind {
            "deleted" => Who::Ours,
            "user" | "group" if name == LOG_DELIVERY => Who::Ours,
            "user" | "group" => match name.rsplit_once('@') {
                Some((_, domain)) if self.is_our_domain(domain) => Who::Ours,
                Some(_) => Who::Known(Audience::External),
                None => unknown(member),
            },
            "domain" if self.is_our_domain(name) => Who::Known(Audience::Organization),
            "domain" => Who::Known(Audience::External),
            "serviceAccount" if name.ends_with(CDN) => Who::Perhaps(
                Audience::Cdn,
                "whether the load balancer asks viewers for signed URLs was not read".to_owned(),
            ),
            "serviceAccount" => match service_account(name) {
                Some(project) => self.project(&project),
                None => Who::Perhaps(
                    Audience::External,
                    format!("whose service account `{}` is cannot be told by its name", shown(name)),
                ),
            },
            "projectOwner" | "projectEditor" | "projectViewer" => self.project(&named(name)),
            _ => unknown(member),
        }
    }

    /// Whom an entity of an access list stands for.
    pub(super) fn entity(&self, entity: &str) -> Who {
        self.member(&member_of(entity))
    }

    fn project(&self, name: &ProjectName) -> Who {
        let (ProjectName::Id(text) | ProjectName::Number(text)) = name;
        let own = match name {
            ProjectName::Id(id) => id == self.project,
            ProjectName::Number(number) => self.number == Some(number) || number == self.project,
        };
        if own {
            Who::Ours
        } else if self.zone.accounts.contains(text) {
            Who::Known(Audience::Organization)
        } else {
            Who::Known(Audience::External)
        }
    }

    fn is_our_domain(&self, domain: &str) -> bool {
        self.zone.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain))
    }

    /// Identities that are no Google accounts: of a workload or workforce pool, or all of a kind below a project.
    fn federated(&self, path: &str, is_set: bool) -> Who {
        let parts: Vec<&str> = path.split('/').collect();
        let whole_pool = |pool: &str| {
            Who::Perhaps(
                Audience::External,
                format!("whom the identity pool `{}` lets in was not read", shown(pool)),
            )
        };
        match parts.as_slice() {
            ["goog", "subject", email] => self.member(&format!("user:{email}")),
            ["goog", "group", email] => self.member(&format!("group:{email}")),
            ["goog", "public:all"] => Who::Known(Audience::Anyone),
            ["cloudresourcemanager.googleapis.com", "projects", project, ..] => self.project(&named(project)),
            ["cloudresourcemanager.googleapis.com", "organizations", organization, ..]
                if self.zone.organizations.contains(*organization) =>
            {
                Who::Known(Audience::Organization)
            }
            [
                "iam.googleapis.com",
                "projects",
                project,
                "locations",
                _,
                "workloadIdentityPools",
                pool,
                rest @ ..,
            ] => {
                match self.project(&named(project)) {
                    // Kubernetes' own pool holds the workloads of the project's clusters and nobody else.
                    Who::Ours if pool.ends_with(".svc.id.goog") => Who::Ours,
                    // One named subject, group or attribute of our own provider is somebody of ours.
                    Who::Ours if !is_set || rest.first().is_some_and(|part| *part != "*") => Who::Ours,
                    Who::Ours => whole_pool(pool),
                    theirs => theirs,
                }
            }
            ["iam.googleapis.com", "locations", _, "workforcePools", pool, ..] => whole_pool(pool),
            _ => unknown(path),
        }
    }
}

fn public(member: &str) -> Option<Audience> {
    if member.eq_ignore_ascii_case("allUsers") {
        Some(Audience::Anyone)
    } else if member.eq_ignore_ascii_case("allAuthenticatedUsers") {
        Some(Audience::AnyAuthenticated)
    } else {
        None
    }
}

fn unknown(member: &str) -> Who {
    Who::Perhaps(Audience::External, format!("who `{}` is cannot be told by its name", shown(member)))
}

fn named(project: &str) -> ProjectName {
    if !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit()) {
        ProjectName::Number(project.to_owned())
    } else {
        ProjectName::Id(project.to_owned())
    }
}

/// An entity of an access list, in the words of a binding.
pub(super) fn member_of(entity: &str) -> String {
    let Some((kind, name)) = entity.split_once('-') else { return entity.to_owned() };
    match kind {
        "user" if name.ends_with(".gserviceaccount.com") => format!("serviceAccount:{name}"),
        "user" | "group" | "domain" => format!("{kind}:{name}"),
        "project" => match name.split_once('-') {
            Some(("owners", project)) => format!("projectOwner:{project}"),
            Some(("editors", project)) => format!("projectEditor:{project}"),
            Some(("viewers", project)) => format!("projectViewer:{project}"),
            _ => entity.to_owned(),
        },
        _ => entity.to_owned(),
    }
}

/// The project that a service account belongs to, or whose agent it is.
fn service_account(name: &str) -> Option<ProjectName> {
    if let Some((project, _)) = name.split_once(".svc.id.goog[") {
        return Some(named(project));
    }
    let (local, domain) = name.split_once('@')?;
    let first_number = || {
        let digits =
            local.split('-').find(|part| part.len() >= 6 && part.bytes().all(|byte| byte.is_ascii_digit()));
        digits.map(|digits| ProjectName::Number(digits.to_owned()))
    };
    match domain {
        "developer.gserviceaccount.com"
        | "cloudservices.gserviceaccount.com"
        | "cloudbuild.gserviceaccount.com"
        | "project.gserviceaccount.com" => first_number(),
        // The project of an organization's domain is written backwards: `name.example.com` for `example.com:name`.
        "appspot.gserviceaccount.com" => Some(ProjectName::Id(scoped(local))),
        _ => {
            let project = domain.strip_suffix(".iam.gserviceaccount.com")?;
            if is_agent(name) { first_number() } else { Some(ProjectName::Id(scoped(project))) }
        }
    }
}

/// Whether a service account is an agent of one of Google's services.
pub(super) fn is_agent(member: &str) -> bool {
    let domain = member.rsplit_once('@').map(|(_, domain)| domain);
    let project = domain.and_then(|domain| domain.strip_suffix(".iam.gserviceaccount.com"));
    project.is_some_and(|project| project.starts_with("gcp-sa-") || AGENTS.contains(&project))
}

fn scoped(project: &str) -> String {
    match project.split_once('.') {
        Some((name, domain)) => format!("{domain}:{name}"),
        None => project.to_owned(),
    }
}

/// Text out of a policy, safe to print and bounded.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() || c == '`' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_made_to_look_like_our_agent_is_not_ours() {
        let zone = ZoneOfTrust::default();
        let us = Us { zone: &zone, project: "ours", number: Some("604417713352") };
        let who = |name: &str| us.member(&format!("serviceAccount:{name}"));
        assert_eq!(who("service-604417713352@gs-project-accounts.iam.gserviceaccount.com"), Who::Ours);
        assert_eq!(who("604417713352-compute@developer.gserviceaccount.com"), Who::Ours);
        assert_eq!(who("robot@ours.iam.gserviceaccount.com"), Who::Ours);
        assert_eq!(who("ours.svc.id.goog[default/web]"), Who::Ours);
        for other in [
            "service-604417713352@evil.iam.gserviceaccount.com",
            "ours@evil.iam.gserviceaccount.com",
            "robot@ours.example.com.iam.gserviceaccount.com",
            "service-111111111111@gs-project-accounts.iam.gserviceaccount.com",
        ] {
            assert_eq!(who(other), Who::Known(Audience::External), "{other}");
        }
    }
}
