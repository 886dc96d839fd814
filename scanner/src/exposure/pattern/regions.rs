//! Which combinations of patterns can one string match?

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use super::{Class, Pattern, Token};

/// The strings that match the same patterns, by their shortest member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The shortest of the strings.
    pub witness: String,
    /// The patterns that they match, by index.
    pub matched: BTreeSet<usize>,
}

/// There are more combinations than we are ready to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capped;

/// How much work [`regions`] may do, in places visited.
pub const WORK_MAX: usize = 400_000;

/// Splits the strings of `template` into regions: for every combination of `patterns` that one string can match, the
/// shortest such string.
///
/// This is the subset construction of all patterns at once, breadth first. It is exact; the number of states can be
/// exponential in the number of stars, so it stops after `work_max` places visited.
pub fn regions(template: &Pattern, patterns: &[Pattern], work_max: usize) -> Result<Vec<Region>, Capped> {
    Joint::new(template, patterns).explore(work_max)
}

/// Which patterns stand at which places, the template first.
type State = Rc<[(u32, u32)]>;

struct Joint<'a> {
    patterns: Vec<&'a Pattern>,
}

impl<'a> Joint<'a> {
    fn new(template: &'a Pattern, patterns: &'a [Pattern]) -> Self {
        Self { patterns: std::iter::once(template).chain(patterns).collect() }
    }

    fn explore(&self, work_max: usize) -> Result<Vec<Region>, Capped> {
        let mut seen: HashMap<State, usize> = HashMap::new();
        let mut order: Vec<(State, Option<(usize, char)>)> = Vec::new();
        let mut found: HashMap<BTreeSet<usize>, usize> = HashMap::new();
        let mut work = 0;
        let mut queue = VecDeque::new();
        let start = self.start();
        seen.insert(Rc::clone(&start), 0);
        order.push((start, None));
        queue.push_back(0);
        while let Some(at) = queue.pop_front() {
            let Some(state) = order.get(at).map(|(state, _)| Rc::clone(state)) else { break };
            work += state.len() + 1;
            if work > work_max {
                return Err(Capped);
            }
            if let Some(matched) = self.matched(&state) {
                found.entry(matched).or_insert(at);
            }
            for c in self.alphabet(&state) {
                let Some(next) = self.step(&state, c) else { continue };
                work += next.len();
                if !seen.contains_key(&next) {
                    let index = order.len();
                    seen.insert(Rc::clone(&next), index);
                    order.push((next, Some((at, c))));
                    queue.push_back(index);
                }
            }
        }
        let mut regions: Vec<(usize, Region)> = found
            .into_iter()
            .map(|(matched, at)| (at, Region { witness: spell(&order, at), matched }))
            .collect();
        regions.sort_by_key(|(at, _)| *at);
        Ok(regions.into_iter().map(|(_, region)| region).collect())
    }

    fn start(&self) -> State {
        let mut state = Vec::new();
        for index in 0..self.patterns.len() {
            self.settle(index, 0, &mut state);
        }
        state.into()
    }

    /// The patterns that end here, if the template does.
    fn matched(&self, state: &State) -> Option<BTreeSet<usize>> {
        let ended = |&&(index, place): &&(u32, u32)| {
            self.patterns.get(index as usize).is_some_and(|pattern| pattern.tokens.len() == place as usize)
        };
        let ends: Vec<usize> = state.iter().filter(ended).map(|(index, _)| *index as usize).collect();
        let (first, rest) = ends.split_first()?;
        (*first == 0).then(|| rest.iter().map(|index| index - 1).collect())
    }

    /// Enough characters to take every way out of a state: those it names, and one stranger of each kind.
    fn alphabet(&self, state: &State) -> Vec<char> {
        let mut named = BTreeSet::new();
        let mut classes = BTreeSet::new();
        for &(index, place) in state.iter() {
            let Some(pattern) = self.patterns.get(index as usize) else { continue };
            match pattern.tokens.get(place as usize) {
                Some(Token::Char(c)) if pattern.ignore_case => {
                    named.insert(c.to_ascii_lowercase());
                    named.insert(c.to_ascii_uppercase());
                }
                Some(Token::Char(c)) => {
                    named.insert(*c);
                }
                Some(Token::One(class) | Token::Many(class)) => {
                    classes.insert(*class);
                }
                None => {}
            }
        }
        let kinds: &[&str] =
            if classes.iter().any(|class| *class != Class::Any) { &KINDS } else { &[ANY_KIND] };
        let mut letters: Vec<char> =
            kinds.iter().filter_map(|kind| kind.chars().find(|c| !named.contains(c))).collect();
        if letters.len() < kinds.len() {
            // Every pleasant character is spoken for: take any other.
            letters.extend(('\u{a1}'..).find(|c| !named.contains(c)));
        }
        letters.extend(named);
        letters
    }

    fn step(&self, state: &State, c: char) -> Option<State> {
        let mut next = Vec::with_capacity(state.len());
        for &(index, place) in state.iter() {
            let Some(pattern) = self.patterns.get(index as usize) else { continue };
            match pattern.tokens.get(place as usize) {
                Some(Token::Many(class)) if class.contains(c) => {
                    self.settle(index as usize, place, &mut next)
                }
                Some(token) if pattern.takes(*token, c) => self.settle(index as usize, place + 1, &mut next),
                _ => {}
            }
        }
        next.sort_unstable();
        next.dedup();
        // Once the template cannot match any more, nothing behind it counts.
        next.first().is_some_and(|(index, _)| *index == 0).then(|| next.into())
    }

    fn settle(&self, index: usize, place: u32, state: &mut Vec<(u32, u32)>) {
        let Some(pattern) = self.patterns.get(index) else { return };
        let mut place = place;
        loop {
            state.push((index as u32, place));
            if !matches!(pattern.tokens.get(place as usize), Some(Token::Many(_))) {
                return;
            }
            place += 1;
        }
    }
}

/// Characters that differ in which classes hold them, pleasant ones first.
const KINDS: [&str; 6] = [
    "xyzabcdefghijklmnopqrstuvw",
    "0123456789",
    "XYZABCDEFGHIJKLMNOPQRSTUVW",
    "_-.+=,@",
    ":",
    "/~!#%&()[]{}<>|^;' \"\\",
];
const ANY_KIND: &str =
    "xyzabcdefghijklmnopqrstuvw0123456789XYZABCDEFGHIJKLMNOPQRSTUVW_-.+=,@/:~!#%&()[]{}<>|^;' \"\\";

fn spell(order: &[(State, Option<(usize, char)>)], at: usize) -> String {
    let mut text = Vec::new();
    let mut at = at;
    while let Some((_, Some((before, c)))) = order.get(at) {
        text.push(*c);
        at = *before;
    }
    text.iter().rev().collect()
}
