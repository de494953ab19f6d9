#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kfp_gitops_fuzz::event(data));
