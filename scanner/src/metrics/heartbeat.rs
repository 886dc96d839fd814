//! Who notices that no run happens at all? A watchdog that is told of every beginning and end.

use super::{MetricsError, Settings};
use crate::tickets::http::{Http, Manners, Request};

/// A watchdog, ready to be told.
pub struct Heartbeat {
    http: Http,
    settings: Settings,
}

impl Heartbeat {
    /// None where no address is configured.
    pub fn new(settings: &Settings) -> Result<Option<Self>, MetricsError> {
        if [&settings.heartbeat, &settings.heartbeat_start, &settings.heartbeat_fail]
            .iter()
            .all(|at| at.is_none())
        {
            return Ok(None);
        }
        let manners =
            Manners { attempts_max: 3, timeout: std::time::Duration::from_secs(10), ..Manners::default() };
        let http = Http::new(&manners, Vec::new(), None).map_err(unsent)?;
        Ok(Some(Self { http, settings: settings.clone() }))
    }

    /// Says that a run begins.
    pub async fn start(&self) -> Result<(), MetricsError> {
        self.ask(self.settings.heartbeat_start.as_deref()).await
    }

    /// Says how it ended.
    pub async fn end(&self, well: bool) -> Result<(), MetricsError> {
        let address = if well { &self.settings.heartbeat } else { &self.settings.heartbeat_fail };
        self.ask(address.as_deref()).await
    }

    async fn ask(&self, address: Option<&str>) -> Result<(), MetricsError> {
        let Some(address) = address else { return Ok(()) };
        let asked = self.http.send(&Request::get(address.to_owned())).await;
        asked.map(drop).map_err(|error| unsent(error.to_string()))
    }
}

fn unsent(cause: String) -> MetricsError {
    MetricsError::Unsent { what: "the heartbeat", cause }
}
