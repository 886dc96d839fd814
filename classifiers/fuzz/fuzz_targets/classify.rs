//! Do any bytes end as a classification, the same however they are cut into pieces?
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch_classifiers::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::classify(bytes));
