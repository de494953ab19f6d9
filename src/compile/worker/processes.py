MARK = 10  # RLIMIT_LOCKS


def processes():
    """{pid: (parent, resident bytes)} of everything visible, Linux only."""
    table = {}
    page = os.sysconf('SC_PAGE_SIZE')
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                fields = state_of(name)
                resident = int(fields[21])
                if fields[0] == b'Z' and int(fields[17]) > 1:
                    # its first thread has ended, and tells nothing of what the others still hold
                    resident = max(int(state_of('%s/task/%s' % (name, one))[21]) for one in os.listdir('/proc/%s/task' % name))
                table[int(name)] = (int(fields[1]), resident * page)
            except (OSError, IndexError, ValueError):
                pass
    return table


def state_of(name):
    with open('/proc/%s/stat' % name, 'rb') as file:
        return file.read().rpartition(b')')[2].split()


def marked(pid):
    """The slot of the child that started it, however far it went from there; None if nobody knows."""
    try:
        with open('/proc/%d/limits' % pid, 'rb') as limits:
            for line in limits:
                if line.startswith(b'Max file locks'):
                    return int(line.split()[3])
    except (OSError, IndexError, ValueError):
        pass
    return None


def descendants(pids, table):
    below = {}
    for pid, (parent, _) in table.items():
        below.setdefault(parent, []).append(pid)
    found, queue = [], list(pids)
    while queue:
        for other in below.get(queue.pop(), ()):
            if other not in pids:
                found.append(other)
                queue.append(other)
    return found


def usage(pid, slot, known):
    """(processes, resident bytes beyond what was shared at the fork) of a child and all it started.

    What left its parent hangs on the supervisor: those are told by their mark.
    """
    try:
        table = processes()
    except OSError:
        return [], 0
    me = os.getpid()
    roots = [pid] + [other for other, (parent, _) in table.items() if parent == me and other not in known and marked(other) == slot]
    all_of_it = roots + descendants(roots, table)
    base = table.get(me, (0, 0))[1]
    return all_of_it, sum(max(0, table[one][1] - base) for one in all_of_it if one in table)


class Hidden(Exception):
    """A process that its supervisor cannot look into."""


def held(pids, directory):
    """(bytes of files without a name that these processes hold open or mapped, bytes that their sockets may hold)"""
    files, mapped, sockets = {}, {}, set()
    beneath = os.fsencode(directory) + b'/'
    for pid in pids:
        try:
            # each thread may have descriptors of its own
            for thread in os.listdir('/proc/%d/task' % pid):
                folder = '/proc/%d/task/%s/fd/' % (pid, thread)
                for name in os.listdir(folder):
                    state = os.stat(folder + name)
                    if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
                        files[state.st_ino] = state.st_blocks * 512
                    elif stat.S_ISSOCK(state.st_mode):
                        sockets.add(state.st_ino)
                with open('/proc/%d/task/%s/maps' % (pid, thread), 'rb') as maps:
                    for line in maps:
                        if line.endswith(b' (deleted)\n') and beneath in line:
                            addresses, _, offset, _, inode = line.split(None, 5)[:5]
                            begin, end = (int(one, 16) for one in addresses.split(b'-'))
                            mapped.setdefault(int(inode), {})[offset] = end - begin
        except PermissionError:
            raise Hidden() from None
        except (OSError, ValueError):
            pass  # it ended meanwhile
    for inode, parts in mapped.items():
        files.setdefault(inode, sum(parts.values()))
    return sum(files.values()), len(sockets) * SOCKET


def size(directory):
    """(entries, bytes) beneath a directory; stops counting where it is too much anyway."""
    entries = written = 0
    # no recursion: a file can nest folders deeper than Python nests calls
    folders = [directory]
    while folders and entries <= 20000:
        try:
            found = list(os.scandir(folders.pop()))
        except OSError:
            continue
        entries += len(found)
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    written += entry.stat(follow_symlinks=False).st_blocks * 512
            except OSError:
                pass
    return entries, written


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def kill_tree(*pids):
    """Children and everything below them. Stopped first, so that nothing forks away while it is being killed."""
    stopped = set(pids)
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    try:
        for _ in range(100):
            found = [other for other in descendants(pids, processes()) if other not in stopped]
            if not found:
                break
            for other in found:
                kill(other, signal.SIGSTOP)
                stopped.add(other)
    except OSError:
        pass
    for other in stopped:
        kill(other)
    for pid in pids:
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass


def own_children():
    try:
        with open('/proc/self/task/%d/children' % os.getpid(), 'rb') as children:
            return [int(pid) for pid in children.read().split()]
    except OSError:
        pass
    try:
        return [pid for pid, (parent, _) in processes().items() if parent == os.getpid()]
    except OSError:
        return []


def kill_orphans(known, slot=None):
    """This process is the reaper of everything below it: what hangs on it and is not a known child was left behind."""
    for _ in range(1000):
        left = [pid for pid in own_children() if pid not in known and (slot is None or marked(pid) in (slot, None))]
        if not left:
            return
        kill_tree(*left)
        for pid in left:
            try:
                os.waitpid(pid, 0)
            except OSError:
                pass


def become_reaper():
    if LINUX:
        try:
            import ctypes
            library = ctypes.CDLL(None, use_errno=True)
            library.prctl(36, ctypes.c_ulong(1), 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
            library.prctl(4, ctypes.c_ulong(0), 0, 0, 0)  # PR_SET_DUMPABLE: no other process of the user may look in
        except (OSError, AttributeError, ImportError):
            pass


def socket_bytes():
    """What can be sent into a socket before anybody reads: kernel memory that no process is told to have.

    Nobody says how full one is. A child cannot make it more than this.
    """
    try:
        with open('/proc/sys/net/core/wmem_default', 'rb') as setting:
            return int(setting.read())
    except (OSError, ValueError):
        return 212992  # as Linux has it


SOCKET = socket_bytes()


def base_memory():
    try:
        with open('/proc/self/statm', 'rb') as statm:
            return int(statm.read().split()[0]) * os.sysconf('SC_PAGE_SIZE')
    except (OSError, ValueError, IndexError):
        return 1 << 30


HELPERS = ('resource', 'ctypes', 'base64')


def user_processes():
    """How many threads the user has already: the kernel's limit counts them all, and calls them processes."""
    count, me = 0, os.geteuid()
    try:
        for name in os.listdir('/proc'):
            if name.isdigit():
                try:
                    if os.stat('/proc/' + name).st_uid == me:
                        # a folder for each thread, beside its own two names
                        count += max(1, os.stat('/proc/' + name + '/task').st_nlink - 2)
                except OSError:
                    pass
    except OSError:
        return 4096
    return count
