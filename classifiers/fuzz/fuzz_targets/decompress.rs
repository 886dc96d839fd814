//! Does any compressed stream unpack within its bounds?
#![no_main]

use libfuzzer_sys::fuzz_target;
use spillwatch_classifiers::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::decompress(bytes));
