//! Which requesters stand for everybody outside, and for everybody whom a policy names? A finite set.

use std::collections::{BTreeMap, BTreeSet};

use crate::exposure::pattern::{Class, Pattern, Token, WORK_MAX, regions};
use crate::exposure::policy::{Effect, PrincipalName, Test, Text};
use crate::exposure::{Audience, ZoneOfTrust};

use super::{Caller, Network, Requester, Source};
use crate::exposure::aws::keys::{Place, internet};
use crate::exposure::aws::rules::Rule;

/// An account that nobody names. Numbers like this are not given out.
pub(in super::super) const STRANGER: &str = "999900001111";
const STRANGE_ORGANIZATION: &str = "o-0stranger0";

/// Stands for every service that no rule names.
pub(in super::super) const ANY_SERVICE: &str = "any.amazonaws.com";

/// How many requesters one judgement looks at; more is beyond exact reasoning.
pub(in super::super) const REQUESTERS_MAX: usize = 2_000;

/// What the rules speak of, by which requesters can be told apart.
pub(in super::super) struct Mentions {
    keys: BTreeSet<String>,
    names: BTreeSet<PrincipalName>,
    accounts: BTreeSet<String>,
    organizations: BTreeSet<String>,
    networks: BTreeSet<(String, String)>,
    ids: BTreeSet<String>,
    sources: BTreeSet<Source>,
    account_patterns: Vec<Pattern>,
    variables: BTreeSet<String>,
}

impl Mentions {
    /// Collects what `rules` speak of.
    pub(in super::super) fn of(rules: &[Rule]) -> Self {
        let mut mentions = Self {
            keys: BTreeSet::new(),
            names: BTreeSet::new(),
            accounts: BTreeSet::new(),
            organizations: BTreeSet::new(),
            networks: BTreeSet::new(),
            ids: BTreeSet::new(),
            sources: BTreeSet::new(),
            account_patterns: Vec::new(),
            variables: BTreeSet::new(),
        };
        for rule in rules {
            let statement = &rule.statement;
            // Whom a Deny spares can only be somebody that an Allow lets in, but by another name.
            mentions.names.extend(statement.principals.names().iter().cloned());
            for text in statement.resources.names() {
                mentions.variables.extend(text.variables().map(str::to_owned));
            }
            for condition in &statement.conditions {
                mentions.keys.insert(condition.key.clone());
                if let Test::Text { texts, negated, .. } | Test::Arn { texts, negated } = &condition.test {
                    let gives = (statement.effect == Effect::Allow) != *negated;
                    texts.iter().for_each(|text| mentions.value(&condition.key, text, gives));
                }
            }
        }
        mentions.keys.extend(mentions.variables.iter().cloned());
        mentions
    }

    fn value(&mut self, key: &str, text: &Text, gives: bool) {
        self.variables.extend(text.variables().map(str::to_owned));
        let display = text.display();
        let spelled_out = text.pattern().is_some_and(Pattern::is_literal);
        let name = key.strip_prefix("aws:").unwrap_or_default();
        match name {
            "principalaccount" | "principalarn" | "userid" => {
                self.accounts.extend(account_numbers(&display));
                let part =
                    if name == "principalarn" { display.split(':').nth(4) } else { Some(display.as_str()) };
                self.account_patterns.extend(part.map(Pattern::wildcard));
                if name == "userid" && gives && display.starts_with(['A']) && display.len() >= 16 {
                    self.ids.insert(display);
                }
            }
            "principalorgid" | "principalorgpaths" => {
                let organization = display.split('/').next().unwrap_or_default();
                if !organization.contains(['*', '?']) {
                    self.organizations.insert(organization.to_owned());
                }
            }
            "sourcevpc" | "sourcevpce" | "sourcevpcarn" | "vpceaccount" | "vpceorgid"
                if spelled_out && gives =>
            {
                self.networks.insert((key.to_owned(), display));
            }
            "sourcearn" | "sourceaccount" | "sourceowner" => {
                self.sources.extend(account_numbers(&display).map(Source::Account));
                if spelled_out && display.split(':').nth(4) == Some("") {
                    self.sources.insert(Source::Thing(display));
                }
            }
            _ => {}
        }
    }

    /// The keys of policy variables.
    pub(in super::super) fn variables(&self) -> &BTreeSet<String> {
        &self.variables
    }

    fn speaks_of(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| {
            let key = format!("aws:{key}");
            self.keys.iter().any(|own| *own == key || (key.ends_with('/') && own.starts_with(&key)))
        })
    }
}

/// The runs of twelve digits in a text.
fn account_numbers(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 12).map(str::to_owned)
}

/// Everybody who could ask, the widest audience first.
pub(in super::super) fn requesters(mentions: &Mentions, place: &Place, zone: &ZoneOfTrust) -> Vec<Requester> {
    let crowd = Crowd { mentions, place, zone };
    let mut callers = vec![(Audience::Anyone, Caller::Anonymous, None, None)];
    crowd.strangers(&mut callers);
    crowd.members(&mut callers);
    crowd.named(&mut callers);
    let mut requesters: Vec<Requester> = Vec::new();
    for (audience, caller, organization, doubt) in callers {
        for (network, network_doubt) in crowd.networks(audience) {
            let through_endpoint = network == Network::Endpoint && audience == Audience::Anyone;
            let audience = match network {
                // Whoever has a VPC has an account.
                _ if through_endpoint => Audience::AnyAuthenticated,
                Network::Named(_) if audience != Audience::Organization => Audience::External,
                _ => audience,
            };
            let requester = Requester {
                audience,
                caller: caller.clone(),
                network,
                organization: organization.clone(),
                pins: BTreeMap::new(),
                doubt: doubt.clone().or(network_doubt),
            };
            if !requesters.contains(&requester) {
                requesters.push(requester);
            }
        }
    }
    requesters.sort_by_key(|requester| (requester.audience, requester.doubt.is_some()));
    requesters.truncate(REQUESTERS_MAX + 1);
    requesters
}

type Found = (Audience, Caller, Option<String>, Option<String>);

struct Crowd<'a> {
    mentions: &'a Mentions,
    place: &'a Place,
    zone: &'a ZoneOfTrust,
}

impl Crowd<'_> {
    fn is_ours(&self, account: &str) -> bool {
        account == self.place.account || self.zone.accounts.contains(account)
    }

    /// The three kinds of callers of an account, as far as the rules can tell them apart.
    fn callers_of(&self, account: &str) -> Vec<Caller> {
        let user = Caller::User { account: account.to_owned(), name: None };
        let apart =
            ["principalarn", "principaltype", "userid", "username", "sourceidentity", "principaltag/"];
        if !self.mentions.speaks_of(&apart) {
            return vec![user];
        }
        let role = Caller::Role { account: account.to_owned(), role: None, session: None };
        let account = account.to_owned();
        vec![user, role, Caller::Root { account: account.clone() }, Caller::FederatedUser { account }]
    }

    /// Whoever has an account, which is anyone.
    fn strangers(&self, found: &mut Vec<Found>) {
        let mut organizations = vec![None];
        if self.mentions.speaks_of(&["principalorgid", "principalorgpaths"]) {
            organizations.push(Some(STRANGE_ORGANIZATION.to_owned()));
        }
        for account in self.strange_accounts() {
            for caller in self.callers_of(&account) {
                for organization in &organizations {
                    found.push((Audience::AnyAuthenticated, caller.clone(), organization.clone(), None));
                }
            }
        }
        // Services lack most of what conditions ask of a caller, which negated and IfExists operators take for a yes.
        if !self.mentions.keys.is_empty() {
            self.services(ANY_SERVICE, found);
        }
    }

    /// Account numbers that nobody names, one for every way the rules' patterns can treat one.
    fn strange_accounts(&self) -> Vec<String> {
        let mut patterns = self.mentions.account_patterns.clone();
        patterns.extend(self.mentions.accounts.iter().map(|account| Pattern::literal(account)));
        patterns.extend(self.zone.accounts.iter().take(64).map(|account| Pattern::literal(account)));
        patterns.push(Pattern::literal(&self.place.account));
        if patterns.iter().all(|pattern| pattern.is_literal() || pattern.text() == "*") {
            return vec![STRANGER.to_owned()];
        }
        let digits = Pattern::new(vec![Token::One(Class::Digit); 12]);
        let found = regions(&digits, &patterns, WORK_MAX / 8).unwrap_or_default();
        let is_named = |at: &usize| patterns.get(*at).is_some_and(Pattern::is_literal);
        let mut accounts: Vec<String> = found
            .into_iter()
            .filter(|region| !region.matched.iter().any(is_named))
            .map(|region| region.witness)
            .collect();
        accounts.push(STRANGER.to_owned());
        accounts
    }

    /// Others of our own organization or of accounts that we trust.
    fn members(&self, found: &mut Vec<Found>) {
        for organization in &self.zone.organizations {
            for caller in self.callers_of("999900002222") {
                found.push((Audience::Organization, caller, Some(organization.clone()), None));
            }
        }
        let ours = self.zone.accounts.iter().filter(|account| **account != self.place.account);
        let organization = self.zone.organizations.first().cloned();
        for account in ours.take(1) {
            for caller in self.callers_of(account) {
                found.push((Audience::Organization, caller, organization.clone(), None));
            }
        }
    }

    fn named(&self, found: &mut Vec<Found>) {
        let mut accounts: BTreeSet<&str> = self.mentions.accounts.iter().map(String::as_str).collect();
        for name in &self.mentions.names {
            match name {
                PrincipalName::Account(account) => {
                    accounts.insert(account);
                }
                PrincipalName::Everyone | PrincipalName::SignedIn | PrincipalName::Gone(_) => {}
                name => self.named_principal(name, found),
            }
        }
        for account in accounts.into_iter().filter(|account| *account != self.place.account) {
            let (audience, organization) = self.circle(account);
            for caller in self.callers_of(account) {
                found.push((audience, caller, organization.clone(), None));
            }
        }
        for organization in &self.mentions.organizations {
            if !self.zone.organizations.contains(organization) {
                for caller in self.callers_of(STRANGER) {
                    found.push((Audience::External, caller, Some(organization.clone()), None));
                }
            }
        }
        for id in &self.mentions.ids {
            let name = PrincipalName::Gone(id.clone());
            let doubt = format!("nobody can tell from here whose id `{id}` is");
            let caller = Caller::Opaque { name, account: None, arn: None };
            found.push((Audience::External, caller, None, Some(doubt)));
        }
    }

    fn circle(&self, account: &str) -> (Audience, Option<String>) {
        if self.is_ours(account) {
            (Audience::Organization, self.zone.organizations.first().cloned())
        } else {
            (Audience::External, None)
        }
    }

    fn named_principal(&self, name: &PrincipalName, found: &mut Vec<Found>) {
        let opaque = |account: Option<&str>, arn: Option<&str>| Caller::Opaque {
            name: name.clone(),
            account: account.map(str::to_owned),
            arn: arn.map(str::to_owned),
        };
        match name {
            PrincipalName::Arn(arn) => {
                let account = arn.split(':').nth(4).unwrap_or_default();
                if account == "cloudfront" {
                    found.push((Audience::Cdn, opaque(None, Some(arn)), None, None));
                } else if account != self.place.account {
                    let (audience, organization) = self.circle(account);
                    found.push((audience, named_caller(name, arn, account), organization, None));
                }
            }
            PrincipalName::Canonical(id) => {
                let ours = self.zone.canonical_ids.contains(id);
                let audience = if ours { Audience::Organization } else { Audience::External };
                found.push((audience, opaque(None, None), None, None));
            }
            PrincipalName::Federated(provider) => {
                let account = provider.split(':').nth(4).filter(|account| !account.is_empty());
                if account != Some(self.place.account.as_str()) {
                    let audience = account.map_or(Audience::External, |account| self.circle(account).0);
                    found.push((audience, opaque(account, None), None, None));
                }
            }
            PrincipalName::Service(service) => self.services(service, found),
            _ => {}
        }
    }

    /// A service acts for anybody unless the rule asks for whom; a distribution of ours acts for everyone.
    fn services(&self, service: &str, found: &mut Vec<Found>) {
        let caller = |source: &Source| Caller::Service { name: service.to_owned(), source: source.clone() };
        found.push((Audience::External, caller(&Source::Stranger), None, None));
        for source in &self.mentions.sources {
            match source {
                Source::Account(account) if self.is_ours(account) => {
                    // Anything else of ours that acts through a service is not outside.
                    if service == "cloudfront.amazonaws.com" {
                        found.push((Audience::Cdn, caller(source), None, None));
                    }
                }
                // A bucket's ARN does not say whose it is; a condition on the account would.
                Source::Thing(arn) if !self.mentions.speaks_of(&["sourceaccount", "sourceowner"]) => {
                    let doubt = format!("nobody can tell from here whose `{arn}` is");
                    found.push((Audience::External, caller(source), None, Some(doubt)));
                }
                Source::Thing(_) | Source::Stranger => {}
                Source::Account(_) => found.push((Audience::External, caller(source), None, None)),
            }
        }
    }

    fn is_our_network(&self, value: &str) -> bool {
        self.zone.networks.contains(value)
            || self.is_ours(value)
            || self.zone.organizations.contains(value)
            || self.zone.networks.iter().any(|network| value.ends_with(&format!("/{network}")))
    }

    fn networks(&self, audience: Audience) -> Vec<(Network, Option<String>)> {
        let ours = self.zone.cidrs.iter().map(String::as_str);
        let ranges =
            if audience == Audience::Organization { internet([].into_iter()) } else { internet(ours) };
        let mut networks = vec![(Network::Internet(ranges), None)];
        let keys = [
            "sourceip",
            "sourcevpc",
            "sourcevpce",
            "sourcevpcarn",
            "vpcsourceip",
            "vpceaccount",
            "vpceorgid",
            "vpceorgpaths",
        ];
        if !self.mentions.speaks_of(&keys) || audience == Audience::Cdn {
            return networks;
        }
        networks.push((Network::Endpoint, None));
        let mut inside: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut unlisted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in &self.mentions.networks {
            let side = if self.is_our_network(value) { &mut inside } else { &mut unlisted };
            side.entry(key.clone()).or_default().push(value.clone());
        }
        if !unlisted.is_empty() {
            let names: Vec<&str> = unlisted.values().flatten().map(String::as_str).take(3).collect();
            let names = names.join("`, `");
            let doubt = format!("`{names}` is not listed in the zone of trust; whose it is cannot be seen");
            networks.push((Network::Named(unlisted), Some(doubt)));
        }
        // Who is inside our network is inside, and so of interest only as a member.
        if !inside.is_empty() && audience == Audience::Organization {
            networks.push((Network::Named(inside), None));
        }
        networks
    }
}

fn named_caller(name: &PrincipalName, arn: &str, account: &str) -> Caller {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let account = account.to_owned();
    match resource.split_once('/') {
        Some(("user", user)) => Caller::User { account, name: Some(user.to_owned()) },
        Some(("role", role)) => Caller::Role { account, role: Some(role.to_owned()), session: None },
        Some(("assumed-role", rest)) => match rest.split_once('/') {
            Some((role, session)) => {
                Caller::Role { account, role: Some(role.to_owned()), session: Some(session.to_owned()) }
            }
            None => Caller::Opaque { name: name.clone(), account: Some(account), arn: Some(arn.to_owned()) },
        },
        _ => Caller::Opaque { name: name.clone(), account: Some(account), arn: Some(arn.to_owned()) },
    }
}
