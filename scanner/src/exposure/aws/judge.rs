//! Who reaches what through one channel? Every requester, every action, every region of keys.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use crate::exposure::bits::{BITS_MAX, Bits};
use crate::exposure::pattern::{Class, Pattern};
use crate::exposure::policy::PrincipalName;
use crate::exposure::policy::condition::Resolved;
use crate::exposure::{Access, Audience, Certainty, Keys, ZoneOfTrust};

use super::actions::{self, ACTIONS, Action, Carries};
use super::dimension::{Asked, Dimension, Inquiry};
use super::keys::{Domain, Place, domain, is_circumstance};
use super::listing::Prefix;
use super::reached::Reached;
use super::requesters::{ANY_SERVICE, Caller, Mentions, REQUESTERS_MAX, Requester, requesters};
use super::resources::{Keyspace, Names, Resolve, View};
use super::rules::Rule;
use super::scene::{Scene, Start};

mod alike;

pub(super) use alike::Signature;
use alike::used_once;

/// A way to the bucket: what decides about requests that take it.
pub(super) struct Channel {
    pub(super) place: Place,
    /// The rules, each with the names that its layer has for the bucket and its objects.
    pub(super) rules: Vec<(Rule, Names)>,
    /// The sets of rules of which each must allow a request.
    pub(super) must_allow: Vec<Bits>,
    /// What shuts requesters out whatever the rules say.
    pub(super) gate: Gate,
    /// The keys that are judged.
    pub(super) template: Pattern,
    /// Whether ACLs are off, so that changing one does nothing.
    pub(super) acls_off: bool,
    /// Whether there can be older versions.
    pub(super) keeps_versions: bool,
    /// The version that is judged, where it is one.
    pub(super) version: Option<String>,
}

/// Whether requesters from outside the bucket's account are shut out as such. Services are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// It cannot be seen whether they are.
    Unseen(String),
    Shut(String),
}

/// A way in that was found.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) audience: Audience,
    pub(super) access: Access,
    pub(super) certainty: Certainty,
    pub(super) keys: Keys,
    pub(super) evidence: Evidence,
}

/// A request that gets through, and what lets it.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) requester: Rc<Requester>,
    pub(super) action: &'static str,
    /// The object's key; `None` for the bucket itself.
    pub(super) key: Option<String>,
    /// What the request must carry.
    pub(super) values: BTreeMap<String, Vec<String>>,
    pub(super) certainty: Certainty,
    /// The widest audience of which somebody can send it.
    pub(super) audience: Audience,
    /// The rules that allow it, by number.
    pub(super) rules: Vec<usize>,
    /// Why it may not get through after all.
    pub(super) doubts: Vec<String>,
}

/// Stands for the whole bucket where regions of keys are counted.
pub(super) const WHOLE: usize = usize::MAX;

/// Finds every way in.
pub(super) fn judge(channel: &Channel, zone: &ZoneOfTrust) -> Vec<Hit> {
    let rules: Vec<Rule> = channel.rules.iter().map(|(rule, _)| rule.clone()).collect();
    let mentions = Mentions::of(&rules);
    let mut askers = requesters(&mentions, &channel.place, zone);
    let too_much = rules.len() > BITS_MAX || askers.len() > REQUESTERS_MAX;
    askers.truncate(REQUESTERS_MAX);
    if too_much {
        return beyond(channel, &askers);
    }
    let askers = pinned(askers, &mentions, channel);
    let judge = Judge::new(channel, &rules, &mentions);
    judge.run(askers)
}

/// What is left to say where there are more rules or requesters than we reason about.
fn beyond(channel: &Channel, askers: &[Requester]) -> Vec<Hit> {
    if matches!(channel.gate, Gate::Shut(_)) {
        return Vec::new();
    }
    let Some(anyone) = askers.first() else { return Vec::new() };
    [Access::List, Access::Read, Access::ReadVersions, Access::Write, Access::Administer]
        .into_iter()
        .filter(|access| *access != Access::ReadVersions || channel.keeps_versions)
        .map(|access| Hit {
            audience: Audience::Anyone,
            access,
            certainty: Certainty::Possible,
            keys: Keys::all(),
            evidence: Evidence {
                requester: Rc::new(anyone.clone()),
                action: ACTIONS
                    .iter()
                    .find(|action| action.access == access)
                    .map_or("s3:*", |action| action.name),
                key: None,
                values: BTreeMap::new(),
                certainty: Certainty::Possible,
                audience: Audience::Anyone,
                rules: Vec::new(),
                doubts: vec!["there are more statements or principals than we reason about".to_owned()],
            },
        })
        .collect()
}

/// Requesters for whom every policy variable that they may choose has a settled value, before those who leave it open.
fn pinned(askers: Vec<Requester>, mentions: &Mentions, channel: &Channel) -> Vec<Requester> {
    if mentions.variables().is_empty() {
        return askers;
    }
    let mut all = Vec::with_capacity(askers.len() * 2);
    for asker in askers {
        let mut settled = asker.clone();
        for key in mentions.variables() {
            let free = ACTIONS.iter().map(|action| domain(key, &asker, action, &channel.place));
            let is_free =
                |domain: &Domain| matches!(domain, Domain::Text(text) if text.vouched_from.is_none());
            if free.clone().any(|domain| is_free(&domain)) {
                settled.pins.insert(key.clone(), "visitor".to_owned());
            }
        }
        if !settled.pins.is_empty() {
            all.push(settled);
        }
        all.push(asker);
    }
    all
}

/// What a key can hold, whether that is somebody else's doing, and the values to try.
type Prepared = (Domain, bool, Rc<Dimension>);

pub(super) struct Judge<'a> {
    pub(super) channel: &'a Channel,
    pub(super) rules: &'a [Rule],
    mentions: &'a Mentions,
    pub(super) allows: Bits,
    pub(super) denies: Bits,
    doubtful: Bits,
    /// The conditions on each key.
    pub(super) asked: BTreeMap<&'a str, Vec<Asked<'a>>>,
    /// The rules that are about each action.
    about: Vec<Bits>,
    /// What was prepared for a key and what it can hold; policies with variables read differently for each requester, and
    /// nothing is kept for them.
    known: RefCell<HashMap<&'a str, Vec<Prepared>>>,
    /// The prefixes to list with, kept under the same proviso.
    pub(super) prefixes: RefCell<Option<Rc<Vec<Prefix>>>>,
    /// Whether each key that serves as a variable serves once and is asked for nowhere else.
    used_once: BTreeSet<String>,
}

impl<'a> Judge<'a> {
    fn new(channel: &'a Channel, rules: &'a [Rule], mentions: &'a Mentions) -> Self {
        let numbers = |passes: &dyn Fn(&Rule) -> bool| -> Bits {
            rules.iter().enumerate().filter(|(_, rule)| passes(rule)).map(|(at, _)| at).collect()
        };
        let mut asked: BTreeMap<&str, Vec<Asked<'_>>> = BTreeMap::new();
        for (number, rule) in rules.iter().enumerate() {
            for condition in &rule.statement.conditions {
                asked.entry(&condition.key).or_default().push((number, condition));
            }
        }
        let about = |action: &Action| {
            numbers(&|rule: &Rule| rule.statement.actions.holds(|pattern| pattern.matches(action.name)))
        };
        Self {
            channel,
            rules,
            mentions,
            allows: numbers(&Rule::allows),
            denies: numbers(&|rule| !rule.allows()),
            doubtful: numbers(&|rule| rule.doubt.is_some()),
            asked,
            about: ACTIONS.iter().map(about).collect(),
            known: RefCell::default(),
            prefixes: RefCell::default(),
            used_once: used_once(rules),
        }
    }

    fn run(&self, askers: Vec<Requester>) -> Vec<Hit> {
        let askers: Vec<Rc<Requester>> = askers.into_iter().map(Rc::new).collect();
        let resolvers: Vec<_> =
            askers.iter().map(|asker| move |key: &str| self.resolve(asker, key)).collect();
        let resolves: Vec<Resolve<'_>> = resolvers.iter().map(|resolve| resolve as Resolve<'_>).collect();
        let space = Keyspace::new(&self.channel.template, &self.channel.rules, &resolves);
        let mut reached = Reached::default();
        let mut shared = None;
        for (asker, resolve) in askers.iter().zip(resolves) {
            if matches!(self.channel.gate, Gate::Shut(_)) && !passes_gates(asker) {
                continue;
            }
            if self.reads_alike() {
                let view = shared.get_or_insert_with(|| self.view(&space, resolve));
                self.ask(asker, resolve, view, &space, &mut reached);
            } else {
                let view = self.view(&space, resolve);
                self.ask(asker, resolve, &view, &space, &mut reached);
            }
        }
        reached.hits(&space)
    }

    /// Whether the rules read the same for every requester: they hold no variables.
    pub(super) fn reads_alike(&self) -> bool {
        self.mentions.variables().is_empty()
    }

    fn view(&self, space: &Keyspace, resolve: Resolve<'_>) -> View {
        space.view(&self.channel.rules, resolve)
    }

    /// What a policy variable stands for when `asker` asks.
    fn resolve(&self, asker: &Requester, key: &str) -> Resolved {
        let domains = ACTIONS.iter().map(|action| domain(key, asker, action, &self.channel.place));
        match domains.into_iter().find(|domain| *domain != Domain::Missing) {
            None => Resolved::Missing,
            Some(Domain::Fixed(values)) => match values.as_slice() {
                [value] => Resolved::Text(value.clone()),
                _ => Resolved::Unknown,
            },
            Some(Domain::Text(text)) => {
                let class = if key == "aws:username" { Class::Name } else { Class::Any };
                let free =
                    text.vouched_from.is_none() && key.starts_with("aws:") && self.used_once.contains(key);
                Resolved::Anything { class, free }
            }
            Some(_) => Resolved::Unknown,
        }
    }

    fn ask(
        &self,
        asker: &Rc<Requester>,
        resolve: Resolve<'_>,
        view: &View,
        space: &Keyspace,
        reached: &mut Reached,
    ) {
        // A service passes a gate by its name, not by a star.
        let by_name = self.channel.gate != Gate::Open && passes_gates(asker);
        let names_asker = |rule: &Rule| {
            let principals = &rule.statement.principals;
            let counts = !by_name || !rule.allows() || !principals.names().contains(&PrincipalName::Everyone);
            counts && principals.holds(|name| asker.caller.is(name))
        };
        let named: Bits =
            self.rules.iter().enumerate().filter(|(_, rule)| names_asker(rule)).map(|(at, _)| at).collect();
        if !named.meets(&self.allows) || !reached.is_new(self.signature(asker, &named, resolve)) {
            return;
        }
        let mut prepared: HashMap<Vec<Carries>, Vec<Rc<Dimension>>> = HashMap::new();
        let mut asked: Vec<(Access, bool, Bits, Vec<Carries>)> = Vec::new();
        for (action, about) in ACTIONS.iter().zip(&self.about) {
            let base = named.and(about);
            let idle = (action.acl_only && self.channel.acls_off)
                || (action.access == Access::ReadVersions && !self.channel.keeps_versions);
            if !base.meets(&self.allows) || idle {
                continue;
            }
            let profile: Vec<Carries> =
                action.carries.iter().filter(|group| self.tells(**group)).copied().collect();
            // To the rules, many actions are one.
            let question = (action.access, action.object, base, profile.clone());
            if asked.contains(&question) {
                continue;
            }
            asked.push(question);
            let dimensions =
                prepared.entry(profile).or_insert_with(|| self.dimensions(asker, action, resolve));
            let scene = Scene { judge: self, requester: asker, action, dimensions };
            if action.object {
                self.ask_for_keys(&scene, &base, view, space, reached);
                continue;
            }
            let start = self.start(&base, Some(&view.own_certain), Some(&view.own_possible));
            if action.access == Access::List {
                scene.list(&start, resolve, reached);
            } else if !reached.is_settled(asker.audience, action.access, WHOLE) {
                for answer in scene.answers(&start) {
                    reached.region(action.access, WHOLE, answer.evidence(&scene, &start, None));
                }
            }
        }
    }

    fn ask_for_keys(
        &self,
        scene: &Scene<'_, '_>,
        base: &Bits,
        view: &View,
        space: &Keyspace,
        reached: &mut Reached,
    ) {
        let allows = base.and(&self.allows);
        let mut regions: Vec<usize> =
            allows.iter().filter_map(|rule| view.about.get(rule)).flatten().copied().collect();
        regions.sort_unstable();
        regions.dedup();
        for at in regions {
            if reached.is_settled(scene.requester.audience, scene.action.access, at) {
                continue;
            }
            let start = self.start(base, view.certain.get(at), view.possible.get(at));
            let key = space.regions.get(at).map(|region| region.witness.as_str());
            for answer in scene.answers(&start) {
                reached.region(scene.action.access, at, answer.evidence(scene, &start, key));
            }
        }
    }

    /// What tells a requester apart from others of the same audience.
    fn signature(&self, asker: &Requester, named: &Bits, resolve: Resolve<'_>) -> Signature {
        let dimensions =
            ACTIONS.first().map(|action| self.dimensions(asker, action, resolve)).unwrap_or_default();
        Signature {
            audience: asker.audience,
            certain: asker.doubt.is_none(),
            named: *named,
            pinned: asker.pins.len(),
            dimensions,
        }
    }

    /// Whether some rule asks for a key of this group.
    fn tells(&self, group: Carries) -> bool {
        self.asked.keys().any(|key| actions::group(key) == Some(group))
    }

    fn dimensions(&self, asker: &Requester, action: &Action, resolve: Resolve<'_>) -> Vec<Rc<Dimension>> {
        let keep = self.reads_alike();
        let dimension = |(key, asked): (&&'a str, &Vec<Asked<'a>>)| {
            let domain = domain(key, asker, action, &self.channel.place);
            let circumstance = is_circumstance(&domain, &asker.caller, key);
            let mut known = self.known.borrow_mut();
            let known = known.entry(key).or_default();
            let same =
                |(own, other, _): &&(Domain, bool, _)| keep && *own == domain && *other == circumstance;
            if let Some((_, _, dimension)) = known.iter().find(same) {
                return Rc::clone(dimension);
            }
            let inquiry = Inquiry { key, asked, rules: self.rules, resolve, circumstance };
            let dimension = Rc::new(inquiry.dimension(&domain));
            if keep {
                known.push((domain, circumstance, Rc::clone(&dimension)));
            }
            dimension
        };
        self.asked.iter().map(dimension).collect()
    }

    /// The rules in play before any condition is looked at.
    fn start(&self, base: &Bits, certain: Option<&Bits>, possible: Option<&Bits>) -> Start {
        let (certain, possible) =
            (certain.copied().unwrap_or_default(), possible.copied().unwrap_or_default());
        let allows = base.and(&self.allows);
        let denies = base.and(&self.denies);
        Start {
            possible: allows.and(&possible).or(&denies.and(&certain).without(&self.doubtful)),
            proven: allows.and(&certain).without(&self.doubtful).or(&denies.and(&possible)),
        }
    }
}

/// Block public access lets services through. We take it to mean those that the policy names: a star that happens to
/// cover every service is what it is there to stop.
pub(super) fn passes_gates(asker: &Requester) -> bool {
    matches!(&asker.caller, Caller::Service { name, .. } if name != ANY_SERVICE)
}
