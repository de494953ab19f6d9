//! The fences on Linux: Landlock, seccomp, another user, no new privileges.

use super::SandboxLevel;
use super::sandbox::{Effort, Needs};
use super::sandbox_filter as filter;
use super::sandbox_keeper::Limit;
use super::sandbox_tree::{self, Grants};
use super::sandbox_user::{self, User, become_user, call, check, effective_user, own};
use super::settings::{EngineSettings, NetworkMode};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};
use seccompiler::BpfProgram;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// Everything that is put around one worker.
#[derive(Debug)]
pub(crate) struct Fences {
    pub(super) level: SandboxLevel,
    pub(super) reason: Option<String>,
    outer: OwnedFd,
    inner: Vec<OwnedFd>,
    outer_filters: Vec<BpfProgram>,
    inner_filters: Vec<BpfProgram>,
    user: Option<User>,
}

/// Why there is no fence.
pub(super) enum Refusal {
    /// The machine has none, or a container refuses it.
    Impossible(String),
    /// It has one, and something ran out.
    Trouble(String),
}

/// Whether an error is that of a full table or of no memory: EMFILE, ENFILE, ENOMEM.
fn ran_out(why: &str) -> bool {
    [libc::EMFILE, libc::ENFILE, libc::ENOMEM]
        .iter()
        .any(|code| why.contains(&format!("(os error {code})")))
}

/// Landlock since which `truncate` and signals are covered (Linux 6.2 and 6.12).
const TRUNCATE: i64 = 3;
const SIGNALS: i64 = 6;

impl Fences {
    /// Builds all of it, without putting up anything.
    ///
    /// # Errors
    /// Why not even Landlock is possible, or what went wrong where it is.
    pub(super) fn build(
        settings: &EngineSettings,
        needs: &Needs<'_>,
        directories: &[PathBuf],
        effort: Effort,
    ) -> Result<Self, Refusal> {
        if effort == Effort::Nothing {
            return Err(Refusal::Impossible("this container refuses it".to_owned()));
        }
        if landlock_version() < 1 {
            return Err(Refusal::Impossible(NO_LANDLOCK.to_owned()));
        }
        Self::possible(settings, needs, directories, effort).map_err(|why| {
            // A repository decides how many files there are: that must never open the fence.
            if ran_out(&why) {
                Refusal::Trouble(why)
            } else {
                Refusal::Impossible(why)
            }
        })
    }

    fn possible(
        settings: &EngineSettings,
        needs: &Needs<'_>,
        directories: &[PathBuf],
        effort: Effort,
    ) -> Result<Self, String> {
        let version = landlock_version();
        let mut grants = Grants {
            read: sandbox_tree::system(settings.network == NetworkMode::Allow),
            ..Grants::default()
        };
        sandbox_tree::programs(needs.programs, &mut grants);
        let home = settings.variable("HOME").map(Path::new);
        sandbox_tree::carve(&mut grants, &[Some(needs.root), home]);
        sandbox_tree::tree(needs.root, &mut grants);
        if settings.working_directory.as_path() != needs.root {
            grants.list.push(settings.working_directory.clone());
        }
        let opened = Opened::new(&grants)?;
        let network = settings.network;
        let parent = directories
            .first()
            .and_then(|first| first.parent())
            .ok_or("there is no temporary directory")?;
        let outer = ruleset(network, &opened, &[parent], true)?;
        let inner = directories
            .iter()
            .map(PathBuf::as_path)
            .map(|directory| ruleset(network, &opened, &[directory], false))
            .collect::<Result<Vec<_>, _>>()?;
        let mut fences = Self {
            level: SandboxLevel::Full,
            reason: None,
            outer,
            inner,
            outer_filters: filter::outer(settings.network, version >= TRUNCATE)?,
            inner_filters: filter::inner(version >= SIGNALS)?,
            user: None,
        };
        if effective_user() == 0 {
            if effort == Effort::Everything {
                fences.user = Some(own(parent, directories, grants.closed)?);
            } else {
                fences.level = SandboxLevel::Landlock;
                fences.reason =
                    Some("this program runs as root and may not change to another user".to_owned());
            }
        }
        Ok(fences)
    }

    /// Builds the fence of an installer: it reads and writes what is given, and opens sockets to the network.
    /// `private` is the folder that belongs to another user while build scripts run.
    ///
    /// # Errors
    /// Why it is not possible.
    pub(super) fn around_installer(
        read: &[PathBuf],
        write: &[PathBuf],
        private: Option<&Path>,
    ) -> Result<Self, String> {
        let version = landlock_version();
        if version < 1 {
            return Err(NO_LANDLOCK.to_owned());
        }
        let mut grants = Grants {
            read: sandbox_tree::system(true),
            ..Grants::default()
        };
        sandbox_tree::programs(read, &mut grants);
        grants.read.extend(sandbox_tree::configuration());
        let opened = Opened::new(&grants)?;
        let writable: Vec<&Path> = write.iter().map(PathBuf::as_path).collect();
        let user = match private {
            Some(folder) if effective_user() == 0 => Some(own(folder, write, grants.closed)?),
            _ => None,
        };
        Ok(Self {
            level: SandboxLevel::Full,
            reason: None,
            outer: ruleset(NetworkMode::Allow, &opened, &writable, false)?,
            inner: Vec::new(),
            outer_filters: filter::outer(NetworkMode::Allow, version >= TRUNCATE)?,
            inner_filters: Vec::new(),
            user,
        })
    }

    /// The numbers the inner rulesets will have in the worker.
    pub(super) fn rulesets(&self) -> Vec<RawFd> {
        self.inner.iter().map(AsRawFd::as_raw_fd).collect()
    }

    /// The children's seccomp programs, for the worker to hand over.
    pub(super) fn inner_filters(&self) -> Vec<String> {
        use base64::Engine as _;
        let encode = |program| base64::engine::general_purpose::STANDARD.encode(filter::bytes(program));
        self.inner_filters.iter().map(encode).collect()
    }

    /// Puts the outer fence around a command.
    pub(super) fn surround(self, command: &mut tokio::process::Command) {
        let put_up = move || self.put_up();
        // SAFETY: between fork and exec the closure only makes system calls on values prepared before: it
        // allocates nothing, takes no lock and touches no state of other threads.
        unsafe {
            command.pre_exec(put_up);
        }
    }

    /// Runs in the new process, before Python.
    fn put_up(&self) -> io::Result<()> {
        // SAFETY: plain system calls with integer arguments or pointers to values that live on this stack.
        unsafe {
            // nothing this program holds open goes along, but for the children's rulesets
            libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, CLOSE_RANGE_CLOEXEC);
            for ruleset in &self.inner {
                check(libc::fcntl(ruleset.as_raw_fd(), libc::F_SETFD, 0))?;
            }
            libc::setsid();
            let none = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            if let Some(user) = &self.user {
                become_user(user)?;
            }
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
            call(libc::syscall(
                libc::SYS_landlock_restrict_self,
                self.outer.as_raw_fd(),
                0,
            ))?;
        }
        for program in &self.outer_filters {
            seccompiler::apply_filter(program)
                .map_err(|_| io::Error::from(io::ErrorKind::PermissionDenied))?;
        }
        Ok(())
    }
}

const CLOSE_RANGE_CLOEXEC: u32 = 4;

const NO_LANDLOCK: &str = "this kernel has no Landlock (Linux 5.13 and newer, when it is enabled)";

/// Limits of installers and of what they build: for each process, but for the number of processes.
pub(super) fn limits_of_installers() -> Vec<Limit> {
    const GIB: u64 = 1 << 30;
    let mut limits = vec![
        (i64::from(libc::RLIMIT_CORE), 0),
        // of one process: a compiler works on several cores at once
        (i64::from(libc::RLIMIT_CPU), 4 * 3600),
        (i64::from(libc::RLIMIT_DATA), 16 * GIB),
        (i64::from(libc::RLIMIT_FSIZE), 16 * GIB),
        (i64::from(libc::RLIMIT_NOFILE), 16384),
    ];
    // the kernel counts all of a user's, those outside included, and none of root's
    limits.push((
        i64::from(libc::RLIMIT_NPROC),
        sandbox_user::threads_of_user() + 4096,
    ));
    limits
}

/// The Landlock version of the running kernel, or -1.
fn landlock_version() -> i64 {
    const VERSION: u32 = 1;
    // SAFETY: asks for the version; a null attribute of size 0 is what the kernel wants for that.
    unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0_usize,
            VERSION,
        )
    }
}

/// The fence holds one descriptor for every path that may be read. The soft limit is for programs that use
/// `select`, which this one does not; children get their own.
fn open_many_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: plain system calls with a pointer to a structure on this stack. Where one is refused the limit
    // stays, and too many files are an error later.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// Paths opened once for all rulesets.
struct Opened {
    read: Vec<(PathFd, bool)>,
    list: Vec<PathFd>,
    proc: Option<PathFd>,
    devices: Vec<PathFd>,
}

impl Opened {
    /// # Errors
    /// There are too many. A path that went away meanwhile is left out.
    fn new(grants: &Grants) -> Result<Self, String> {
        open_many_files();
        let mut exhausted = None;
        let mut open = |path: &Path| match PathFd::new(path) {
            Ok(opened) => Some(opened),
            Err(error) => {
                let why = error.to_string();
                if ran_out(&why) {
                    exhausted.get_or_insert(why);
                }
                None
            }
        };
        let opened = Self {
            read: grants
                .read
                .iter()
                .filter_map(|path| Some((open(path)?, path.is_dir())))
                .collect(),
            list: grants.list.iter().filter_map(|path| open(path)).collect(),
            proc: open(Path::new("/proc")),
            devices: [
                "/dev/null",
                "/dev/zero",
                "/dev/full",
                "/dev/random",
                "/dev/urandom",
            ]
            .iter()
            .filter_map(|path| open(Path::new(path)))
            .collect(),
        };
        exhausted.map_or(Ok(opened), Err)
    }
}

/// One ruleset: reads what was granted, writes beneath the directories given.
fn ruleset(
    network: NetworkMode,
    opened: &Opened,
    writable: &[&Path],
    supervisor: bool,
) -> Result<OwnedFd, String> {
    make(network, opened, writable, supervisor)
        .map_err(|error| format!("Landlock: {error}"))?
        .ok_or_else(|| "Landlock is not enabled".to_owned())
}

fn make(
    network: NetworkMode,
    opened: &Opened,
    writable: &[&Path],
    supervisor: bool,
) -> Result<Option<OwnedFd>, landlock::RulesetError> {
    const BEST: ABI = ABI::V9;
    let file = AccessFs::ReadFile | AccessFs::Execute;
    let read = file | AccessFs::ReadDir;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(BEST))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    if network == NetworkMode::Deny {
        ruleset = ruleset.handle_access(AccessNet::from_all(BEST))?;
    }
    let mut created = ruleset.create()?;
    for (fd, is_folder) in &opened.read {
        created = allow(created, fd, if *is_folder { read } else { file })?;
    }
    for fd in &opened.list {
        created = allow(created, fd, AccessFs::ReadDir.into())?;
    }
    for fd in &opened.devices {
        created = allow(created, fd, AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    if supervisor && let Some(fd) = &opened.proc {
        created = allow(created, fd, AccessFs::ReadFile | AccessFs::ReadDir)?;
    }
    for path in writable {
        if let Ok(fd) = PathFd::new(path) {
            created = allow(created, &fd, AccessFs::from_all(BEST))?;
        }
    }
    Ok(created.into())
}

fn allow(
    created: RulesetCreated,
    fd: &PathFd,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    created.add_rule(PathBeneath::new(fd, access))
}
