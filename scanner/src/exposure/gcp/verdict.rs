//! How do the grants read as exposures, with their reasons and what would close them?

use std::collections::{BTreeMap, BTreeSet};

use crate::estate::gcp::member_domains;
use crate::estate::{Fact, Gap, GapReason};
use crate::exposure::{Audience, BucketExposure, Certainty, Exposure, Keys};

use super::actions::Action;
use super::block::{PREVENTION, Setting, uniform_access};
use super::condition::Term;
use super::networks::{self, Networks};
use super::requesters::{is_agent, shown};
use super::rules::{Origin, Rule, principal};
use super::{Dossier, witness};

/// How many reasons of one exposure are told.
const REASONS_MAX: usize = 16;

/// What is worth saying besides the exposures.
#[derive(Debug, Default)]
pub(super) struct Notes {
    closed: Vec<String>,
    latent: Vec<String>,
    gaps: Vec<Gap>,
}

impl Notes {
    /// Why somebody cannot get in.
    pub(super) fn closed(&mut self, why: String) {
        add(&mut self.closed, why);
    }

    /// What would count again after one change.
    pub(super) fn latent(&mut self, what: String) {
        add(&mut self.latent, what);
    }

    /// A fact that could not be read and may hide a way in.
    pub(super) fn may_miss(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}

fn add(sentences: &mut Vec<String>, sentence: String) {
    if sentences.len() < REASONS_MAX && !sentences.contains(&sentence) {
        sentences.push(sentence);
    }
}

/// A verdict in the making.
pub(super) struct Verdict<'a> {
    dossier: &'a Dossier<'a>,
    pub(super) notes: Notes,
    prevention: Setting,
    networks: Networks,
    exposures: Vec<Exposure>,
}

/// How somebody gets in: who he is in the end, and what his request must carry.
#[derive(Clone)]
struct Entry {
    audience: Audience,
    doubts: BTreeSet<String>,
    context: BTreeMap<String, Vec<String>>,
    reasons: Vec<String>,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(dossier: &'a Dossier<'a>) -> Self {
        Self {
            dossier,
            notes: Notes::default(),
            prevention: dossier.prevention(),
            networks: networks::of_bucket(dossier),
            exposures: Vec::new(),
        }
    }

    /// Judges one grant.
    pub(super) fn add(&mut self, rule: &Rule) {
        let Some(entry) = self.entry(rule) else { return };
        for give in &rule.gives {
            let mut doubts = entry.doubts.clone();
            if give.action.acl_only {
                match uniform_access(self.dossier) {
                    Setting::On(_) => continue,
                    Setting::Off => {}
                    Setting::Unseen(gap) => {
                        doubts.insert(gap.detail);
                    }
                }
            }
            doubts.extend(give.term.doubts.iter().cloned());
            let exposure = self.exposure(rule, give.action, &give.term, &Entry { doubts, ..entry.clone() });
            self.keep(exposure);
        }
    }

    /// What the settings of the bucket leave of a grant.
    fn entry(&mut self, rule: &Rule) -> Option<Entry> {
        let mut entry = Entry {
            audience: rule.audience,
            doubts: rule.doubts.clone(),
            context: BTreeMap::new(),
            reasons: Vec::new(),
        };
        if rule.is_public() {
            match &self.prevention {
                Setting::On(_) if rule.is_unread() => {
                    // Nobody knows what it grants; to everybody it grants nothing.
                    entry.audience = Audience::External;
                }
                Setting::On(why) => {
                    self.notes.closed(why.clone());
                    self.notes.latent(format!(
                        "{} counts again if public access prevention is lifted",
                        rule.name()
                    ));
                    return None;
                }
                Setting::Off if rule.is_unread() => {}
                Setting::Off => entry.reasons.push(self.not_prevented()),
                Setting::Unseen(gap) => {
                    self.notes.may_miss(gap.clone());
                    entry.doubts.insert(gap.detail.clone());
                }
            }
        }
        if entry.audience == Audience::Anyone && self.dossier.requester_pays() {
            // "Anonymous requests are not allowed": whoever asks must be somebody with a project to bill.
            entry.audience = Audience::AnyAuthenticated;
            entry.context.insert("userProject".to_owned(), vec!["a project of the requester's".to_owned()]);
            entry
                .reasons
                .push("requester pays: whoever asks needs an account and a project of his own".to_owned());
        }
        self.through_networks(rule, entry)
    }

    fn through_networks(&mut self, rule: &Rule, mut entry: Entry) -> Option<Entry> {
        let agent = is_agent(&principal(rule)) && networks::lets_agents_in(self.dossier);
        match &self.networks {
            Networks::All => {}
            _ if agent => {}
            Networks::Unread(doubt) => {
                entry.doubts.insert(doubt.clone());
            }
            Networks::From(addresses) => {
                if entry.audience != Audience::Organization {
                    entry.audience = Audience::External;
                }
                entry.context.insert("source address".to_owned(), addresses.clone());
                entry.reasons.push(format!(
                    "the bucket's IP filter lets in addresses such as {}",
                    addresses.join(", ")
                ));
            }
            Networks::Perhaps(doubt) => {
                if entry.audience != Audience::Organization {
                    entry.audience = Audience::External;
                }
                entry.doubts.insert(doubt.clone());
            }
            Networks::None(why) => {
                self.notes.closed(why.clone());
                if !rule.is_unread() {
                    self.notes.latent(format!("{} counts again if the IP filter is lifted", rule.name()));
                }
                return None;
            }
        }
        Some(entry)
    }

    fn not_prevented(&self) -> String {
        let stated = match &self.dossier.config {
            Fact::Present(config) => config.public_access_prevention.clone(),
            Fact::Absent | Fact::Unread(_) => "inherited".to_owned(),
        };
        format!("public access prevention is `{stated}`, and no organization policy enforces `{PREVENTION}`")
    }

    fn exposure(&self, rule: &Rule, action: &Action, term: &Term, entry: &Entry) -> Exposure {
        let keys = Keys {
            include: BTreeSet::from([term.keys.pattern()]),
            exclude: term.but.iter().map(|hole| hole.pattern()).collect(),
        };
        let certainty = if entry.doubts.is_empty() { Certainty::Proven } else { Certainty::Possible };
        let mut because = Vec::new();
        if !rule.is_unread() {
            because.push(format!(
                "{} allows `{}` to {}",
                rule.name(),
                action.name,
                who(entry.audience, rule)
            ));
        }
        because.extend(entry.reasons.iter().cloned());
        because.extend(self.domain_restriction(rule));
        because.extend(entry.doubts.iter().cloned());
        let witness = (certainty == Certainty::Proven)
            .then(|| witness::witness(self.dossier, rule, action, term, entry.audience, &entry.context));
        Exposure {
            audience: entry.audience,
            access: BTreeSet::from([action.access]),
            keys,
            certainty,
            witness,
            because,
            closing: closing(rule),
        }
    }

    /// Domain-restricted sharing refuses new grants and leaves those that stand ("Restricting identities by domain").
    fn domain_restriction(&self, rule: &Rule) -> Option<String> {
        let outside =
            matches!(rule.audience, Audience::External | Audience::Anyone | Audience::AnyAuthenticated);
        if rule.is_unread() || rule.is_acl() || !outside {
            return None;
        }
        match member_domains(&self.dossier.facts) {
            Fact::Present(Some(_)) => Some(
                "domain-restricted sharing refuses new grants to outsiders but leaves this one".to_owned(),
            ),
            _ => None,
        }
    }

    /// Keeps an exposure unless another says as much or more; one that says the same lends its reasons.
    fn keep(&mut self, exposure: Exposure) {
        let same = |known: &&mut Exposure| {
            (known.audience, known.certainty, &known.access, &known.keys)
                == (exposure.audience, exposure.certainty, &exposure.access, &exposure.keys)
        };
        if let Some(known) = self.exposures.iter_mut().find(same) {
            // Another permission of the same grant is no other reason.
            let grant = exposure.because.first().and_then(|reason| reason.split(" allows ").next());
            let told =
                known.because.iter().any(|reason| grant.is_some_and(|grant| reason.starts_with(grant)));
            if !told {
                exposure.because.into_iter().for_each(|reason| add(&mut known.because, reason));
                exposure.closing.into_iter().for_each(|step| add(&mut known.closing, step));
            }
            return;
        }
        if self.exposures.iter().any(|known| known.says_as_much_as(&exposure)) {
            return;
        }
        self.exposures.retain(|known| !exposure.says_as_much_as(known));
        self.exposures.push(exposure);
    }

    /// The whole verdict, widest audience first.
    pub(super) fn finish(mut self) -> BucketExposure {
        self.exposures.sort_by(|a, b| {
            (a.audience, a.certainty, &a.access, &a.keys).cmp(&(b.audience, b.certainty, &b.access, &b.keys))
        });
        if self.exposures.is_empty() && self.notes.closed.is_empty() {
            self.notes.closed("no policy and no access list names anybody outside".to_owned());
            if let Setting::On(why) = &self.prevention {
                self.notes.closed(why.clone());
            }
        }
        let gaps = self.gaps();
        BucketExposure {
            bucket: self.dossier.bucket.name.clone(),
            policy_status_public: None,
            exposures: self.exposures,
            closed_because: self.notes.closed,
            latent: self.notes.latent,
            website: self.dossier.is_website(),
            gaps,
        }
    }

    /// The gaps that leave something open, and every question that was asked and not answered.
    fn gaps(&self) -> Vec<Gap> {
        let dossier = self.dossier;
        let mut candidates: Vec<&Gap> = self.notes.gaps.iter().collect();
        for fact in [&dossier.policy, &dossier.project_policy] {
            candidates.extend(unread(fact));
        }
        candidates.extend(unread(&dossier.config));
        candidates.extend(unread(&dossier.hierarchy));
        let counts = |gap: &&Gap| {
            let asked = gap.reason != GapReason::NotRead;
            asked || self.exposures.iter().any(|exposure| exposure.certainty == Certainty::Possible)
        };
        let gaps: BTreeSet<Gap> = candidates.into_iter().filter(counts).cloned().collect();
        gaps.into_iter().collect()
    }
}

fn unread<T>(fact: &Fact<T>) -> Option<&Gap> {
    match fact {
        Fact::Unread(gap) => Some(gap),
        Fact::Present(_) | Fact::Absent => None,
    }
}

/// What closing a grant would take, the least far-reaching step first.
fn closing(rule: &Rule) -> Vec<String> {
    if rule.is_unread() {
        return vec!["read what could not be read, then judge again".to_owned()];
    }
    let mut steps = vec![match &rule.origin {
        Origin::BucketAcl | Origin::ObjectAcl => {
            format!("remove the {}, or turn on uniform bucket-level access", rule.name())
        }
        _ => format!("remove {}", rule.name()),
    }];
    if rule.is_public() {
        steps.push("set public access prevention of the bucket to `enforced`: the grants stay and count again when it is lifted".to_owned());
    }
    steps
}

/// The audience, for a sentence.
fn who(audience: Audience, rule: &Rule) -> String {
    match audience {
        Audience::Anyone => "anyone".to_owned(),
        Audience::AnyAuthenticated => "anyone with a Google account".to_owned(),
        Audience::Cdn => "Cloud CDN".to_owned(),
        Audience::Organization => format!("others inside the zone of trust, such as `{}`", principal(rule)),
        Audience::External if rule.is_public() => "anyone who comes from the addresses let in".to_owned(),
        Audience::External => format!("`{}`", shown(&principal(rule))),
    }
}
