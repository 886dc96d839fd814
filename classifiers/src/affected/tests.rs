use super::*;

fn search(name: &str, bytes: &[u8]) -> (Classification, People) {
    let classifier = Classifier::default();
    let mut search = classifier.begin_affected(Hints { name, ..Hints::default() });
    bytes.chunks(7_000).for_each(|chunk| {
        search.push(chunk);
    });
    search.finish()
}

fn people(people: People, category: Category) -> Vec<Person> {
    let mut all = Vec::new();
    people.each(category, &mut |person| all.push(person));
    all
}

fn directory(rows: usize) -> String {
    let mut text = "employee_id,first_name,last_name,email,department,manager,salary\n".to_owned();
    for row in 0..rows {
        let salary = if row % 2 == 0 { "51000" } else { "" };
        text += &format!(
            "E{row:05},Ada{},Lovelace,ada.{row}@acme.internal,Engineering,boss@acme.internal,{salary}\n",
            "a".repeat(row % 5)
        );
    }
    text
}

#[test]
fn everybody_of_a_directory_is_named_with_what_stands_there_of_them() {
    let (classification, found) = search("directory.csv", directory(900).as_bytes());
    assert!(found.is_complete());
    let all = people(found, Category::EmployeePii);
    assert_eq!(all.len() as u64, classification.detections[0].distinct.estimate());
    assert_eq!(all.len(), 900);
    let one = all.iter().find(|person| person.email() == Some("ada.700@acme.internal")).unwrap();
    assert_eq!(one.name(), Some("Ada Lovelace"));
    let exposed: Vec<_> = one.exposed().collect();
    assert!(exposed.contains(&"salary") && exposed.contains(&"person_name"), "{exposed:?}");
    let other = all.iter().find(|person| person.email() == Some("ada.701@acme.internal")).unwrap();
    assert!(!other.exposed().any(|kind| kind == "salary"), "it is empty in that row");
}

#[test]
fn who_acts_in_a_log_is_named_by_their_id() {
    let mut log = String::new();
    for row in 0..600 {
        log += &format!(
            "{{\"user_id\":\"usr_{:04}\",\"event\":\"page_view\",\"path\":\"/orders/{row}\",\"ts\":\"2026-11-10T10:{:02}:00Z\"}}\n",
            row % 120,
            row % 60
        );
    }
    let (classification, found) = search("events.jsonl", log.as_bytes());
    let detection =
        classification.detections.iter().find(|d| d.category == Category::InteractionMetadata).unwrap();
    let all = people(found, Category::InteractionMetadata);
    assert_eq!(all.len() as u64, detection.distinct.estimate());
    assert!(all.iter().any(|person| person.id() == Some("usr_0119")));
}

#[test]
fn people_in_running_text_are_named_by_their_address() {
    let text = (0..9)
        .map(|n| {
            format!(
                "Our employee number {n} in payroll is reached at worker.{n}@acme.internal on weekdays.\n"
            )
        })
        .collect::<String>();
    let (classification, found) = search("notes.txt", text.as_bytes());
    let all = people(found, Category::EmployeePii);
    assert_eq!(all.len() as u64, classification.detections[0].distinct.estimate());
    assert!(all.iter().any(|person| person.email() == Some("worker.7@acme.internal")));
}

#[test]
fn listing_says_the_same_of_an_object_as_classifying() {
    for (name, text) in [("directory.csv", directory(2_000)), ("notes.txt", "nothing to see\n".repeat(50))] {
        let classified = Classifier::default().classify(Hints { name, ..Hints::default() }, text.as_bytes());
        let (listed, _) = search(name, text.as_bytes());
        let said = |classification: &Classification| serde_json::to_value(classification).unwrap();
        let (mut classified, mut listed) = (said(&classified), said(&listed));
        // One was told the size by its only chunk.
        classified["bytes_total"].take();
        listed["bytes_total"].take();
        assert_eq!(classified, listed);
    }
}

#[test]
fn a_session_that_was_not_begun_here_keeps_nobody() {
    let mut session = Classifier::default().begin(Hints { name: "directory.csv", ..Hints::default() });
    session.push(directory(50).as_bytes());
    let (_, gather) = session.end();
    assert!(gather.tables.iter().all(|table| table.kept.rows.is_empty()));
    assert!(gather.sightings.kept.values.is_empty());
}

/// Does not compile where the type has the trait: then there would be two answers to the same question.
macro_rules! has_not {
    ($kind:ty: $bound:path) => {{
        trait Answer<A> {
            fn answer() {}
        }
        struct Has;
        impl<T: ?Sized> Answer<()> for T {}
        impl<T: ?Sized + $bound> Answer<Has> for T {}
        <$kind as Answer<_>>::answer();
    }};
}

#[test]
fn a_person_cannot_be_printed_serialised_or_copied() {
    has_not!(Person: std::fmt::Debug);
    has_not!(Person: std::fmt::Display);
    has_not!(Person: serde::Serialize);
    has_not!(Person: Clone);
    has_not!(People: std::fmt::Debug);
}
