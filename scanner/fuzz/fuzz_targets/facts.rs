//! Whatever stands in a file of facts: the reasoner ends and does not panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch::estate::{Account, Bucket, Facts, Provider};
use spillwatch::exposure::ZoneOfTrust;
use spillwatch::exposure::aws::bucket_exposure;

fuzz_target!(|text: &str| {
    let Ok(facts) = serde_json::from_str::<Facts>(text) else { return };
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    let bucket = Bucket { account, name: "bucket".to_owned(), region: None };
    bucket_exposure(&bucket, &facts, &Facts::default(), &ZoneOfTrust::default());
});
