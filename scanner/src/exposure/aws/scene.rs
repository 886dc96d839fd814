//! Can this requester send this action, and what must the request carry?

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::exposure::bits::Bits;
use crate::exposure::pattern::Pattern;
use crate::exposure::policy::Test;
use crate::exposure::policy::condition::resolved;
use crate::exposure::{Audience, Certainty};

use super::actions::Action;
use super::dimension::{Dimension, Inquiry};
use super::judge::{Evidence, Gate, Judge, passes_gates};
use super::keys::Domain;
use super::reached::Reached;
use super::requesters::{Network, Requester};
use super::resources::Resolve;
use super::search::{Found, Goal, Mode, search};

/// More IPv4 addresses than a /8 holds are the internet, and more IPv6 addresses than a /32: S3 User Guide, "Blocking
/// public access", "The meaning of public".
const WIDE_V4: u128 = 1 << 24;
const WIDE_V6: u128 = 1 << 96;

const PREFIX: &str = "s3:prefix";

/// The rules in play before any condition is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Giving every doubt to exposure.
    pub(super) possible: Bits,
    /// Giving no doubt to exposure.
    pub(super) proven: Bits,
}

/// One requester and one action, prepared.
pub(super) struct Scene<'a, 'rules> {
    pub(super) judge: &'a Judge<'rules>,
    pub(super) requester: &'a Requester,
    pub(super) action: &'static Action,
    pub(super) dimensions: &'a [Rc<Dimension>],
}

/// A yes.
pub(super) struct Answer {
    audience: Audience,
    certainty: Certainty,
    /// The dimensions and assignments chosen.
    chosen: Vec<(usize, usize)>,
    left: Bits,
    capped: bool,
}

impl Scene<'_, '_> {
    /// Every way in: at most one that is proven, and one that is possible for more people.
    pub(super) fn answers(&self, start: &Start) -> Vec<Answer> {
        let mut answers = Vec::new();
        let doubtful = self.requester.doubt.is_some() || self.gate_doubt().is_some();
        if !doubtful {
            answers.extend(self.answer(Mode::Proven, start.proven));
        }
        let settled = answers.first().is_some_and(|answer| answer.audience == self.requester.audience);
        if !settled {
            let possible = self.answer(Mode::Possible, start.possible);
            let known = answers.first().map(|answer| answer.audience);
            answers.extend(possible.filter(|answer| Some(answer.audience) != known));
        }
        answers
    }

    fn gate_doubt(&self) -> Option<&str> {
        match &self.judge.channel.gate {
            Gate::Unseen(doubt) if !passes_gates(self.requester) => Some(doubt),
            _ => None,
        }
    }

    fn answer(&self, mode: Mode, left: Bits) -> Option<Answer> {
        let allows =
            self.judge.channel.must_allow.iter().map(|layer| layer.and(&self.judge.allows)).collect();
        let goal = Goal { allows, denies: self.judge.denies };
        let everybody = matches!(self.requester.audience, Audience::Anyone | Audience::AnyAuthenticated)
            && matches!(self.requester.network, Network::Internet(_));
        let by_address =
            |dimension: &Rc<Dimension>| dimension.key == "aws:sourceip" && dimension.asked_by.meets(&left);
        let Some(at) = self.dimensions.iter().position(by_address).filter(|_| everybody) else {
            return self.find(None, &goal, mode, left);
        };
        self.by_address(at, &goal, mode, left)
    }

    /// Adds up the addresses from which the goal can be reached: a few of them are not everybody.
    fn by_address(&self, at: usize, goal: &Goal, mode: Mode, left: Bits) -> Option<Answer> {
        let mut best: Option<(u128, Answer)> = None;
        let (mut v4, mut v6, mut unnamed) = (0_u128, 0_u128, false);
        for (index, assignment) in self.dimensions.get(at)?.assignments.iter().enumerate() {
            let out = match mode {
                Mode::Proven => &assignment.out_if_proven,
                Mode::Possible => &assignment.out_if_possible,
            };
            let Some(mut answer) = self.find(Some(at), goal, mode, left.without(out)) else { continue };
            answer.chosen.push((at, index));
            v4 = v4.saturating_add(assignment.v4);
            v6 = v6.saturating_add(assignment.v6);
            unnamed |= assignment.values.is_none();
            if best.as_ref().is_none_or(|(size, _)| *size < assignment.v4) {
                best = Some((assignment.v4, answer));
            }
        }
        let wide = v4 > WIDE_V4 || v6 > WIDE_V6 || unnamed;
        best.map(|(_, answer)| {
            let audience = if wide { answer.audience } else { Audience::External };
            Answer { audience, ..answer }
        })
    }

    fn find(&self, settled: Option<usize>, goal: &Goal, mode: Mode, left: Bits) -> Option<Answer> {
        let counts = |(at, dimension): &(usize, &Rc<Dimension>)| {
            Some(*at) != settled && dimension.asked_by.meets(&left)
        };
        let (numbers, plain): (Vec<usize>, Vec<&Dimension>) = self
            .dimensions
            .iter()
            .enumerate()
            .filter(counts)
            .map(|(at, dimension)| (at, dimension.as_ref()))
            .unzip();
        let certainty = if mode == Mode::Proven { Certainty::Proven } else { Certainty::Possible };
        let audience = self.requester.audience;
        match search(&plain, goal, mode, left) {
            Found::Yes { values, left } => {
                let number = |(at, assignment): (usize, usize)| numbers.get(at).map(|at| (*at, assignment));
                let chosen = values.into_iter().filter_map(number).collect();
                Some(Answer { audience, certainty, chosen, left, capped: false })
            }
            Found::Capped if mode == Mode::Possible => {
                Some(Answer { audience, certainty, chosen: Vec::new(), left, capped: true })
            }
            Found::Capped | Found::No => None,
        }
    }

    /// Who can list, and below which prefixes: a listing with a prefix shows all keys that start with it.
    pub(super) fn list(&self, start: &Start, resolve: Resolve<'_>, reached: &mut Reached) {
        let at = self.dimensions.iter().position(|dimension| dimension.key == PREFIX);
        let asked = at.and_then(|at| self.dimensions.get(at)).filter(|dimension| {
            dimension.asked_by.meets(&start.possible.or(&start.proven)) && self.action.name != MULTIPART
        });
        let Some((at, asked)) = at.zip(asked) else {
            for answer in self.answers(start) {
                reached.listing("*".to_owned(), answer.evidence(self, start, None));
            }
            return;
        };
        for (value, keys, exact) in self.prefixes(asked, resolve) {
            if reached.is_listed(self.requester.audience, &keys) {
                continue;
            }
            let mut dimensions = self.dimensions.to_vec();
            if let (Some(dimension), Some(conditions)) =
                (dimensions.get_mut(at), self.judge.asked.get(PREFIX))
            {
                let rules = self.judge.rules;
                let inquiry = Inquiry { key: PREFIX, asked: conditions, rules, resolve, circumstance: false };
                *dimension = Rc::new(
                    inquiry.dimension(&value.map_or(Domain::Unknown, |value| Domain::OneOf(vec![value]))),
                );
            }
            let scene = Scene { dimensions: &dimensions, ..*self };
            for answer in scene.answers(start) {
                let mut evidence = answer.evidence(&scene, start, None);
                if !exact && evidence.certainty == Certainty::Proven {
                    evidence.certainty = Certainty::Possible;
                    evidence
                        .doubts
                        .push("the keys that can be listed are fewer than can be written here".to_owned());
                }
                reached.listing(keys.clone(), evidence);
            }
        }
    }

    /// Prefixes to list with, and the keys that such a listing shows; whether these are exactly those.
    fn prefixes(&self, asked: &Dimension, resolve: Resolve<'_>) -> Vec<(Option<Vec<String>>, String, bool)> {
        let all = || "*".to_owned();
        let mut prefixes = vec![(Some(Vec::new()), all(), true), (Some(vec![String::new()]), all(), true)];
        let mut patterns: Vec<Pattern> = Vec::new();
        for (_, condition) in self.judge.asked.get(PREFIX).into_iter().flatten() {
            if let Test::Text { texts, .. } = &condition.test {
                patterns.extend(
                    texts.iter().filter_map(|text| resolved(text, resolve).ok()).map(|(text, _)| text),
                );
            }
        }
        for pattern in &patterns {
            let head = pattern.head();
            prefixes.push((Some(vec![head.clone()]), format!("{head}*"), true));
        }
        for assignment in &asked.assignments {
            let text = assignment.values.as_ref().and_then(|values| values.first());
            let keys = match text.and_then(|text| patterns.iter().find(|pattern| pattern.matches(text))) {
                Some(pattern) => format!("{}*", pattern.text().trim_end_matches('*')),
                None => all(),
            };
            prefixes.push((assignment.values.clone(), keys, false));
        }
        prefixes
    }
}

const MULTIPART: &str = "s3:ListBucketMultipartUploads";

impl Answer {
    /// The request behind the answer.
    pub(super) fn evidence(&self, scene: &Scene<'_, '_>, start: &Start, key: Option<&str>) -> Evidence {
        let judge = scene.judge;
        let mut values = BTreeMap::new();
        for (dimension, assignment) in self.chosen(scene) {
            if let Some(own) = assignment.values.as_ref().filter(|own| !own.is_empty()) {
                values.insert(dimension.key.clone(), own.clone());
            }
        }
        values.extend(scene.requester.pins.iter().map(|(key, value)| (key.clone(), vec![value.clone()])));
        Evidence {
            requester: scene.requester.clone(),
            action: scene.action.name,
            key: key.map(str::to_owned),
            values,
            certainty: self.certainty,
            audience: self.audience,
            rules: self.left.and(&judge.allows).iter().collect(),
            doubts: if self.certainty == Certainty::Proven { Vec::new() } else { self.doubts(scene, start) },
        }
    }

    fn chosen<'a>(
        &'a self,
        scene: &'a Scene<'_, '_>,
    ) -> impl Iterator<Item = (&'a Dimension, &'a super::dimension::Assignment)> {
        self.chosen.iter().filter_map(|(at, assignment)| {
            let dimension = scene.dimensions.get(*at)?;
            Some((dimension.as_ref(), dimension.assignments.get(*assignment)?))
        })
    }

    /// What keeps a possible answer from being proven.
    fn doubts(&self, scene: &Scene<'_, '_>, start: &Start) -> Vec<String> {
        let judge = scene.judge;
        let mut doubts: Vec<String> = scene.requester.doubt.iter().cloned().collect();
        doubts.extend(scene.gate_doubt().map(str::to_owned));
        if self.capped {
            doubts.push("there are more combinations of conditions than we look at".to_owned());
        }
        let name = |rule: usize| judge.rules.get(rule).map(|rule| rule.name()).unwrap_or_default();
        let unseen_denies = start.proven.and(&judge.denies).without(&start.possible);
        for rule in self.left.and(&judge.allows).or(&unseen_denies).iter() {
            if let Some(doubt) = judge.rules.get(rule).and_then(|rule| rule.doubt.as_ref()) {
                doubts.push(doubt.clone());
            } else if !start.proven.contains(rule) || unseen_denies.contains(rule) {
                doubts.push(format!("which keys the {} is about depends on the caller", name(rule)));
            }
        }
        for (dimension, assignment) in self.chosen(scene) {
            let untold_allows = self.left.and(&judge.allows).and(&assignment.out_if_proven);
            let untold_denies = start.possible.and(&judge.denies).and(&assignment.out_if_possible);
            let untold_denies = untold_denies.without(&assignment.out_if_proven);
            for rule in untold_allows.or(&untold_denies).iter() {
                let key = &dimension.key;
                doubts.push(if dimension.circumstance {
                    format!("the {} depends on `{key}`, which the caller does not choose", name(rule))
                } else {
                    format!("what `{key}` holds in the {} cannot be told", name(rule))
                });
            }
        }
        doubts.dedup();
        doubts
    }
}
