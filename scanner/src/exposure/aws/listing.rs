//! Who can list, and below which prefixes? A listing with a prefix shows all keys that start with it.

use std::rc::Rc;

use crate::exposure::Certainty;
use crate::exposure::pattern::Pattern;
use crate::exposure::policy::Test;
use crate::exposure::policy::condition::resolved;

use super::dimension::{Dimension, Inquiry};
use super::judge::Judge;
use super::keys::Domain;
use super::reached::Reached;
use super::resources::Resolve;
use super::scene::{Scene, Start};

const KEY: &str = "s3:prefix";

/// The one way of listing that carries no prefix that a condition could ask for.
const UPLOADS: &str = "s3:ListBucketMultipartUploads";

/// A prefix to list with.
#[derive(Debug)]
pub(super) struct Prefix {
    /// The keys that the listing shows.
    keys: String,
    /// Whether it shows exactly those.
    exact: bool,
    /// The prefix as the only value that the key can hold.
    dimension: Rc<Dimension>,
}

impl Scene<'_, '_> {
    /// Keeps whatever can be listed.
    pub(super) fn list(&self, start: &Start, resolve: Resolve<'_>, reached: &mut Reached) {
        let in_play = start.possible.or(&start.proven);
        let asked = |(_, dimension): &(usize, &Rc<Dimension>)| {
            dimension.key == KEY && dimension.asked_by.meets(&in_play) && self.action.name != UPLOADS
        };
        let Some((at, asked)) = self.dimensions.iter().enumerate().find(asked) else {
            for answer in self.answers(start) {
                reached.listing("*".to_owned(), answer.evidence(self, start, None));
            }
            return;
        };
        let mut dimensions = self.dimensions.to_vec();
        for prefix in self.judge.prefixes(asked, resolve).iter() {
            if reached.is_listed(self.requester.audience, &prefix.keys) {
                continue;
            }
            if let Some(dimension) = dimensions.get_mut(at) {
                *dimension = Rc::clone(&prefix.dimension);
            }
            let scene = Scene { dimensions: &dimensions, ..*self };
            for answer in scene.answers(start) {
                let mut evidence = answer.evidence(&scene, start, None);
                if !prefix.exact && evidence.certainty == Certainty::Proven {
                    evidence.certainty = Certainty::Possible;
                    let doubt = "the keys that can be listed are fewer than can be written here";
                    evidence.doubts.push(doubt.to_owned());
                }
                reached.listing(prefix.keys.clone(), evidence);
            }
        }
    }
}

impl Judge<'_> {
    /// The prefixes to list with: none, the text before each pattern's first wildcard, and one for every other way in
    /// which the rules can take a prefix.
    fn prefixes(&self, asked: &Dimension, resolve: Resolve<'_>) -> Rc<Vec<Prefix>> {
        let keep = self.reads_alike();
        if let Some(known) = self.prefixes.borrow().as_ref().filter(|_| keep) {
            return Rc::clone(known);
        }
        let conditions = self.asked.get(KEY).map_or(&[][..], Vec::as_slice);
        let mut patterns: Vec<Pattern> = Vec::new();
        for (_, condition) in conditions {
            if let Test::Text { texts, .. } = &condition.test {
                let read = texts.iter().filter_map(|text| resolved(text, resolve).ok());
                patterns.extend(read.map(|(pattern, _)| pattern));
            }
        }
        let prefix = |value: Option<Vec<String>>, keys: String, exact| {
            let inquiry =
                Inquiry { key: KEY, asked: conditions, rules: self.rules, resolve, circumstance: false };
            let domain = value.map_or(Domain::Unknown, |value| Domain::OneOf(vec![value]));
            Prefix { keys, exact, dimension: Rc::new(inquiry.dimension(&domain)) }
        };
        let all = || "*".to_owned();
        let mut prefixes =
            vec![prefix(Some(Vec::new()), all(), true), prefix(Some(vec![String::new()]), all(), true)];
        for pattern in &patterns {
            let head = pattern.head();
            prefixes.push(prefix(Some(vec![head.clone()]), format!("{head}*"), true));
        }
        for assignment in &asked.assignments {
            let text = assignment.values.as_ref().and_then(|values| values.first());
            let keys = match text.and_then(|text| patterns.iter().find(|pattern| pattern.matches(text))) {
                Some(pattern) => format!("{}*", pattern.text().trim_end_matches('*')),
                None => all(),
            };
            prefixes.push(prefix(assignment.values.clone(), keys, false));
        }
        let prefixes = Rc::new(prefixes);
        if keep {
            *self.prefixes.borrow_mut() = Some(Rc::clone(&prefixes));
        }
        prefixes
    }
}
