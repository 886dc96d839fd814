//! Can this requester send this action, and what must the request carry?

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::exposure::bits::Bits;
use crate::exposure::{Audience, Certainty};

use super::actions::Action;
use super::dimension::Dimension;
use super::judge::{Evidence, Gate, Judge, passes_gates};
use super::requesters::{Network, Requester};
use super::search::{Found, Goal, Mode, search};

/// More IPv4 addresses than a /8 holds are the internet, and more IPv6 addresses than a /32: S3 User Guide, "Blocking
/// public access", "The meaning of public".
const WIDE_V4: u128 = 1 << 24;
const WIDE_V6: u128 = 1 << 96;

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
    pub(super) requester: &'a Rc<Requester>,
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
}

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
            requester: Rc::clone(scene.requester),
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
