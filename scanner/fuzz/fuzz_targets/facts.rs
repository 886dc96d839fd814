//! Whatever stands in a file of facts: the reasoner ends and does not panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch::estate::{Account, Bucket, Facts, Provider};
use spillwatch::exposure::{ZoneOfTrust, judge};

fuzz_target!(|text: &str| {
    let Ok(facts) = serde_json::from_str::<Facts>(text) else { return };
    for (provider, id) in [(Provider::Aws, "111122223333"), (Provider::Gcp, "project")] {
        let account = Account { provider, id: id.to_owned() };
        let bucket = Bucket { account, name: "bucket".to_owned(), region: None };
        judge(&bucket, &facts, &Facts::default(), &ZoneOfTrust::default());
    }
});
