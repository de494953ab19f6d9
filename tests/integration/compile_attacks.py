# What a malicious pipeline tries. Every function returns something true if it got what it wanted.
import ctypes
import errno
import json
import os
import platform
import signal
import socket
import sys
import time

BAIT = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bait.json')))
LIBC = ctypes.CDLL(None, use_errno=True)


def outside(name):
    return os.path.join(BAIT['outside'], name)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def append(path):
    with open(path, 'ab') as file:
        file.write(b'# was here\n')
    return True


def reaches(number, *arguments):
    """Whether the kernel looks at a call's arguments, instead of refusing the call."""
    ctypes.set_errno(0)
    result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments))
    return result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS, errno.EACCES)


def environment_own():
    return os.environ.get('BAIT_SECRET')


def environment_of_the_program():
    return b'PATH=' in read('/proc/%d/environ' % BAIT['program'])


def environment_of_the_supervisor():
    return b'PATH=' in read('/proc/%d/environ' % os.getppid())


def memory_of_the_supervisor():
    return open('/proc/%d/mem' % os.getppid(), 'rb')


def read_checkout_token():
    return read(os.path.join(BAIT['root'], '.git/config'))


def read_dot_env():
    return read(os.path.join(BAIT['root'], 'deep/.env.production'))


def read_home():
    return read(outside('home/.netrc'))


def read_service_account_token():
    return read(outside('token'))


def read_cluster_token():
    return read(BAIT['cluster_token'])


def read_event_file():
    return read(outside('event.json'))


def write_event_file():
    return append(outside('event.json'))


def read_through_own_link():
    os.symlink(outside('token'), os.path.join(os.environ['TMPDIR'], 'own-link'))
    return read(os.path.join(os.environ['TMPDIR'], 'own-link'))


def read_through_link():
    return read(os.path.join(BAIT['root'], 'link'))


def list_home():
    return os.listdir(outside('home'))


def watch_home():
    return LIBC.inotify_add_watch(LIBC.inotify_init1(0), outside('home').encode(), 0xfff) > 0


def write_sources():
    return append(os.path.join(BAIT['root'], 'victim.py'))


def write_own_source():
    return append(os.path.abspath(__file__))


def write_new_source():
    return append(os.path.join(BAIT['root'], 'new_pipeline.py'))


def write_runner_file():
    return append(outside('github_env'))


def write_cache():
    return append(os.path.join(BAIT['cache'], 'bait-%d' % BAIT['round']))


def write_interpreter():
    import yaml
    return append(os.path.join(os.path.dirname(yaml.__file__), 'bait-%d.py' % BAIT['round']))


def write_other_pipelines_directory():
    own = os.environ['TMPDIR']
    other = [slot for slot in ('0', '1') if not own.endswith('/' + slot)][0]
    return append(os.path.join(os.path.dirname(own), other, 'x'))


def list_other_pipelines_directory():
    own = os.environ['TMPDIR']
    other = [slot for slot in ('0', '1') if not own.endswith('/' + slot)][0]
    os.listdir(os.path.join(os.path.dirname(own), other))
    return True


def write_shared_memory():
    path = '/dev/shm/kfp-gitops-bait-%d' % os.getpid()
    append(path)
    os.unlink(path)
    return True


def write_kernel_setting():
    return open('/proc/sys/kernel/core_pattern', 'r+')


def write_into_the_supervisors_pipes():
    """Where the results of all pipelines pass: who writes there answers for any of them."""
    folder = '/proc/%d/fd' % os.getppid()
    for name in os.listdir(folder):
        if os.readlink(os.path.join(folder, name)).startswith('pipe:'):
            try:
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK))
                return True
            except OSError:
                pass
    return False


def truncate_outside():
    os.truncate(outside('truncated'), 0)
    return os.stat(outside('truncated')).st_size == 0


def truncate_by_reading():
    os.close(os.open(outside('truncated2'), os.O_RDONLY | os.O_TRUNC))
    return os.stat(outside('truncated2')).st_size == 0


def remove_outside():
    os.unlink(outside('removed'))
    return True


def rename_outside():
    os.rename(outside('renamed'), outside('renamed2'))
    return True


def link_outside():
    os.link(outside('token'), os.path.join(os.environ['TMPDIR'], 'token'))
    return read(os.path.join(os.environ['TMPDIR'], 'token'))


def chmod_outside():
    os.chmod(outside('chmod'), 0o600)
    return os.stat(outside('chmod')).st_mode & 0o777 == 0o600


def fchmod_outside():
    with open(os.path.join(BAIT['root'], 'victim.py')) as file:
        os.fchmod(file.fileno(), 0o640)
        return os.fstat(file.fileno()).st_mode & 0o777 == 0o640


def chown_outside():
    os.chown(outside('chmod'), 12345, 12345)
    return os.stat(outside('chmod')).st_uid == 12345


def utime_outside():
    os.utime(outside('chmod'), (1, 1))
    return os.stat(outside('chmod')).st_mtime == 1


def xattr_outside():
    os.setxattr(outside('chmod'), 'user.bait', b'x')
    return os.getxattr(outside('chmod'), 'user.bait')


def tcp_connect():
    socket.create_connection(('127.0.0.1', BAIT['tcp']), 2).close()
    return True


def tcp_listen():
    socket.create_server(('127.0.0.1', 0)).close()
    return True


def udp_send():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', BAIT['tcp']))


def unix_connect():
    socket.socket(socket.AF_UNIX).connect(outside('docker.sock'))
    return True


def abstract_connect():
    socket.socket(socket.AF_UNIX).connect('\0' + BAIT['abstract'])
    return True


def pair_of_datagrams():
    # no socket can be made alone, and one of a pair may send elsewhere
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]


def datagram_to_a_socket():
    return pair_of_datagrams().sendto(b'x', outside('log.sock'))


def datagrams_of_a_socket():
    pair_of_datagrams().connect(outside('log.sock'))
    return True


def pair_of_another_family():
    # nothing has pairs of these; the kernel says so after it has made them
    return reaches(53, socket.AF_INET, socket.SOCK_STREAM, 0, ctypes.addressof((ctypes.c_int * 2)()))


def netlink():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


def signal_program():
    os.kill(BAIT['program'], 0)
    return True


def signal_supervisor():
    os.kill(os.getppid(), 0)
    return True


def sibling_sleeps():
    time.sleep(3)
    return True


def siblings():
    """The supervisor's other children; where nobody says which, the numbers near its own."""
    parent = os.getppid()
    try:
        with open('/proc/%d/task/%d/children' % (parent, parent)) as children:
            found = [int(pid) for pid in children.read().split()]
    except OSError:
        found = range(parent + 1, parent + 200)
    return [pid for pid in found if pid != os.getpid()]


def signal_sibling():
    for pid in siblings():
        try:
            os.kill(pid, 0)
            return True
        except OSError:
            pass
    return False


def trace_sibling():
    others = siblings()
    pid = os.fork()
    if pid == 0:
        # its siblings are those of its parent
        os._exit(0 if any(LIBC.ptrace(0x4206, sibling, 0, 0) == 0 for sibling in others) else 1)
    return os.waitpid(pid, 0)[1] == 0


def result_of_a_sibling():
    """The pipe that another pipeline's result goes through."""
    for sibling in siblings():
        folder = '/proc/%d/fd' % sibling
        try:
            for name in os.listdir(folder):
                if os.readlink(os.path.join(folder, name)).startswith('pipe:'):
                    os.close(os.open(os.path.join(folder, name), os.O_RDWR | os.O_NONBLOCK))
                    return True
        except OSError:
            pass
    return False


def memory_of_the_program():
    return open('/proc/%d/mem' % BAIT['program'], 'rb')


def trace_the_program():
    pid = os.fork()
    if pid == 0:
        # PTRACE_SEIZE, which does not stop it; with this process the kernel lets go of it
        os._exit(0 if LIBC.ptrace(0x4206, BAIT['program'], 0, 0) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0


def raise_own_limits():
    import resource
    # they are low already where this program set them
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    return True


def trace():
    pid = os.fork()
    if pid == 0:
        os._exit(0 if LIBC.ptrace(0, 0, 0, 0) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0


def priority_of_the_supervisor():
    os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()) + 1)
    return True


def limits_of_the_supervisor():
    import resource
    return resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)


def affinity_of_the_supervisor():
    os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))
    return True


def few_processes():
    return fork_bomb(20)


def fork_bomb(count=400):
    children = []
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            children.append(pid)
        return True
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def memory():
    return len(bytearray(700_000_000))


def allocate(name, size):
    """Takes the room on the disk without writing to it."""
    descriptor = os.open(os.path.join(os.environ['TMPDIR'], name), os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(descriptor, 0, size)
    os.close(descriptor)
    return True


def some_disk():
    return allocate('some', 20 << 20)


def some_disk_again():
    return not os.listdir(os.environ['TMPDIR']) and some_disk()


def orphan(work):
    """What a process that has left its parent and its session says."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.close(reading)
        try:
            os.write(writing, b'1' if work() else b'')
        finally:
            os._exit(0)
    os.wait()
    os.close(writing)
    return reading


def wait_to_be_seen():
    time.sleep(3 if not BAIT['open'] else 0)


def memory_of_orphans():
    def take():
        block = b'x' * 300_000_000
        wait_to_be_seen()
        return block
    # each of them alone is within the limit
    return all([os.read(one, 1) for one in [orphan(take), orphan(take)]])


def many_orphans():
    def live():
        wait_to_be_seen()
        return True
    return all([os.read(one, 1) for one in [orphan(live) for _ in range(300)]])


def memory_of_nobody():
    descriptor = os.memfd_create('x')
    os.posix_fallocate(descriptor, 0, 700_000_000)
    return True


def memory_of_sockets():
    """What is sent and not read is no process's memory."""
    def send():
        held = []
        try:
            while len(held) < 900:
                held += socket.socketpair()
                for one in held[-2:]:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
                    one.setblocking(False)
                    if not BAIT['open']:
                        one.send(b'x' * 60_000)
        except OSError:
            return False
        wait_to_be_seen()
        return held[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    return all([os.read(one, 1) for one in [orphan(send) for _ in range(4)]])


def unnamed_files():
    held = []
    for number in range(4):
        path = os.path.join(os.environ['TMPDIR'], 'unnamed-%d' % number)
        held.append(os.open(path, os.O_CREAT | os.O_RDWR))
        os.unlink(path)
        os.posix_fallocate(held[-1], 0, 40 << 20)
    return held


def fill_disk_without_names():
    held = unnamed_files()
    wait_to_be_seen()
    return held


def fill_disk_without_descriptors():
    import mmap
    held = []
    for number in range(4):
        path = os.path.join(os.environ['TMPDIR'], 'mapped-%d' % number)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
        os.unlink(path)
        os.posix_fallocate(descriptor, 0, 40 << 20)
        held.append(mmap.mmap(descriptor, 40 << 20))
        os.close(descriptor)
    wait_to_be_seen()
    return True


def fill_disk_by_an_orphan():
    return os.read(orphan(fill_disk_without_names), 1)


def hide_what_is_open():
    return LIBC.prctl(4, 0, 0, 0, 0) == 0


def hide_by_a_closed_program():
    """Of a program that may not be read, nobody but root sees what it holds."""
    path = os.path.join(os.environ['TMPDIR'], 'closed-program')
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o111)
    os.write(descriptor, read('/bin/sleep'))
    os.close(descriptor)
    pid = os.fork()
    if pid == 0:
        for one in unnamed_files():
            os.set_inheritable(one, True)
        os.execv(path, [path, '4' if not BAIT['open'] else '0'])
    return os.waitpid(pid, 0)[1] == 0


def belong_to_another_pipeline():
    import resource
    slot = resource.getrlimit(10)[0]
    resource.setrlimit(10, (max(slot - 1, 0), max(slot - 1, 0)))
    return True


def write_workflow(path):
    return append(os.path.join(BAIT['root'], path))


def write_workflow_of_github():
    return write_workflow('.github/workflows/deploy.yml')


def write_workflow_of_gitea():
    return write_workflow('.gitea/workflows/deploy.yml')


def write_new_workflow():
    return write_workflow('.github/workflows/new-%d.yml' % BAIT['round'])


def write_standard_library():
    # opened and left as it is
    open(os.__file__, 'ab').close()
    return True


def write_beside_the_interpreter():
    # itself it cannot be opened while it runs, whoever asks
    path = os.path.join(os.path.dirname(os.path.realpath(sys.executable)), 'kfp-gitops-bait-%d' % os.getpid())
    append(path)
    os.unlink(path)
    return True


def replace_the_interpreter():
    program = os.path.realpath(sys.executable)
    other = program + '-kfp-gitops-bait-%d' % os.getpid()
    os.link(program, other)
    try:
        os.rename(other, program)  # the same file under the same name: nothing changes, and both stay
    finally:
        os.unlink(other)
    return True


def read_shadow():
    return read('/etc/shadow')


def large_file():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return allocate('large', 100 << 20)


def fill_disk():
    for number in range(4):
        allocate('part-%d' % number, 40 << 20)
    time.sleep(5 if not BAIT['open'] else 0)
    return True


def leave_a_link():
    """The directory is emptied for the next pipeline: what a link in it leads to must stay."""
    os.symlink(outside('home'), os.path.join(os.environ['TMPDIR'], 'home'))
    os.makedirs(os.path.join(os.environ['TMPDIR'], 'closed', 'deeper'))
    os.chmod(os.path.join(os.environ['TMPDIR'], 'closed'), 0)
    return True


def deep_folders():
    """Deeper than Python nests calls, for whoever looks at them and clears them away."""
    os.chdir(os.environ['TMPDIR'])
    for _ in range(3000):
        os.mkdir('d')
        os.chdir('d')
    time.sleep(1)
    return True


def new_user_namespace():
    return LIBC.unshare(0x10000000) == 0


def clone_into_namespace():
    pid = LIBC.syscall(ctypes.c_long(56), ctypes.c_long(0x10000000 | signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
    return pid > 0


def call_bpf():
    return reaches(321, 9999, 0, 0)


def call_io_uring():
    return reaches(425, 0, 0)


def call_userfaultfd():
    return reaches(323, 0xffff)


def call_perf_event_open():
    return reaches(298, 0, 0, -1, -1, 0)


def call_keyctl():
    return reaches(250, 9999)


def call_process_vm_readv():
    return reaches(310, os.getpid(), 0, 0, 0, 0, 0)


def call_pidfd_getfd():
    return reaches(438, -1, 0, 0)


def call_setns():
    return reaches(308, -1, 0)


def call_mount():
    return reaches(165, 0, 0, 0, 0, 0)


def call_open_by_handle_at():
    return reaches(304, -1, 0, 0)


def call_message_queues():
    # their numbers can be guessed
    return reaches(69, -1, 0, 0, 0) or reaches(70, -1, 0, 0, 0, 0) or reaches(65, -1, 0, 0) or reaches(220, -1, 0, 0, 0)


def call_statmount():
    return reaches(457, 0, 0, 0, 0) or reaches(458, 0, 0, 0, 0)


def call_open_tree_attr():
    return reaches(467, -1, 0, 0, 0, 0)


def call_quotactl_fd():
    return reaches(443, -1, 0, 0, 0)


def call_x32():
    # the same getpid under its second number; kernels without x32 have none
    return LIBC.syscall(ctypes.c_long(0x40000000 | 39)) > 0


def outlives():
    """Double fork into another session; says the process's number, and whether it lived on for a while."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            os.closerange(0, 3)
            time.sleep(600)
            os._exit(0)
        os.write(writing, str(pid).encode())
        os._exit(0)
    os.wait()
    return os.read(reading, 20).decode()
