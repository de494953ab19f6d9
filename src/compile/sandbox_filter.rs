//! Which system calls a compile does without.

use super::settings::NetworkMode;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;

/// Refused to the supervisor and all children.
///
/// # Errors
/// The rules do not make a program: a fault of this file.
pub(super) fn outer(network: NetworkMode, truncate_by_landlock: bool) -> Result<Vec<BpfProgram>, String> {
    let mut refused = Rules::new();
    for call in KERNEL {
        refused.insert(*call, Vec::new());
    }
    sockets(&mut refused, network)?;
    refused.insert(libc::SYS_socketpair, pairs()?);
    // a terminal's input queue can be written through it
    let mut requests = vec![equals(1, TIOCSTI)?, equals(1, TIOCLINUX)?];
    // a file's attributes, through a descriptor that was opened for reading
    for request in [FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_ENABLE_VERITY] {
        requests.push(equals(1, request)?);
    }
    refused.insert(libc::SYS_ioctl, requests);
    refused.insert(FILE_SETATTR, Vec::new());
    // new namespaces, for which there is no need and which widen the kernel's surface
    let mut namespaces = Vec::new();
    for flag in NAMESPACES {
        namespaces.push(masked(0, *flag, *flag)?);
    }
    refused.insert(libc::SYS_clone, namespaces);
    if !truncate_by_landlock {
        refused.insert(libc::SYS_truncate, Vec::new());
        let read_and_truncate = masked(
            2,
            (libc::O_ACCMODE | libc::O_TRUNC) as u64,
            (libc::O_RDONLY | libc::O_TRUNC) as u64,
        )?;
        refused.insert(libc::SYS_openat, vec![read_and_truncate]);
        #[cfg(target_arch = "x86_64")]
        refused.insert(
            libc::SYS_open,
            vec![masked(
                1,
                (libc::O_ACCMODE | libc::O_TRUNC) as u64,
                (libc::O_RDONLY | libc::O_TRUNC) as u64,
            )?],
        );
    }
    let mut absent = Rules::new();
    // the C library falls back to `clone`, whose flags can be seen
    for call in [
        libc::SYS_clone3,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ] {
        absent.insert(call, Vec::new());
    }
    if !truncate_by_landlock {
        absent.insert(libc::SYS_openat2, Vec::new());
    }
    Ok(vec![
        only_this_abi(),
        program(refused, libc::EPERM)?,
        program(absent, libc::ENOSYS)?,
    ])
}

/// Refused to the children alone.
///
/// # Errors
/// The rules do not make a program: a fault of this file.
pub(super) fn inner(signals_by_landlock: bool) -> Result<Vec<BpfProgram>, String> {
    let mut silent = Rules::new();
    for call in METADATA {
        silent.insert(*call, Vec::new());
    }
    // what sockets may hold is counted, and no process's memory: none is made to hold more
    let larger = vec![
        condition(1, SeccompCmpOp::Eq, libc::SOL_SOCKET as u64)?,
        condition(2, SeccompCmpOp::Eq, libc::SO_SNDBUF as u64)?,
    ];
    silent.insert(libc::SYS_setsockopt, vec![rule(larger)?]);
    let mut refused = Rules::new();
    for call in PRIORITIES {
        refused.insert(*call, Vec::new());
    }
    // one's own (0) may be asked for and lowered
    for call in OF_PROCESSES {
        refused.insert(*call, vec![not_zero(0)?]);
    }
    if !signals_by_landlock {
        for call in SIGNALS {
            refused.insert(*call, Vec::new());
        }
        // a pipe sends whatever signal it is told to whomever it is told, as something comes through it
        let owners = [libc::F_SETOWN, F_SETOWN_EX, F_SETSIG];
        let owners = owners.map(|command| equals(1, command as u64));
        refused.insert(libc::SYS_fcntl, owners.into_iter().collect::<Result<_, _>>()?);
        refused.insert(
            libc::SYS_ioctl,
            vec![equals(1, FIOSETOWN)?, equals(1, SIOCSPGRP)?],
        );
    }
    // which pipeline a process belongs to is told by a limit that it cannot change
    for (call, argument) in MARKED {
        refused
            .entry(*call)
            .or_default()
            .push(equals(*argument, u64::from(MARK))?);
    }
    // nor may it hide what it holds open from its supervisor
    refused.insert(libc::SYS_prctl, vec![equals(0, libc::PR_SET_DUMPABLE as u64)?]);
    // memory that is no process's: those who use it fall back to a file
    let mut absent = Rules::new();
    for call in [libc::SYS_memfd_create, MEMFD_SECRET] {
        absent.insert(call, Vec::new());
    }
    // Answering 0 without doing anything: libraries that copy a file with its mode and times go on, and no
    // mode or time of anything outside is ever changed. No argument tells outside from inside here.
    Ok(vec![
        program(silent, 0)?,
        program(refused, libc::EPERM)?,
        program(absent, libc::ENOSYS)?,
    ])
}

fn sockets(rules: &mut Rules, network: NetworkMode) -> Result<(), String> {
    match network {
        NetworkMode::Deny => {
            rules.insert(libc::SYS_socket, Vec::new());
        }
        NetworkMode::Allow => {
            // any family but IPv4 and IPv6; UNIX sockets lead to Docker and the session's agents
            let condition = |value: i32| condition(0, SeccompCmpOp::Ne, value as u64);
            rules.insert(
                libc::SYS_socket,
                vec![rule(vec![condition(libc::AF_INET)?, condition(libc::AF_INET6)?])?],
            );
        }
    }
    Ok(())
}

/// Pairs of sockets that are refused: all but connected UNIX ones, which libraries talk to their own threads and
/// processes through. One of a pair of datagrams may send to, and connect to, any other socket that has a name
/// (`unix_dgram_sendmsg` and `unix_dgram_connect` in Linux), and RAW is another word for it there; where other
/// families have no pairs, their protocols are loaded all the same before that is found out.
fn pairs() -> Result<Vec<SeccompRule>, String> {
    const KIND: u64 = 0xf; // what `SOCK_NONBLOCK` and `SOCK_CLOEXEC` stand beside
    Ok(vec![
        rule(vec![condition(0, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?])?,
        masked(1, KIND, libc::SOCK_DGRAM as u64)?,
        masked(1, KIND, libc::SOCK_RAW as u64)?,
    ])
}

/// Interfaces to other processes and to the kernel.
const KERNEL: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_quotactl,
    QUOTACTL_FD,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    // by handle any file of the file system can be opened with the one capability that may be kept
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_personality,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    // tells the names in any folder that may be read without Landlock, as they are used
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    // every mount, and so much of what `/proc/self/mountinfo` says
    STATMOUNT,
    LISTMOUNT,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // message queues and System V memory reach other processes of the user
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semctl,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_msgget,
    libc::SYS_msgctl,
    // their numbers are small and can be guessed, without asking for one first
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_inotify_init,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// Modes, owners, times and attributes, which Landlock does not cover.
const METADATA: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

// Newer than the C libraries this is built with; the numbers are the same on every architecture.
const QUOTACTL_FD: i64 = 443;
const FCHMODAT2: i64 = 452;
const STATMOUNT: i64 = 457;
const LISTMOUNT: i64 = 458;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const OPEN_TREE_ATTR: i64 = 467;
const MEMFD_SECRET: i64 = 447;
#[cfg(target_arch = "x86_64")]
const SETRLIMIT: i64 = 160;
#[cfg(target_arch = "aarch64")]
const SETRLIMIT: i64 = 164;
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541C;

/// As `linux/fs.h` and `linux/fsverity.h` make them: the direction, the size, the letter, the number.
const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
const FS_IOC_FSSETXATTR: u64 = 0x401C_5820;
const FS_IOC_ENABLE_VERITY: u64 = 0x4080_6685;

/// As `asm-generic/fcntl.h` and `asm-generic/sockios.h` have them.
const F_SETSIG: i32 = 10;
const F_SETOWN_EX: i32 = 15;
const FIOSETOWN: u64 = 0x8901;
const SIOCSPGRP: u64 = 0x8902;

/// Since Linux 6.17, the same number on every architecture.
const FILE_SETATTR: libc::c_long = 469;

/// Priorities and schedulers of any process.
const PRIORITIES: &[i64] = &[libc::SYS_setpriority, libc::SYS_ioprio_set];

/// Calls whose first argument names a process.
const OF_PROCESSES: &[i64] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
];

/// The limit on file locks, which Linux has not looked at since 2.4: the worker writes a child's slot into it.
const MARK: u32 = 10;

/// The calls that change a limit, and which of their arguments names it.
const MARKED: &[(i64, u8)] = &[(libc::SYS_prlimit64, 1), (SETRLIMIT, 0)];

/// Signals, where Landlock cannot tell inside from outside (before Linux 6.12).
const SIGNALS: &[i64] = &[
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
];

const NAMESPACES: &[u64] = &[
    libc::CLONE_NEWNS as u64,
    libc::CLONE_NEWUTS as u64,
    libc::CLONE_NEWIPC as u64,
    libc::CLONE_NEWUSER as u64,
    libc::CLONE_NEWPID as u64,
    libc::CLONE_NEWNET as u64,
    libc::CLONE_NEWCGROUP as u64,
];

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(|error| error.to_string())
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, String> {
    SeccompRule::new(conditions).map_err(|error| error.to_string())
}

fn equals(argument: u8, value: u64) -> Result<SeccompRule, String> {
    rule(vec![condition(argument, SeccompCmpOp::Eq, value)?])
}

fn not_zero(argument: u8) -> Result<SeccompRule, String> {
    rule(vec![condition(argument, SeccompCmpOp::Ne, 0)?])
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, String> {
    rule(vec![condition(argument, SeccompCmpOp::MaskedEq(mask), value)?])
}

fn program(rules: Rules, errno: i32) -> Result<BpfProgram, String> {
    SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        ARCH,
    )
    .and_then(BpfProgram::try_from)
    .map_err(|error| error.to_string())
}

/// Refuses the x32 numbers of x86_64 kernels, which name the same calls a second time.
fn only_this_abi() -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32: u32 = 0x4000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    vec![
        sock_filter {
            code: LOAD_WORD,
            jt: 0,
            jf: 0,
            k: 0,
        },
        sock_filter {
            code: JUMP_IF_AT_LEAST,
            jt: 0,
            jf: 1,
            k: X32,
        },
        sock_filter {
            code: RETURN,
            jt: 0,
            jf: 0,
            k: ERRNO | libc::ENOSYS.unsigned_abs(),
        },
        sock_filter {
            code: RETURN,
            jt: 0,
            jf: 0,
            k: ALLOW,
        },
    ]
}

/// A program as the kernel takes it, for the worker to hand over.
pub(super) fn bytes(program: &BpfProgram) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for instruction in program {
        bytes.extend_from_slice(&instruction.code.to_ne_bytes());
        bytes.extend_from_slice(&[instruction.jt, instruction.jf]);
        bytes.extend_from_slice(&instruction.k.to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_variants_make_programs() {
        for network in [NetworkMode::Deny, NetworkMode::Allow] {
            for known in [true, false] {
                assert_eq!(outer(network, known).unwrap().len(), 3);
                assert_eq!(inner(known).unwrap().len(), 3);
            }
        }
        assert_eq!(bytes(&only_this_abi()).len(), 32);
    }

    #[test]
    fn where_landlock_knows_no_signals_no_descriptor_sends_one() {
        let refused = |signals_by_landlock| {
            let held = std::thread::spawn(move || {
                // SAFETY: binds this thread alone, which ends with the test.
                let bound = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
                assert_eq!(bound, 0);
                for program in inner(signals_by_landlock).unwrap() {
                    seccompiler::apply_filter(&program).unwrap();
                }
                let file = std::fs::File::open("/dev/null").unwrap();
                let file = std::os::fd::AsRawFd::as_raw_fd(&file);
                let (itself, signal) = (std::process::id() as i32, libc::SIGCONT);
                // SAFETY: system calls on a descriptor that is open, with integers.
                let results = unsafe {
                    [
                        libc::fcntl(file, libc::F_GETFL),
                        libc::fcntl(file, libc::F_SETOWN, itself),
                        libc::fcntl(file, F_SETSIG, signal),
                    ]
                };
                results.map(|result| result < 0)
            });
            held.join().unwrap()
        };
        assert_eq!(refused(false), [false, true, true]);
        assert_eq!(refused(true), [false; 3]);
    }
}
