//! Do the classifiers still get every generated object right, those that only look like something included?

use spillwatch_classifiers::{Category, Classifier, Hints};

#[path = "../benches/corpus.rs"]
#[allow(dead_code)]
mod corpus;
#[path = "../examples/accuracy/generated.rs"]
mod generated;

#[test]
fn every_generated_object_is_judged_right() {
    let classifier = Classifier::default();
    let mut mistakes = Vec::new();
    for case in generated::cases() {
        let found = classifier.classify(Hints { name: case.name, ..Hints::default() }, &case.bytes);
        for category in Category::ALL {
            let detection = found.detections.iter().find(|detection| detection.category == category);
            let is_found = detection.is_some_and(|detection| detection.confidence >= 0.5);
            if is_found != case.expected.contains(&category) {
                mistakes.push(format!(
                    "{} {}: {:?}",
                    case.name,
                    category.as_str(),
                    detection.map(|d| d.confidence)
                ));
            }
        }
    }
    assert_eq!(mistakes, Vec::<String>::new());
}

#[test]
fn what_lowers_a_confidence_is_said() {
    let classifier = Classifier::default();
    for name in ["orders.csv", "git-log.txt", "users-test-data.csv"] {
        let case = generated::cases().into_iter().find(|case| case.name == name).unwrap();
        let found = classifier.classify(Hints { name, ..Hints::default() }, &case.bytes);
        let detection =
            found.detections.iter().find(|detection| detection.category == Category::EmployeePii).unwrap();
        assert!(detection.confidence > 0.0 && detection.because.len() >= 2, "{name}: {detection:?}");
    }
}
