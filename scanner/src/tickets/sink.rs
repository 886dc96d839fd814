//! How is a sink of each kind set up?

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OnceCell;

use super::TicketError;
use super::github::GitHub;
use super::gitlab::GitLab;
use super::http::{Http, HttpError, Printer, is_safe};
use super::jira::Jira;
use super::notice::{self, Notice};
use super::pagerduty::PagerDuty;
use super::secret::Secret;
use super::securityhub::SecurityHub;
use super::servicenow::ServiceNow;
use super::settings::{Kind, SinkSettings};
use super::slack::Slack;
use super::ticket::Ticket;
use super::tracker::{self, Done, Tracker};
use super::webhook::Webhook;

/// What a sink does with a ticket.
pub(super) enum Way {
    /// Keeps it, and is searched.
    Tracker(Box<dyn Tracker>),
    /// Is told.
    Notice(Box<dyn Notice>),
}

/// One sink, ready.
pub(super) struct Sink {
    pub(super) settings: SinkSettings,
    way: Way,
}

impl Sink {
    /// Reads its secret and prepares to send.
    pub(super) fn open(settings: &SinkSettings, printer: Option<Printer>) -> Result<Self, TicketError> {
        let way = way(settings, printer)
            .map_err(|cause| TicketError::Sink { sink: settings.name.clone(), cause })?;
        Ok(Self { settings: settings.clone(), way })
    }

    /// Whether there is anything to do here.
    pub(super) fn concerns(&self, ticket: &Ticket) -> bool {
        let min_severity = self.settings.min_severity;
        match &self.way {
            Way::Tracker(_) => tracker::concerns(ticket, min_severity),
            Way::Notice(notice) => notice::concerns(notice.as_ref(), ticket, min_severity),
        }
    }

    /// Does what the finding's transition asks for.
    pub(super) async fn file(&self, ticket: &Ticket) -> Result<Done, HttpError> {
        match &self.way {
            Way::Tracker(tracker) => {
                tracker::file(tracker.as_ref(), ticket, self.settings.min_severity).await
            }
            Way::Notice(notice) => {
                notice.send(ticket).await?;
                Ok(Done { sent: true, ..Done::default() })
            }
        }
    }
}

fn way(settings: &SinkSettings, printer: Option<Printer>) -> Result<Way, String> {
    if let Kind::SecurityHub { region, account } = settings.kind.clone() {
        let http = Http::new(&settings.manners, Vec::new(), printer)?;
        let url = settings.url.clone().unwrap_or_default();
        return Ok(Way::Notice(Box::new(SecurityHub {
            http,
            url,
            region,
            account,
            caller: OnceCell::new(),
        })));
    }
    let secret = settings.secret.as_ref().ok_or("it has no secret")?.read()?;
    let basic = settings
        .user
        .as_ref()
        .map(|user| Secret::new(&STANDARD.encode(format!("{user}:{}", secret.expose()))));
    let secrets = std::iter::once(&secret).chain(&basic).cloned().collect();
    let http = Http::new(&settings.manners, secrets, printer)?;
    let url = settings.url.clone().unwrap_or_default();
    let authorization = match &basic {
        Some(basic) => format!("Basic {}", basic.expose()),
        None => format!("Bearer {}", secret.expose()),
    };
    let fields = settings.fields.clone();
    Ok(match settings.kind.clone() {
        Kind::SecurityHub { .. } => return Err("it takes no secret".to_owned()),
        Kind::Webhook => Way::Notice(Box::new(Webhook { http, url, secret })),
        Kind::PagerDuty => Way::Notice(Box::new(PagerDuty { http, url, routing_key: secret })),
        Kind::Slack if is_safe(secret.expose()) => Way::Notice(Box::new(Slack { http, url: secret })),
        Kind::Slack => return Err("its secret is no address of a webhook (`https://…`)".to_owned()),
        Kind::GitHub { repository } => {
            Way::Tracker(Box::new(GitHub { http, url, authorization, repository }))
        }
        Kind::GitLab { project } => Way::Tracker(Box::new(GitLab { http, url, token: secret, project })),
        Kind::ServiceNow { table, close_code } => {
            Way::Tracker(Box::new(ServiceNow { http, url, authorization, table, close_code, fields }))
        }
        Kind::Jira { project, issue_type, cloud, close_transition, reopen_transition } => {
            let (close, reopen) = (close_transition, reopen_transition);
            Way::Tracker(Box::new(Jira {
                http,
                url,
                authorization,
                project,
                issue_type,
                cloud,
                close,
                reopen,
                fields,
            }))
        }
    })
}
