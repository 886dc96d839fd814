//! From which networks does a bucket take requests?
//!
//! Source: Cloud Storage, "Bucket IP filtering": once enabled, a request comes from a listed range or VPC network, or is refused.

use crate::estate::Fact;
use crate::estate::gcp::IpFilter;
use crate::exposure::ranges::{IpRange, address, ip_range, without};

use super::Dossier;
use super::requesters::{Us, Who, shown};

/// The networks of requests that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Networks {
    /// All of the internet.
    All,
    /// These addresses outside our own, to show one of each range.
    From(Vec<String>),
    /// Perhaps from somewhere outside, and why that cannot be told.
    Perhaps(String),
    /// None outside, as this sentence says.
    None(String),
    /// Nobody read it.
    Unread(String),
}

/// What of the internet the bucket's filter lets through.
pub(super) fn of_bucket(dossier: &Dossier<'_>) -> Networks {
    match &dossier.config {
        Fact::Present(config) => {
            config.ip_filter.as_ref().map_or(Networks::All, |filter| of_filter(filter, &dossier.us()))
        }
        Fact::Absent => Networks::All,
        Fact::Unread(gap) => Networks::Unread(gap.detail.clone()),
    }
}

/// Whether service agents are let in from everywhere.
pub(super) fn lets_agents_in(dossier: &Dossier<'_>) -> bool {
    match &dossier.config {
        Fact::Present(config) => config.ip_filter.as_ref().is_none_or(|filter| filter.service_agents),
        Fact::Absent | Fact::Unread(_) => true,
    }
}

fn of_filter(filter: &IpFilter, us: &Us<'_>) -> Networks {
    let ours: Vec<IpRange> = us.zone.cidrs.iter().filter_map(|cidr| ip_range(cidr)).collect();
    let mut listed = Vec::new();
    for cidr in &filter.cidrs {
        match ip_range(cidr) {
            Some(range) => listed.push(range),
            None => {
                return Networks::Perhaps(format!("the IP filter's `{}` is no address range", shown(cidr)));
            }
        }
    }
    let whole = |v6: bool| {
        let everything = IpRange { v6, first: 0, last: if v6 { u128::MAX } else { u128::from(u32::MAX) } };
        without(vec![everything], &listed).is_empty()
    };
    if whole(false) {
        return Networks::All;
    }
    let left = without(listed, &ours);
    if !left.is_empty() {
        return Networks::From(left.iter().take(8).map(|range| address(range.v6, range.first)).collect());
    }
    let foreign = filter.networks.iter().find(|network| {
        let project = network.strip_prefix("projects/").and_then(|rest| rest.split('/').next());
        !project.is_some_and(|project| {
            matches!(
                us.member(&format!("projectViewer:{project}")),
                Who::Ours | Who::Known(crate::exposure::Audience::Organization)
            )
        }) && !us.zone.networks.contains(*network)
    });
    match foreign {
        Some(network) => Networks::Perhaps(format!(
            "the bucket's IP filter lets in the VPC network `{}`, and who is in there was not read",
            shown(network)
        )),
        None => Networks::None("the bucket's IP filter lets in our own networks only".to_owned()),
    }
}
