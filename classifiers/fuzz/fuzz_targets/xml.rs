//! Do any bytes end as a gap when they are read as XML?
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch_classifiers::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::extract(fuzzing::Kind::Xml, bytes));
