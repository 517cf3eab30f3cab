#![no_main]

#[allow(dead_code)]
#[path = "../runs.rs"]
mod runs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| runs::selectors(data));
