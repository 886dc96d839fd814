//! Does the whole way of an object hold what it promises?

use proptest::prelude::*;

use super::*;

const STAFF: &str = "Name,Work Email,Title,Department,Salary\n\
    \"Vek, Ada\",ada.vek@acme.example,Engineer,R&D,81000\n\
    \"Orrin, Bo\",bo.orrin@acme.example,Buyer,Ops,52000\n\
    \"Tesk, Cy\",cy.tesk@acme.example,Clerk,Ops,41000\n";

fn classify(bytes: &[u8]) -> Classification {
    Classifier::new(Limits::default(), [7; 32]).classify(Hints::default(), bytes)
}

#[test]
fn a_directory_counts_its_people_and_shows_none() {
    let found = classify(STAFF.as_bytes());
    let [directory] = found.detections.as_slice() else { panic!("{found:?}") };
    assert_eq!(directory.category, Category::EmployeePii);
    assert_eq!(directory.distinct.estimate(), 3);
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains("vek") && !text.contains("acme"), "{text}");
}

#[test]
fn a_customer_list_without_attributes_is_no_directory() {
    let list = "customer,email,order\nx,a@b.example,1\ny,c@d.example,2\nz,e@f.example,3\n";
    assert!(classify(list.as_bytes()).detections.is_empty());
}

#[test]
fn a_private_key_is_key_material_and_a_public_one_is_not() {
    let pem = |kind: &str| format!("-----BEGIN {kind} KEY-----\nMIIB\n-----END {kind} KEY-----\n");
    let found = classify(pem("EC PRIVATE").as_bytes());
    assert!(found.detections.iter().any(Detection::holds_key_material), "{found:?}");
    assert!(classify(pem("PUBLIC").as_bytes()).detections.is_empty());
}

#[test]
fn an_object_shorter_than_stated_is_a_gap() {
    let classifier = Classifier::new(Limits::default(), [7; 32]);
    let found = classifier.classify(Hints { size_bytes: Some(10), ..Hints::default() }, b"short");
    assert_eq!(found.gaps.first().map(|gap| gap.reason), Some(GapReason::Truncated));
}

proptest! {
    #[test]
    fn chunking_changes_nothing(cut in 0..STAFF.len(), noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = STAFF.as_bytes().to_vec();
        bytes.extend(noise);
        let classifier = Classifier::new(Limits::default(), [7; 32]);
        let mut session = classifier.begin(Hints::default());
        let (left, right) = bytes.split_at(cut);
        session.push(left);
        session.push(right);
        let whole = classifier.classify(Hints::default(), &bytes);
        prop_assert_eq!(serde_json::to_string(&session.finish()).unwrap(), serde_json::to_string(&whole).unwrap());
    }
}
