//! Parse, run, exit code.

use kfp_gitops::commands;
use kfp_gitops::settings::environment::Environment;
use kfp_gitops::settings::variables;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    kfp_gitops::compile::close_own_process();
    let environment = Environment::new(std::env::vars_os());
    for (name, value) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        // An input that an action leaves out arrives as an empty variable, which must not count as a flag.
        let left_out = value.is_empty() && text.starts_with("KFP_GITOPS_");
        if left_out || variables::is_secret(text) {
            // SAFETY: no other thread exists yet; this is the first thing the process does.
            unsafe { take_out(&name) };
        }
    }
    ExitCode::from(commands::main(environment))
}

/// Removes a variable and overwrites its value where the kernel put it, which `/proc/PID/environ` shows for good.
///
/// # Safety
/// Only before any other thread exists.
unsafe fn take_out(name: &OsStr) {
    if let Ok(name) = CString::new(name.as_bytes()) {
        // SAFETY: `getenv` gives the value inside the process's own, writable environment block, ended by a zero;
        // no one else looks at it, and only bytes before that zero are written.
        unsafe {
            let value = libc::getenv(name.as_ptr());
            if !value.is_null() {
                for at in 0..libc::strlen(value) {
                    value.add(at).write_volatile(0);
                }
            }
        }
    }
    // SAFETY: as the caller promises.
    unsafe { std::env::remove_var(name) };
}
