//! Closing this program's own process to others of the same user: it holds the secrets.

/// From now on no other process of the user reads this one's memory or environment, attaches to it, or finds its
/// memory in a core file. On Linux `/proc/PID` then belongs to root; measured on Linux 6.18.
///
/// What this program starts is not affected: the kernel resets the mark when a program is executed.
pub fn close_own_process() {
    #[cfg(unix)]
    {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: plain system calls with integers and a pointer to a structure on this stack. Where one is
        // refused the program is as open as it was, which the sandbox's other walls allow for.
        unsafe {
            #[cfg(target_os = "linux")]
            libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        }
    }
}
