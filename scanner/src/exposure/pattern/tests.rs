use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn small_pattern() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[ab*?]{0,6}").expect("a valid expression")
}

/// The textbook definition, by recursion.
fn matches_by_definition(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some(('*', rest)), _) => {
            matches_by_definition(rest, text)
                || text.split_first().is_some_and(|(_, text)| matches_by_definition(pattern, text))
        }
        (Some(('?', rest)), Some((_, text))) => matches_by_definition(rest, text),
        (Some((own, rest)), Some((c, text))) => own == c && matches_by_definition(rest, text),
        (Some(_), None) => false,
    }
}

proptest! {
    #[test]
    fn a_wildcard_matches_as_defined(pattern in small_pattern(), text in "[abc]{0,7}") {
        let by_definition = matches_by_definition(
            &pattern.chars().collect::<Vec<_>>(),
            &text.chars().collect::<Vec<_>>(),
        );
        prop_assert_eq!(Pattern::wildcard(&pattern).matches(&text), by_definition);
        prop_assert_eq!(super::matches(&pattern, &text), by_definition);
    }

    #[test]
    fn what_follows_a_prefix_is_what_is_left_to_match(pattern in small_pattern(), start in "[abc]{0,3}", end in "[abc]{0,4}") {
        let pattern = Pattern::wildcard(&pattern);
        let rest = pattern.after(&start);
        prop_assert_eq!(rest.iter().any(|rest| rest.matches(&end)), pattern.matches(&format!("{start}{end}")));
    }

    #[test]
    fn every_string_falls_into_a_region(patterns in prop::collection::vec(small_pattern(), 1..5), text in "[abc]{1,6}") {
        let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::wildcard(text)).collect();
        let regions = regions(&Pattern::wildcard("?*"), &patterns, WORK_MAX).expect("few states");
        let matched: BTreeSet<usize> =
            patterns.iter().enumerate().filter(|(_, pattern)| pattern.matches(&text)).map(|(at, _)| at).collect();
        prop_assert!(regions.iter().any(|region| region.matched == matched));
        for region in &regions {
            for (at, pattern) in patterns.iter().enumerate() {
                prop_assert_eq!(pattern.matches(&region.witness), region.matched.contains(&at));
            }
        }
    }
}

#[test]
fn case_is_ignored_only_where_asked() {
    assert!(Pattern::wildcard("s3:put*").ignoring_case().matches("s3:PutObject"));
    assert!(!Pattern::wildcard("s3:put*").matches("s3:PutObject"));
}

#[test]
fn too_many_states_are_capped() {
    let patterns: Vec<Pattern> =
        (0..24).map(|at| Pattern::wildcard(&format!("*a{}b*", "?".repeat(at)))).collect();
    assert_eq!(regions(&Pattern::wildcard("*"), &patterns, 50_000), Err(Capped));
}

#[test]
fn a_template_limits_the_strings() {
    let account = Pattern::new(vec![Token::One(Class::Digit); 12]);
    let regions =
        regions(&account, &[Pattern::wildcard("1*"), Pattern::wildcard("x*")], WORK_MAX).expect("few");
    assert_eq!(regions.len(), 2, "with and without a leading one, never with an x: {regions:?}");
}
