//! Becoming another user, where this program is root.

use std::io;
use std::path::{Path, PathBuf};

/// The user to become, when this program is root.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    /// Tried in order: one that nobody else uses, and the one that exists everywhere.
    pub id: u32,
    /// The capability to keep, where something needed lies in a closed folder.
    pub keep: Option<u32>,
}

/// A user id that no distribution hands out. Where the user namespace does not have it, `nobody`.
const OWN_USER: u32 = 6_051_735;
const NOBODY: u32 = 65_534;

/// The capability to read and search everything, under Landlock.
const CAP_DAC_READ_SEARCH: u32 = 2;
/// The capability to write everything as well, under Landlock; Docker's root has it and not the other.
const CAP_DAC_OVERRIDE: u32 = 1;

/// The user this program runs as.
pub(super) fn effective_user() -> u32 {
    // SAFETY: reads this process's own user id and cannot fail.
    unsafe { libc::geteuid() }
}

/// How many threads this user has already.
pub(super) fn threads_of_user() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let user = effective_user();
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == user))
        // a folder for each thread, beside its own two names
        .filter_map(|entry| std::fs::metadata(entry.path().join("task")).ok())
        .map(|meta| meta.nlink().saturating_sub(2).max(1))
        .sum()
}

/// The capabilities this process may use, as bits.
fn permitted() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapPrm:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0)
}

/// Hands the temporary directories to the user the worker becomes.
pub(super) fn own(parent: &Path, directories: &[PathBuf], closed: bool) -> Result<User, String> {
    let give = |id: u32| -> io::Result<()> {
        for path in std::iter::once(parent).chain(directories.iter().map(PathBuf::as_path)) {
            std::os::unix::fs::chown(path, Some(id), Some(id))?;
        }
        Ok(())
    };
    let keep = if closed {
        let permitted = permitted();
        let keep = [CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE]
            .into_iter()
            .find(|capability| permitted >> capability & 1 == 1);
        Some(keep.ok_or("this program runs as root and cannot let another user read Python or the sources, which lie in a folder that is closed to others")?)
    } else {
        None
    };
    for id in [OWN_USER, NOBODY] {
        if give(id).is_ok() {
            return Ok(User { id, keep });
        }
    }
    Err("this program runs as root and may not give files to another user".to_owned())
}

/// The error of a C library call that failed.
///
/// # Errors
/// It did.
pub(super) fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The error of a bare system call that failed.
///
/// # Errors
/// It did.
pub(super) fn call(result: libc::c_long) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Gives up root for good. Keeps at most the right to read.
///
/// # Safety
/// Only between fork and exec: it changes the credentials of the calling process.
///
/// # Errors
/// The kernel refuses it.
pub(super) unsafe fn become_user(user: &User) -> io::Result<()> {
    // SAFETY: system calls with integers, and with pointers to two structures on this stack.
    unsafe {
        check(libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0))?;
        for capability in 0..64_u32 {
            if user.keep != Some(capability) {
                // beyond the last capability the kernel knows this fails, which is the end of them
                libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
            }
        }
        // the bare calls: the C library's would also tell its other threads, of which a fork has none
        call(libc::syscall(
            libc::SYS_setgroups,
            0_usize,
            std::ptr::null::<u32>(),
        ))?;
        call(libc::syscall(libc::SYS_setresgid, user.id, user.id, user.id))?;
        call(libc::syscall(libc::SYS_setresuid, user.id, user.id, user.id))?;
        let kept = user.keep.map_or(0, |capability| 1 << capability);
        let header = CapabilityHeader {
            version: 0x2008_0522,
            pid: 0,
        };
        let low = CapabilityData {
            effective: kept,
            permitted: kept,
            inheritable: kept,
        };
        let data = [
            low,
            CapabilityData {
                effective: 0,
                permitted: 0,
                inheritable: 0,
            },
        ];
        call(libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()))?;
        if let Some(capability) = user.keep {
            check(libc::prctl(
                libc::PR_CAP_AMBIENT,
                libc::PR_CAP_AMBIENT_RAISE,
                capability,
                0,
                0,
            ))?;
        }
    }
    Ok(())
}

/// `struct __user_cap_header_struct`, version 3.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`.
#[repr(C)]
struct CapabilityData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}
