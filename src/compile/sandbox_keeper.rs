//! A process that stands between this program and what it starts, and takes all of it along when it goes.
//!
//! A build script or a pipeline leaves its session and its parent with two lines of code, and then lives on for as
//! long as it likes. The keeper is the reaper of everything below it, whoever its parent was: when what it keeps ends,
//! when this program lets go of it or dies, it kills until nothing is left. It stands outside of the fence, runs none
//! of the kept code, and nothing inside can signal it or look into it.

use std::io;
use tokio::process::{Child, Command};

/// As long as this lives, so may what was started with it.
#[derive(Debug)]
pub(super) struct Lifeline {
    #[cfg(target_os = "linux")]
    _held: std::os::fd::OwnedFd,
}

/// A limit for everything that is kept: which (the C libraries disagree about its type), and how much.
pub(super) type Limit = (i64, u64);

/// Puts a keeper around a command about to be started. Before the fence is: what is put around a command first stands
/// outermost.
///
/// # Errors
/// No pipe can be made.
#[cfg(target_os = "linux")]
pub(super) fn keep(command: &mut Command, limits: Vec<Limit>) -> io::Result<Lifeline> {
    use std::os::fd::{AsRawFd, OwnedFd};
    let (watched, held) = io::pipe()?;
    let watched = OwnedFd::from(watched);
    // the keeper would be killed alone
    command.kill_on_drop(false);
    let stand_between = move || linux::stand_between(watched.as_raw_fd(), &limits);
    // SAFETY: between fork and exec the closure only makes system calls on values prepared before: it allocates
    // nothing, takes no lock and touches no state of other threads.
    unsafe {
        command.pre_exec(stand_between);
    }
    Ok(Lifeline { _held: held.into() })
}

/// Elsewhere nobody but the child itself can be ended.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep(command: &mut Command, _limits: Vec<Limit>) -> io::Result<Lifeline> {
    command.kill_on_drop(true);
    Ok(Lifeline {})
}

/// Ends a kept child with everything it started, and waits until it is gone.
pub(super) async fn end(mut child: Child, lifeline: Lifeline) {
    drop(lifeline);
    if !cfg!(target_os = "linux") {
        // whatever it says, there is no more to do
        let _ = child.start_kill();
    }
    // only a process that hangs in the kernel is not gone by then
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), child.wait()).await;
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Limit;
    use std::io;
    use std::os::fd::RawFd;

    /// Runs in the new process: comes back in a child of it, which goes on to become the program.
    pub(super) fn stand_between(watched: RawFd, limits: &[Limit]) -> io::Result<()> {
        // SAFETY: plain system calls with integer arguments, and `fork` in a process of one thread.
        unsafe {
            // where this is refused, what is left behind is still killed by its group
            libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
            match libc::fork() {
                -1 => Err(io::Error::last_os_error()),
                0 => {
                    libc::setsid();
                    for (resource, most) in limits {
                        lower(*resource, *most);
                    }
                    Ok(())
                }
                kept => {
                    close_everything_but(watched);
                    libc::setsid();
                    libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
                    // in lists of processes it would be taken for the program a second time
                    libc::prctl(libc::PR_SET_NAME, c"kfp-gitops-keep".as_ptr());
                    libc::chdir(c"/".as_ptr());
                    let mut all: libc::sigset_t = std::mem::zeroed();
                    libc::sigfillset(&raw mut all);
                    libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
                    leave_as(watch(kept, watched))
                }
            }
        }
    }

    /// Lowers a limit, the hard one included; one that is lower already stays.
    unsafe fn lower(resource: i64, most: u64) {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: system calls with a pointer to a structure on this stack.
        unsafe {
            if libc::getrlimit(resource as _, &raw mut limit) == 0 {
                limit.rlim_max = limit.rlim_max.min(most);
                limit.rlim_cur = limit.rlim_max;
                libc::setrlimit(resource as _, &raw const limit);
            }
        }
    }

    /// The pipes of what is kept above all: who reads them waits for the last one that holds them.
    unsafe fn close_everything_but(kept: RawFd) {
        let kept = kept.unsigned_abs();
        // SAFETY: system calls with integers; nothing in this process uses a descriptor any more but `kept`.
        unsafe {
            let below = kept == 0 || libc::syscall(libc::SYS_close_range, 0_u32, kept - 1, 0_u32) == 0;
            let above = libc::syscall(libc::SYS_close_range, kept + 1, u32::MAX, 0_u32) == 0;
            if !(below && above) {
                for descriptor in (0..65536).filter(|one| *one != kept) {
                    libc::close(descriptor as RawFd);
                }
            }
        }
    }

    /// Waits until the kept process ends or nobody holds it any more, ends all that is left, and says how it ended.
    unsafe fn watch(kept: libc::pid_t, watched: RawFd) -> libc::c_int {
        let mut ended = None;
        // SAFETY: system calls with integers and with pointers to values on this stack.
        unsafe {
            let handle = libc::syscall(libc::SYS_pidfd_open, kept, 0_u32);
            let mut waited = [watched, handle as RawFd].map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            });
            // before Linux 5.3 nothing tells that a process ended but looking
            let wait = if handle < 0 { 20 } else { 1000 };
            while ended.is_none() {
                libc::poll(waited.as_mut_ptr(), 2, wait);
                if !reap(kept, &mut ended) || waited[0].revents != 0 {
                    break;
                }
            }
            // a process that left its group between two looks hangs here then: nobody else is its reaper
            while reap(kept, &mut ended) {
                if ended.is_none() {
                    libc::kill(-kept, libc::SIGKILL);
                }
                if !kill_children() {
                    // what cannot be found must not hang the run
                    break;
                }
                libc::poll(std::ptr::null_mut(), 0, 1);
            }
        }
        ended.unwrap_or(libc::SIGKILL)
    }

    /// Takes whoever has ended. False when there is nobody left.
    unsafe fn reap(kept: libc::pid_t, ended: &mut Option<libc::c_int>) -> bool {
        loop {
            let mut status = 0;
            // SAFETY: a system call with a pointer to an integer on this stack.
            match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
                0 => return true,
                -1 => return false,
                one if one == kept => *ended = Some(status),
                _ => {}
            }
        }
    }

    /// Kills the children. Theirs become ours by that, and are there at the next look. False where the kernel does
    /// not say who they are.
    unsafe fn kill_children() -> bool {
        let mut text = [0_u8; 4096];
        // SAFETY: system calls with a literal and with a buffer on this stack; the numbers are those of children,
        // which nobody else gets while they are not reaped.
        unsafe {
            let file = libc::open(
                c"/proc/thread-self/children".as_ptr(),
                libc::O_RDONLY | libc::O_CLOEXEC,
            );
            if file < 0 {
                return kill_children_by_looking_at_all();
            }
            let count = libc::read(file, text.as_mut_ptr().cast(), text.len());
            libc::close(file);
            let mut number = 0;
            // each is followed by a blank; one that the buffer cuts is there at the next look
            for byte in &text[..usize::try_from(count).unwrap_or(0)] {
                if byte.is_ascii_digit() {
                    number = number * 10 + i32::from(byte - b'0');
                } else {
                    if number > 1 {
                        libc::kill(number, libc::SIGKILL);
                    }
                    number = 0;
                }
            }
        }
        true
    }

    /// For kernels that keep no list of children.
    unsafe fn kill_children_by_looking_at_all() -> bool {
        // SAFETY: system calls with buffers on this stack. The kernel fills the buffer with whole records, each as
        // long as it says, with a name that ends in a zero.
        unsafe {
            let folder = libc::open(
                c"/proc".as_ptr(),
                libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC,
            );
            if folder < 0 {
                return false;
            }
            let own = libc::getpid();
            let mut buffer = [0_u64; 1024];
            loop {
                let size = size_of_val(&buffer);
                let count = libc::syscall(libc::SYS_getdents64, folder, buffer.as_mut_ptr(), size);
                let Ok(count @ 1..) = usize::try_from(count) else {
                    break;
                };
                let bytes = std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), count);
                let mut at = 0;
                // inode, offset, length of the record, kind, name
                while let Some(&[low, high, _, ref name @ ..]) = bytes.get(at + 16..) {
                    let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
                    if let Some(pid) = number(&name[..end])
                        && parent_of(folder, &name[..end]) == Some(own)
                    {
                        libc::kill(pid, libc::SIGKILL);
                    }
                    at += usize::from(u16::from_ne_bytes([low, high])).max(1);
                }
            }
            libc::close(folder);
        }
        true
    }

    fn number(digits: &[u8]) -> Option<i32> {
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    unsafe fn parent_of(folder: RawFd, name: &[u8]) -> Option<i32> {
        let mut path = [0_u8; 32];
        path.get_mut(..name.len())?.copy_from_slice(name);
        path.get_mut(name.len()..name.len() + 5)?
            .copy_from_slice(b"/stat");
        let mut text = [0_u8; 512];
        // SAFETY: system calls with a path that ends in a zero, being shorter than its buffer, and with a buffer.
        let count = unsafe {
            let file = libc::openat(folder, path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
            let count = libc::read(file, text.as_mut_ptr().cast(), text.len());
            libc::close(file);
            usize::try_from(count).ok()?
        };
        // number (name) state parent; the name may hold anything
        let after = text[..count].iter().rposition(|byte| *byte == b')')?;
        let mut fields = text[after + 1..count].split(|byte| *byte == b' ').skip(2);
        number(fields.next()?)
    }

    /// Ends the way the kept process did.
    unsafe fn leave_as(status: libc::c_int) -> ! {
        // SAFETY: system calls with integers and with a pointer to a set on this stack.
        unsafe {
            if libc::WIFSIGNALED(status) {
                let signal = libc::WTERMSIG(status);
                let mut none: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut none);
                libc::signal(signal, libc::SIG_DFL);
                libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
                libc::kill(libc::getpid(), signal);
                libc::_exit(128 + signal);
            }
            libc::_exit(libc::WEXITSTATUS(status))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn children_are_found_where_the_kernel_keeps_no_list() {
            use std::os::unix::process::ExitStatusExt;
            // in a process of its own: this one has children of other tests
            let mut command = tokio::process::Command::new("true");
            let look = || {
                // SAFETY: system calls alone, as in the keeper.
                unsafe {
                    let child = libc::fork();
                    if child == 0 {
                        libc::pause();
                        libc::_exit(0);
                    }
                    let mut status = 0;
                    while libc::waitpid(child, &raw mut status, libc::WNOHANG) == 0 {
                        kill_children_by_looking_at_all();
                        libc::poll(std::ptr::null_mut(), 0, 1);
                    }
                    leave_as(status)
                }
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let status = runtime.block_on(async {
                // SAFETY: the closure makes system calls alone.
                unsafe { command.pre_exec(look) };
                let mut lists = command.spawn();
                match &mut lists {
                    Ok(child) => child.wait().await.unwrap(),
                    Err(error) => panic!("{error}"),
                }
            });
            assert_eq!(status.signal(), Some(libc::SIGKILL), "{status}");
        }
    }
}
