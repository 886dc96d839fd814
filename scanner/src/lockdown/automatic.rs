//! What may be locked without a person, and why is everything else left to one?

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::exposure::pattern::matches;
use crate::findings::Severity;

use super::BucketPlan;

/// What a configuration file lets happen without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automatic {
    /// Only what is at least so severe.
    pub min_severity: Severity,
    /// Only where findings of one of these classes stand; any, where none is named.
    pub categories: BTreeSet<String>,
    /// Patterns of account and project ids.
    pub accounts: BTreeSet<String>,
    /// Patterns of the names of buckets.
    pub buckets: BTreeSet<String>,
    /// What is more than this in one run is left to a person.
    pub buckets_per_run_max: u32,
}

/// A bucket that could be locked, with what was found in it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What would be done.
    pub plan: BucketPlan,
    /// The findings of proven exposures: class and severity.
    pub found: Vec<(String, Severity)>,
    /// Whether somebody has accepted a finding of it.
    pub suppressed: bool,
}

impl Candidate {
    fn severity(&self, categories: &BTreeSet<String>) -> Option<Severity> {
        let meant = |class: &String| categories.is_empty() || categories.contains(class);
        self.found.iter().filter(|(class, _)| meant(class)).map(|(_, severity)| *severity).max()
    }
}

impl Automatic {
    /// What is locked, the worst first, and what is left with the reason. Nothing that could break anything is locked.
    pub fn choose(&self, mut candidates: Vec<Candidate>) -> (Vec<BucketPlan>, Vec<(BucketPlan, String)>) {
        candidates.sort_by_key(|one| {
            (Reverse(one.severity(&self.categories)), one.plan.account.clone(), one.plan.bucket.clone())
        });
        let (mut chosen, mut left) = (Vec::new(), Vec::new());
        for candidate in candidates {
            let full = chosen.len() >= usize::try_from(self.buckets_per_run_max).unwrap_or(usize::MAX);
            let too_many =
                || full.then(|| format!("{} buckets in one run are the most", self.buckets_per_run_max));
            match self.why_not(&candidate).or_else(too_many) {
                Some(why) => left.push((candidate.plan, why)),
                None => chosen.push(candidate.plan),
            }
        }
        (chosen, left)
    }

    fn why_not(&self, candidate: &Candidate) -> Option<String> {
        let plan = &candidate.plan;
        let named =
            |patterns: &BTreeSet<String>, name: &str| patterns.iter().any(|pattern| matches(pattern, name));
        if let Some(why) = &plan.refused {
            return Some(why.clone());
        }
        if let Some(hazard) = plan.hazards.first() {
            return Some(format!("a person has to accept `{}`: {}", hazard.kind.as_str(), hazard.detail));
        }
        if !named(&self.accounts, &plan.account) {
            return Some("no pattern of `accounts` names its account".to_owned());
        }
        if !named(&self.buckets, &plan.bucket) {
            return Some("no pattern of `buckets` names it".to_owned());
        }
        if candidate.suppressed {
            return Some("somebody has accepted a finding of it".to_owned());
        }
        match candidate.severity(&self.categories) {
            None => Some("nothing of `categories` was found in it where it is open".to_owned()),
            Some(severity) if severity < self.min_severity => {
                Some(format!("it is `{}`, less than `{}`", severity.as_str(), self.min_severity.as_str()))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::Provider;
    use crate::lockdown::{Hazard, HazardKind};

    fn candidate(bucket: &str, class: &str, severity: Severity) -> Candidate {
        let plan = BucketPlan {
            provider: Provider::Aws,
            account: "111122223333".to_owned(),
            bucket: bucket.to_owned(),
            region: None,
            state_sha256: String::new(),
            closes: Vec::new(),
            changes: Vec::new(),
            hazards: Vec::new(),
            leaves: Vec::new(),
            refused: None,
            commands: Vec::new(),
            used_by: None,
            opened: None,
        };
        Candidate { plan, found: vec![(class.to_owned(), severity)], suppressed: false }
    }

    fn policy() -> Automatic {
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Automatic {
            min_severity: Severity::High,
            categories: set(&["employee_pii", "credential"]),
            accounts: set(&["1111*"]),
            buckets: set(&["sandbox-*"]),
            buckets_per_run_max: 2,
        }
    }

    fn chosen(candidates: Vec<Candidate>) -> Vec<String> {
        policy().choose(candidates).0.into_iter().map(|plan| plan.bucket).collect()
    }

    #[test]
    fn the_worst_come_first_and_the_rest_is_left() {
        let names = chosen(vec![
            candidate("sandbox-a", "employee_pii", Severity::High),
            candidate("sandbox-b", "credential", Severity::Critical),
            candidate("sandbox-c", "employee_pii", Severity::Critical),
        ]);
        assert_eq!(names, ["sandbox-b", "sandbox-c"]);
    }

    #[test]
    fn whatever_the_policy_does_not_name_is_left_to_a_person() {
        let pii = || candidate("sandbox-a", "employee_pii", Severity::Critical);
        assert_eq!(chosen(vec![pii()]).len(), 1);
        let mut website = pii();
        website.plan.hazards.push(Hazard { kind: HazardKind::Website, detail: String::new() });
        let mut unproved = pii();
        unproved.plan.refused = Some("a way in stays".to_owned());
        let mut accepted = pii();
        accepted.suppressed = true;
        let mut elsewhere = pii();
        elsewhere.plan.account = "444455556666".to_owned();
        let others = vec![
            website,
            unproved,
            accepted,
            elsewhere,
            candidate("production", "employee_pii", Severity::Critical),
            candidate("sandbox-a", "roadmap", Severity::Critical),
            candidate("sandbox-a", "employee_pii", Severity::Medium),
        ];
        let (locked, left) = policy().choose(others.clone());
        assert_eq!((locked.len(), left.len()), (0, others.len()), "{left:#?}");
    }
}
