//! Do any bytes end as a gap when they are read as a directory export or as cards?
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch_classifiers::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::extract(fuzzing::Kind::Ldif, bytes);
    fuzzing::extract(fuzzing::Kind::Vcard, bytes);
});
