//! How does an OpenTelemetry collector hear of it? OTLP over HTTP in its JSON encoding.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Figure, MetricsError, Settings};
use crate::tickets::http::{Http, Manners, Request};

/// Sends the figures; nothing where no collector is configured.
pub async fn send(settings: &Settings, figures: &[Figure]) -> Result<(), MetricsError> {
    let unsent = |cause: String| MetricsError::Unsent { what: "the metrics", cause };
    let Some(collector) = &settings.otlp else { return Ok(()) };
    let token = settings.otlp_token.as_ref().map(|source| source.read()).transpose().map_err(unsent)?;
    let http = Http::new(&Manners::default(), token.clone().into_iter().collect(), None).map_err(unsent)?;
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos().to_string();
    let url = format!("{collector}/v1/metrics");
    // A gauge that is told twice at the same time is one.
    let mut request = Request::json(Method::POST, url, &body(figures, &nanoseconds)).repeatable();
    if let Some(token) = &token {
        request = request.header("authorization", format!("Bearer {}", token.expose()));
    }
    let answer = http.send(&request).await.map_err(|error| unsent(error.to_string()))?;
    match answer.pointer("/partialSuccess/rejectedDataPoints").map(Value::to_string) {
        Some(rejected) if rejected.trim_matches('"') != "0" => {
            Err(unsent(format!("the collector rejected {rejected} values")))
        }
        _ => Ok(()),
    }
}

/// The figures in the JSON mapping of `ExportMetricsServiceRequest`; whole numbers of 64 bits are texts there.
fn body(figures: &[Figure], nanoseconds: &str) -> Value {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let point = |(labels, value): &(Vec<(&'static str, String)>, f64)| {
        let attributes: Vec<Value> = labels.iter().map(|(key, value)| attribute(key, value)).collect();
        json!({"attributes": attributes, "timeUnixNano": nanoseconds, "asDouble": value})
    };
    let metric = |figure: &Figure| {
        let points: Vec<Value> = figure.values.iter().map(point).collect();
        json!({
            "name": format!("spillwatch_{}", figure.name),
            "description": figure.help,
            "unit": unit(figure.name),
            "gauge": {"dataPoints": points},
        })
    };
    let version = env!("CARGO_PKG_VERSION");
    let metrics: Vec<Value> = figures.iter().filter(|figure| !figure.values.is_empty()).map(metric).collect();
    json!({"resourceMetrics": [{
        "resource": {"attributes": [
            attribute("service.name", "spillwatch"),
            attribute("service.version", version),
        ]},
        "scopeMetrics": [{"scope": {"name": "spillwatch", "version": version}, "metrics": metrics}],
    }]})
}

/// The unit in UCUM, as OTLP wants it.
fn unit(name: &str) -> &'static str {
    match name.rsplit('_').next() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        _ => "1",
    }
}
