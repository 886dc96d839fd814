//! Whose buckets are there to look at?

use std::collections::BTreeSet;

use futures::future::FutureExt;
use futures::stream::{self, StreamExt};
use google_cloud_resourcemanager_v3::model::Project;
use google_cloud_resourcemanager_v3::model::folder::State as FolderState;
use google_cloud_resourcemanager_v3::model::project::State as ProjectState;

use super::GcpCloud;
use super::failure::Failure;
use super::session::{Session, every_page};
use super::settings::Projects;
use crate::cloud::CloudError;
use crate::estate::{Account, GapReason, Provider};

/// The id of a project that cannot be told: of a bucket whose settings may not be read.
pub const UNKNOWN_PROJECT: &str = "unknown";

/// More folders than an organization can have are a loop.
const FOLDERS_MAX: usize = 100_000;
const PAGE: i32 = 300;
/// Projects that are asked for their names at one time.
const PROJECTS_ASKED: usize = 8;

/// A project by both its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) number: Option<String>,
}

impl Known {
    fn of(project: &Project) -> Self {
        let number = project.name.strip_prefix("projects/").map(str::to_owned);
        let id = if project.project_id.is_empty() {
            number.clone().unwrap_or_default()
        } else {
            project.project_id.clone()
        };
        Self { id, number }
    }

    fn unnamed(id: &str) -> Self {
        Self { id: id.to_owned(), number: None }
    }
}

/// A project for the caller.
pub(super) fn account(id: &str) -> Account {
    Account { provider: Provider::Gcp, id: id.to_owned() }
}

impl GcpCloud {
    /// The projects that the settings name, asked for once.
    pub(super) async fn projects(&self) -> Result<&[Known], CloudError> {
        self.known.get_or_try_init(|| self.ask_projects()).await.map(Vec::as_slice)
    }

    async fn ask_projects(&self) -> Result<Vec<Known>, CloudError> {
        if let Some(only) = &self.settings.only {
            return Ok(vec![self.project_of(&only.name).await?]);
        }
        if !self.settings.sign_requests {
            return Ok(vec![Known::unnamed(UNKNOWN_PROJECT)]);
        }
        let session = self.session().await?;
        let mut projects = match &self.settings.projects {
            Projects::Listed(ids) => {
                let asked = ids.iter().map(|id| named(session, id).boxed());
                stream::iter(asked.collect::<Vec<_>>()).buffered(PROJECTS_ASKED).collect().await
            }
            Projects::Visible => visible(session).await?,
            Projects::Below(scope) => below(session, scope).await,
        };
        projects.sort();
        projects.dedup();
        Ok(projects)
    }

    /// The project that holds a bucket; unknown where neither its settings nor its project may be read.
    async fn project_of(&self, bucket: &str) -> Result<Known, CloudError> {
        if !self.settings.sign_requests {
            return Ok(Known::unnamed(UNKNOWN_PROJECT));
        }
        let session = self.session().await?;
        match session.ask(session.storage.get_bucket().set_name(super::buckets::path(bucket)).send()).await {
            Ok(found) => match found.project.strip_prefix("projects/") {
                Some(number) => Ok(named(session, number).await),
                None => Ok(Known::unnamed(UNKNOWN_PROJECT)),
            },
            Err(failure) if failure.is_refusal() => Ok(Known::unnamed(UNKNOWN_PROJECT)),
            Err(failure) => Err(failure.at("storage:buckets.get", bucket)),
        }
    }
}

/// A project by its id or number; one that may not be read keeps the name by which it was asked for.
async fn named(session: &Session, name: &str) -> Known {
    let asked = session.projects.get_project().set_name(format!("projects/{name}")).send();
    match session.ask(asked).await {
        Ok(project) => Known::of(&project),
        Err(_) => Known::unnamed(name),
    }
}

/// Every active project that the credentials may see.
async fn visible(session: &Session) -> Result<Vec<Known>, CloudError> {
    let page = |token: String| {
        async move {
            let asked = session.projects.search_projects().set_page_size(PAGE).set_page_token(token).send();
            let page = session.ask(asked).await?;
            Ok((active(&page.projects), page.next_page_token))
        }
        .boxed()
    };
    every_page(page)
        .await
        .map_err(|failure| failure.at("cloudresourcemanager:projects.search", "the projects"))
}

fn active(projects: &[Project]) -> Vec<Known> {
    projects.iter().filter(|project| project.state == ProjectState::Active).map(Known::of).collect()
}

/// Every active project below a folder or organization: from the asset inventory, which knows them all, or else level by
/// level.
async fn below(session: &Session, scope: &str) -> Vec<Known> {
    match inventory(session, scope).await {
        Ok(projects) => projects,
        Err(failure) => {
            tracing::debug!(code = failure.code, "no asset inventory: the resource manager is asked");
            walk(session, scope).await
        }
    }
}

async fn inventory(session: &Session, scope: &str) -> Result<Vec<Known>, Failure> {
    every_page(|token: String| {
        async move {
            let asked = session
                .assets
                .search_all_resources()
                .set_scope(scope)
                .set_asset_types(["cloudresourcemanager.googleapis.com/Project"])
                .set_query("state:ACTIVE")
                .set_page_size(500)
                .set_page_token(token)
                .send();
            let page = session.ask(asked).await?;
            // `//cloudresourcemanager.googleapis.com/projects/ID`, and the number in `project`.
            let projects = page.results.iter().map(|found| {
                let id = found.name.rsplit('/').next().filter(|id| !id.is_empty())?;
                let number = found.project.strip_prefix("projects/").map(str::to_owned);
                Some(Known { id: id.to_owned(), number })
            });
            let projects: Option<Vec<Known>> = projects.collect();
            Ok((projects.ok_or_else(Failure::unparsable)?, page.next_page_token))
        }
        .boxed()
    })
    .await
}

/// What may not be listed stands among the projects by its own name, so that it is a gap and not silence.
async fn walk(session: &Session, scope: &str) -> Vec<Known> {
    let mut projects = Vec::new();
    let mut parents = vec![scope.to_owned()];
    let mut seen = BTreeSet::from([scope.to_owned()]);
    while let Some(parent) = parents.pop() {
        let (listed, folders) = futures::join!(projects_in(session, &parent), folders_in(session, &parent));
        if listed.is_err() || folders.is_err() {
            projects.push(Known::unnamed(&parent));
        }
        projects.extend(listed.unwrap_or_default());
        for folder in folders.unwrap_or_default() {
            if seen.len() < FOLDERS_MAX && seen.insert(folder.clone()) {
                parents.push(folder);
            }
        }
    }
    projects
}

async fn projects_in(session: &Session, parent: &str) -> Result<Vec<Known>, Failure> {
    every_page(|token: String| {
        async move {
            let asked =
                session.projects.list_projects().set_parent(parent).set_page_size(PAGE).set_page_token(token);
            let page = session.ask(asked.send()).await?;
            Ok((active(&page.projects), page.next_page_token))
        }
        .boxed()
    })
    .await
}

async fn folders_in(session: &Session, parent: &str) -> Result<Vec<String>, Failure> {
    every_page(|token: String| {
        async move {
            let asked =
                session.folders.list_folders().set_parent(parent).set_page_size(PAGE).set_page_token(token);
            let page = session.ask(asked.send()).await?;
            let active = page.folders.into_iter().filter(|folder| folder.state == FolderState::Active);
            Ok((active.map(|folder| folder.name).collect(), page.next_page_token))
        }
        .boxed()
    })
    .await
}

/// Why a folder or an organization holds no buckets that could be listed.
pub(super) fn not_entered(name: &str) -> CloudError {
    CloudError::Denied { operation: "cloudresourcemanager:projects.list", resource: name.to_owned() }
}

/// Why nothing can be listed without credentials.
pub(super) fn nobody_lists(operation: &'static str, project: &str) -> CloudError {
    CloudError::Failed {
        operation,
        resource: format!("project {project}"),
        reason: GapReason::Denied,
        message: "requests without credentials cannot list buckets; name one as `gs://bucket`".to_owned(),
    }
}
