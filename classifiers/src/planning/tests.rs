use proptest::prelude::*;

use super::*;

const ROADMAP: &str = "# Payments platform roadmap 2027\n\nThis is where we are going over the next four quarters, and in what \
order. Dates are targets and will move.\n\n## Q1 2027: foundations\n\n- [ ] Migrate the ledger to the new storage engine\n\
- [ ] Launch the private beta of instant payouts with three partners\n- [ ] Hire two engineers for the risk team\n\n\
## Q2 2027: growth\n\n- [ ] General availability of instant payouts\n- [ ] Begin work on the merchant dashboard, planned for \
the third quarter\n\n| Initiative | Owner | Status | Target |\n| --- | --- | --- | --- |\n| Instant payouts | Payments | In \
progress | Q2 |\n| Merchant dashboard | Web | Planned | Q3 |\n\n## Later\n\nWe plan to explore lending once the milestones \
above are reached. Our long term goal is to support every currency that our customers ask for.\n";

const POLICY: &str = "# Information security policy\n\n## Purpose\n\nThis policy defines how employees must handle company \
information.\n\n## Scope\n\nThis policy applies to all employees, contractors and third parties with access to company \
systems.\n\n## Policy\n\nAll employees must use multi-factor authentication. Passwords must not be shared. Confidential data \
shall be encrypted at rest and in transit. Access must be approved by the data owner and reviewed every year. Personal \
devices are prohibited from accessing production systems.\n\n## Exceptions\n\nAny exception to this policy must be approved \
by the security team in advance.\n\n## Enforcement\n\nAny employee found to have violated this policy may be subject to \
disciplinary action, up to and including termination of employment.\n";

const CHANGELOG: &str = "# Changelog\n\n## 2.4.1\n\n- Fixed a crash when the configuration file was empty (#1021)\n- Removed \
the deprecated `--fast` flag\n- Updated dependencies\n\n## 2.4.0\n\n- Added support for reading from standard input (#998)\n\
- Improved error messages of the parser, thanks to everyone who reported them\n- Fixed a memory leak in the watcher (#1003)\n\
\n## 2.3.9\n\n- Fixed the build on older compilers\n- Changed the default of the cache size\n- Added tests for the previous \
release and removed dead code\n";

fn read(text: &str) -> Reading {
    let mut planning = Planning::new();
    planning.push(text);
    planning.finish()
}

fn categories(text: &str) -> Vec<Category> {
    read(text).judgements.into_iter().map(|judgement| judgement.category).collect()
}

#[test]
fn plans_and_policies_are_told_from_each_other_and_from_the_past() {
    assert_eq!(categories(ROADMAP), [Category::Roadmap]);
    assert_eq!(categories(POLICY), [Category::InternalPolicy]);
    assert_eq!(categories(CHANGELOG), []);
}

#[test]
fn reasons_are_common_words_only() {
    let secret = ROADMAP.replace("Instant payouts", "Zanzibarite").replace("instant payouts", "zanzibarite");
    let reading = read(&secret);
    let because = &reading.judgements.first().expect("a roadmap").because;
    assert!(!because.is_empty());
    assert!(!because.concat().contains("zanzibarite"));
}

#[test]
fn data_and_code_are_no_prose() {
    let csv = "id,name,amount,date\n".to_owned() + &"17,Example Shop,1200.55,2026-01-02\n".repeat(400);
    let log = "2026-01-02T03:04:05Z INFO request id=77 path=/v1/items status=200 bytes=5123\n".repeat(200);
    let json = "{\"roadmap\": \"q3\", \"milestone\": 7, \"ids\": [1, 2, 3]}\n".repeat(200);
    let code = "fn main() { let x = vec![1, 2]; println!(\"{}\", x.len()); }\n".repeat(200);
    for text in [csv, log, json, code] {
        let mut planning = Planning::new();
        assert!(!planning.push(&text), "{}", text.get(..20).unwrap_or_default());
        assert_eq!(planning.finish(), Reading::default());
    }
}

#[test]
fn other_languages_are_said_to_be_unknown() {
    let text = "# Дорожная карта\n\n".to_owned()
        + &"Мы планируем выпустить новую версию в следующем квартале и добавить поддержку платежей. "
            .repeat(12);
    let reading = read(&text);
    assert!(reading.reserve.is_some());
    assert!(reading.judgements.iter().all(|judgement| judgement.confidence < 0.5));
}

#[test]
fn the_embedded_model_is_whole() {
    let weights = Weights::decode(include_bytes!("weights.bin")).expect("weights");
    assert_eq!(weights.classes.len(), CLASSES.len());
    assert!(weights.features.len() > 10_000);
    assert!(weights.features.is_sorted());
    assert_eq!(weights.encode(), include_bytes!("weights.bin"));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,400}") {
        read(&text.repeat(12));
    }

    #[test]
    fn cutting_the_text_changes_nothing(cut in 0..ROADMAP.len()) {
        let mut planning = Planning::new();
        planning.push(&ROADMAP[..cut]);
        planning.push(&ROADMAP[cut..]);
        prop_assert_eq!(planning.finish(), read(ROADMAP));
    }
}
