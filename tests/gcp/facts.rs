//! Do facts that come through the official crate read as an estate keeps them?

use serde_json::{Value, json};
use spillwatch::cloud::Cloud;
use spillwatch::estate::{Account, Facts, Provider};
use spillwatch::exposure::{self, ZoneOfTrust};
use spillwatch_fixtures::gcs_server::{Fault, GcsServer, Stored};

use super::{PROJECT, bucket, connect};

fn account() -> Account {
    Account { provider: Provider::Gcp, id: PROJECT.to_owned() }
}

fn at<'a>(facts: &'a Facts, operation: &str, pointer: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    facts.answer(operation).and_then(|answer| answer.pointer(pointer)).unwrap_or(&NOTHING)
}

#[tokio::test]
async fn a_buckets_settings_read_as_the_json_api_writes_them() {
    let server = GcsServer::start().expect("started");
    let stated = json!({
        "projectNumber": "604417713352",
        "location": "EUROPE-WEST3",
        "iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": true}},
        "billing": {"requesterPays": true},
        "website": {"mainPageSuffix": "index.html"},
        "ipFilter": {"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": ["203.0.113.0/24"]}},
    });
    server.state(PROJECT, Some("b"), "storage:buckets.get", stated.clone());
    let facts = connect(&server).access_facts(&bucket("b")).await;
    for pointer in [
        "/projectNumber",
        "/location",
        "/iamConfiguration/publicAccessPrevention",
        "/iamConfiguration/uniformBucketLevelAccess/enabled",
        "/billing/requesterPays",
        "/website/mainPageSuffix",
        "/ipFilter/mode",
        "/ipFilter/publicNetworkSource/allowedIpCidrRanges",
    ] {
        assert_eq!(Some(at(&facts, "storage:buckets.get", pointer)), stated.pointer(pointer), "{pointer}");
    }
    assert_eq!(facts.answer("storage:bucketAccessControls.list"), None, "lists grant nothing here");
}

#[tokio::test]
async fn conditions_come_with_the_policy() {
    let server = GcsServer::start().expect("started");
    let binding = json!({
        "role": "roles/storage.objectViewer",
        "members": ["user:someone@partner.example"],
        "condition": {"title": "t", "expression": "resource.name.startsWith(\"projects/_/buckets/b/objects/in/\")"},
    });
    server.state(
        PROJECT,
        Some("b"),
        "storage:buckets.getIamPolicy",
        json!({"version": 3, "bindings": [binding]}),
    );
    let facts = connect(&server).access_facts(&bucket("b")).await;
    assert_eq!(at(&facts, "storage:buckets.getIamPolicy", "/bindings/0"), &binding);
    let zone = ZoneOfTrust::default();
    let verdict = exposure::judge(&bucket("b"), &facts, &Facts::default(), &zone);
    let told = verdict.exposures.iter().any(|way| way.keys.to_string() == "in/*" && way.witness.is_some());
    assert!(told, "{verdict:#?}");
}

#[tokio::test]
async fn access_lists_are_read_where_they_count() {
    let server = GcsServer::start().expect("started");
    let fine_grained = json!({"iamConfiguration": {"publicAccessPrevention": "inherited"}});
    let list = json!({"items": [{"entity": "allUsers", "role": "READER"}]});
    server.state(PROJECT, Some("b"), "storage:buckets.get", fine_grained);
    server.state(PROJECT, Some("b"), "storage:bucketAccessControls.list", list.clone());
    server.state(PROJECT, Some("b"), "storage:defaultObjectAccessControls.list", list.clone());
    let facts = json!({"storage:objectAccessControls.list": list});
    server.put(PROJECT, "b", "k", Stored::from("x").with_facts(facts));
    let cloud = connect(&server);
    let facts = cloud.access_facts(&bucket("b")).await;
    for operation in ["storage:bucketAccessControls.list", "storage:defaultObjectAccessControls.list"] {
        assert_eq!(at(&facts, operation, "/items/0/entity"), "allUsers", "{operation}");
    }
    assert_eq!(facts.answer("storage:managedFolders.list"), None, "there are none without uniform access");
    let object = crate::cloud_conformance::list(&cloud, &bucket("b"), "").await.expect("listed").remove(0);
    let facts = cloud.object_facts(&bucket("b"), &object).await;
    assert_eq!(at(&facts, "storage:objectAccessControls.list", "/items/0/role"), "READER");
}

#[tokio::test]
async fn managed_folders_come_with_their_policies() {
    let server = GcsServer::start().expect("started");
    let policy = json!({"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]});
    server.state(
        PROJECT,
        Some("b"),
        "storage:managedFolders.list",
        json!({"items": [{"name": "a/"}, {"name": "a/b c/"}]}),
    );
    server.state(PROJECT, Some("b"), "storage:managedFolders.getIamPolicy", json!({"a/b c/": policy}));
    let facts = connect(&server).access_facts(&bucket("b")).await;
    let members = at(&facts, "storage:managedFolders.getIamPolicy", "/a~1b c~1/bindings/0/members");
    assert_eq!(members, &json!(["allUsers"]));
    assert!(at(&facts, "storage:managedFolders.getIamPolicy", "/a~1").is_object());
}

#[tokio::test]
async fn a_project_comes_with_all_that_stands_above_it_and_with_its_own_roles() {
    let server = GcsServer::start().expect("started");
    let policy = |role: &str, member: &str| json!({"bindings": [{"role": role, "members": [member]}]});
    for (operation, answer) in [
        (
            "cloudresourcemanager:projects.get",
            json!({"name": "projects/604417713352", "projectId": PROJECT, "parent": "folders/2"}),
        ),
        (
            "cloudresourcemanager:projects.getIamPolicy",
            policy("projects/x/roles/own", "user:a@partner.example"),
        ),
        (
            "cloudresourcemanager:folders.get",
            json!({"folders/2": {"name": "folders/2", "parent": "organizations/4"}}),
        ),
        (
            "cloudresourcemanager:folders.getIamPolicy",
            json!({"folders/2": policy("roles/viewer", "user:b@partner.example")}),
        ),
        (
            "cloudresourcemanager:organizations.getIamPolicy",
            json!({"organizations/4": policy("roles/owner", "user:c@partner.example")}),
        ),
        (
            "orgpolicy:policies.getEffectivePolicy",
            json!({"storage.publicAccessPrevention": {"name": "projects/604417713352/policies/storage.publicAccessPrevention", "spec": {"rules": [{"enforce": true}]}}}),
        ),
        (
            "iam:roles.get",
            json!({"projects/x/roles/own": {"name": "projects/x/roles/own", "includedPermissions": ["storage.objects.get"]}}),
        ),
    ] {
        server.state(PROJECT, None, operation, answer);
    }
    let cloud = connect(&server);
    cloud.account_facts(&account()).await;
    let facts = cloud.account_facts(&account()).await;
    for shared in ["folders.get", "folders.getIamPolicy", "organizations.getIamPolicy", "roles.get"] {
        assert_eq!(server.requests(shared), 1, "{shared} is asked once for all projects");
    }
    assert_eq!(at(&facts, "cloudresourcemanager:projects.get", "/parent"), "folders/2");
    assert_eq!(at(&facts, "cloudresourcemanager:folders.get", "/folders~12/parent"), "organizations/4");
    let above =
        at(&facts, "cloudresourcemanager:organizations.getIamPolicy", "/organizations~14/bindings/0/role");
    assert_eq!(above, "roles/owner");
    let enforced = "/storage.publicAccessPrevention/spec/rules/0/enforce";
    assert_eq!(at(&facts, "orgpolicy:policies.getEffectivePolicy", enforced), &json!(true));
    assert_eq!(
        at(&facts, "iam:roles.get", "/projects~1x~1roles~1own/includedPermissions"),
        &json!(["storage.objects.get"])
    );
}

#[tokio::test]
async fn what_is_refused_is_kept_by_its_code_and_widens_the_verdict() {
    let server = GcsServer::start().expect("started");
    server.put(PROJECT, "b", "k", "x");
    server.fail("GetIamPolicy", 9, Fault::Status("PERMISSION_DENIED", None));
    server.fail("projects.getIamPolicy", 9, Fault::Status("PERMISSION_DENIED", Some("SERVICE_DISABLED")));
    let cloud = connect(&server);
    let (facts, above) = (cloud.access_facts(&bucket("b")).await, cloud.account_facts(&account()).await);
    assert_eq!(at(&facts, "storage:buckets.getIamPolicy", "/Error/Code"), "PERMISSION_DENIED");
    assert_eq!(at(&above, "cloudresourcemanager:projects.getIamPolicy", "/Error/Code"), "SERVICE_DISABLED");
    let verdict = exposure::judge(&bucket("b"), &facts, &above, &ZoneOfTrust::default());
    assert_eq!(verdict.exposures.len(), 5, "{verdict:#?}");
    assert!(verdict.gaps.iter().any(|gap| gap.operation == "storage:buckets.getIamPolicy"));
}
