//! Are any bytes known by the same however they are cut into pieces, and found again in themselves?
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch_classifiers::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::copies(bytes));
