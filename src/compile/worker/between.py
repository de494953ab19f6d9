# ---------------------------------------------------------------------------------------------
# In the child: what a result depends on, for the cache
# ---------------------------------------------------------------------------------------------

RECORD = None  # the recorder of this child, once it records
WATCHED = None  # what this child asks of variables that are kept from it
EARLY = set()  # variables that kfp and its packages asked for while they were imported
STANDARD = os.path.dirname(OS_SOURCE) + os.sep
CLOCKS = frozenset(('now', 'utcnow', 'today'))
CLOCK_CALLS = frozenset('<built-in method %s>' % name for name in CLOCKS)  # as the profiler names them

# Audit events that nothing which is kept can answer for.
UNSURE = {
    'subprocess.Popen': 'starts a program',
    'os.system': 'starts a program',
    'os.exec': 'starts a program',
    'os.posix_spawn': 'starts a program',
    'os.spawn': 'starts a program',
    'pty.spawn': 'starts a program',
    'os.fork': 'forks',
    'os.forkpty': 'forks',
    'sqlite3.connect': 'opens a database',
    'urllib.Request': 'uses the network',
    'os.listxattr': 'reads file attributes',
    'os.getxattr': 'reads file attributes',
}
for _name in ('mkdir', 'remove', 'rmdir', 'rename', 'link', 'symlink', 'truncate', 'chmod', 'chown', 'utime', 'chflags',
              'lockf', 'setxattr', 'removexattr'):
    UNSURE['os.' + _name] = 'changes files'
UNSURE_FAMILIES = {'socket': 'uses the network', 'ctypes': 'calls native code'}

# Functions of the path modules that only tell what kind of thing lies at a path.
KIND_ONLY = frozenset(('exists', 'lexists', 'isfile', 'isdir', 'islink', 'ismount', 'realpath', '_joinrealpath', 'is_file',
                       'is_dir', 'is_symlink', 'is_mount', 'resolve', 'is_junction', '_exists', '_is_dir', '_is_file'))


class _Through:
    """Stands for a builtin and tells the recorder. No function, because those become methods in classes."""

    def __init__(self, real, notice):
        self._real = real
        self._notice = notice
        for name in ('__name__', '__qualname__', '__doc__', '__module__', '__text_signature__'):
            setattr(self, name, getattr(real, name, None))

    def __call__(self, *arguments, **options):
        if RECORD is not None:
            self._notice(RECORD, arguments, options)
        return self._real(*arguments, **options)

    def __repr__(self):
        return repr(self._real)


class _Beneath(_Through):
    """The same in the module beneath `os`. The import system asks there too, and that is recorded name by name."""

    def __call__(self, *arguments, **options):
        if RECORD is not None and not sys._getframe(1).f_code.co_filename.startswith('<frozen'):
            self._notice(RECORD, arguments, options)
        return self._real(*arguments, **options)


def put_between():
    """Wraps what the audit hook does not see. Done before anything keeps a reference to the originals."""

    # what `os` hands on is reached there as well
    beneath = sys.modules.get('posix')

    def through(module, names, notice):
        for name in names:
            real = getattr(module, name, None)
            if real is None or isinstance(real, _Through):
                continue
            wrapped = _Through(real, notice)
            for group in ('supports_dir_fd', 'supports_effective_ids', 'supports_fd', 'supports_follow_symlinks'):
                members = getattr(module, group, None)
                if members is not None and real in members:
                    members.add(wrapped)
            setattr(module, name, wrapped)
            if module is os and getattr(beneath, name, None) is real:
                setattr(beneath, name, _Beneath(real, notice))

    def unsure(why):
        return lambda record, _arguments, _options: record.unsure(why, forgiven=True)

    def without_argument(position):
        def notice(record, arguments, _options):
            if len(arguments) <= position or arguments[position] is None:
                record.unsure('reads the clock', forgiven=True)
        return notice

    def stat(record, arguments, options):
        path = arguments[0] if arguments else options.get('path')
        if isinstance(path, int):
            record.unsure('reads the times of an open file', forgiven=True)
        elif options.get('dir_fd') is not None:
            record.unsure('looks at files in an open folder')
        elif path is not None:
            record.stat(path)

    def access(record, arguments, options):
        if len(arguments) > 1 and arguments[1] == os.F_OK and not isinstance(arguments[0], int) and not options:
            record.kind(arguments[0])
        else:
            record.unsure('asks for permissions')

    def opened(record, _arguments, options):
        if options.get('dir_fd') is not None:
            record.unsure('opens files in an open folder')

    def configured(record, arguments, _options):
        # what the standard library sizes its buffers by
        if arguments[:1] not in (('SC_OPEN_MAX',), ('SC_IOV_MAX',), ('SC_PAGE_SIZE',), ('SC_PAGESIZE',)):
            record.unsure('asks for the machine', forgiven=True)

    variables = _Variables(os.environ._data)
    os.environ._data = variables
    if hasattr(os, 'environb'):
        os.environb._data = variables
    if hasattr(beneath, 'environ'):
        beneath.environ = variables
    through(os, ('open',), opened)
    through(os, ('stat', 'lstat', 'readlink'), stat)
    through(os, ('access',), access)
    through(os, ('sysconf',), configured)
    through(os, ('fstat',), unsure('reads the times of an open file'))
    through(os, ('urandom', 'getrandom'), unsure('draws random numbers'))
    through(os, ('getpid', 'getppid', 'getpgid', 'getpgrp', 'getsid'), unsure('asks for its process'))
    through(os, ('uname', 'getlogin', 'getuid', 'geteuid', 'getgid', 'getegid', 'getgroups', 'cpu_count', 'process_cpu_count',
                 'getloadavg', 'sched_getaffinity', 'statvfs', 'times', 'getpriority', 'pathconf', 'getresuid',
                 'getresgid', 'umask'), unsure('asks for the machine'))
    through(time, ('time', 'time_ns', 'monotonic', 'monotonic_ns', 'perf_counter', 'perf_counter_ns', 'process_time',
                   'process_time_ns', 'thread_time', 'thread_time_ns', 'clock_gettime', 'clock_gettime_ns'),
            unsure('reads the clock'))
    through(time, ('localtime', 'gmtime', 'ctime', 'asctime'), without_argument(0))
    through(time, ('strftime',), without_argument(1))


def put_between_later():
    """The same for modules that are there once kfp is imported. All of this runs before any file does."""
    import logging
    import platform
    import random
    import re
    import threading
    import uuid

    def unsure(why):
        return lambda record, _arguments, _options: record.unsure(why, forgiven=True)

    sys.modules['_random'].Random = _Seeded
    for name in dir(random):
        if getattr(getattr(random, name), '__self__', None) is getattr(random, '_inst', random):
            setattr(random, name, _Through(getattr(random, name), unsure('draws random numbers')))
    seed = random.Random.seed

    def recorded_seed(self, a=None, *arguments, **options):
        if a is None and RECORD is not None:
            RECORD.unsure('draws random numbers', forgiven=True)
        return seed(self, a, *arguments, **options)

    random.Random.seed = recorded_seed
    for name in ('uuid1', 'getnode'):
        setattr(uuid, name, _Through(getattr(uuid, name), unsure('draws random numbers')))
    platform.uname()  # remembered there, so that only what names the machine counts from now on
    for name in ('node', 'release', 'version', 'platform', 'processor', 'libc_ver', 'freedesktop_os_release'):
        if hasattr(platform, name):
            setattr(platform, name, _Through(getattr(platform, name), unsure('asks for the machine')))

    def outside(record, _arguments, _options):
        if sys._getframe(2).f_code.co_filename != platform.__file__:
            record.unsure('asks for the machine', forgiven=True)

    platform.uname = _Through(platform.uname, outside)
    for module in (threading, sys.modules['_thread']):
        for name in ('_start_new_thread', '_start_joinable_thread', 'start_new_thread', 'start_new', 'start_joinable_thread'):
            if hasattr(module, name):
                setattr(module, name, _Through(getattr(module, name), unsure('starts a thread')))
        setattr(module, 'get_native_id', _Through(module.get_native_id, unsure('asks for its process')))
    varying = re.compile(r'(created|msecs|relativeCreated|process|thread)\b')
    format_time, format_message = logging.Formatter.formatTime, logging.Formatter.formatMessage

    def recorded_time(self, *arguments, **options):
        if RECORD is not None:
            RECORD.unsure('prints the time')
        return format_time(self, *arguments, **options)

    def recorded_message(self, record):
        # every record holds the time and the numbers of its process and thread: what shows them is the format
        if RECORD is not None and varying.search(str(self._fmt)):
            RECORD.unsure('prints the time')
        return format_message(self, record)

    logging.Formatter.formatTime = recorded_time
    logging.Formatter.formatMessage = recorded_message


# What only says it is there once it is imported: module, functions, why nothing is kept of who calls them.
LATER = {
    'email.utils': (('localtime',), 'reads the clock'),
    'ssl': (('RAND_bytes', 'RAND_pseudo_bytes'), 'draws random numbers'),
    '_ssl': (('RAND_bytes', 'RAND_pseudo_bytes'), 'draws random numbers'),
    '_uuid': (('generate_time_safe', 'UuidCreate'), 'draws random numbers'),
    'pwd': (('getpwuid', 'getpwnam', 'getpwall'), 'asks for the machine'),
    'grp': (('getgrgid', 'getgrnam', 'getgrall'), 'asks for the machine'),
    'resource': (('getrusage', 'getrlimit', 'prlimit'), 'asks for the machine'),
    '_posixsubprocess': (('fork_exec',), 'starts a program'),
    '_dbm': (('open',), 'opens a database'),
    '_gdbm': (('open',), 'opens a database'),
}


def stand_between(module):
    names, why = LATER[module.__name__]
    for name in names:
        real = getattr(module, name, None)
        if real is not None and not isinstance(real, _Through):
            setattr(module, name, _Through(real, lambda record, _arguments, _options: record.unsure(why, forgiven=True)))


def stand_between_later(name, spec):
    """The same for a module that is found now, once it has been loaded."""
    loader = getattr(spec, 'loader', None)
    load = getattr(loader, 'exec_module', None)
    if name not in LATER or load is None:
        return

    def loaded(module):
        load(module)
        stand_between(module)

    try:
        loader.exec_module = loaded
    except AttributeError:
        pass


class _Seeded:
    """Stands for the generator in machine code beneath `random`, which seeds itself where no hook sees it."""

    def __new__(cls, *arguments):
        if RECORD is not None and (not arguments or arguments[0] is None):
            RECORD.unsure('draws random numbers', forgiven=True)
        import random
        return random.Random(*arguments)


class _Variables(dict):
    """The data of `os.environ`: tells which names were asked for."""


def _one(method):
    real = getattr(dict, method)

    def one(self, name, *arguments):
        if isinstance(name, (str, bytes)):
            text = os.fsdecode(name)
            (EARLY if RECORD is None else RECORD.environment).add(text)
            if WATCHED is not None:
                WATCHED.one(text)
        return real(self, name, *arguments)

    return one


for _name in ('__getitem__', '__contains__', 'get', 'pop', 'setdefault'):
    setattr(_Variables, _name, _one(_name))


def _whole(name):
    real = getattr(dict, name)

    def whole(self, *arguments):
        if WATCHED is not None:
            WATCHED.all()
        if RECORD is not None:
            RECORD.unsure('reads the whole environment')
        else:
            EARLY.update(os.fsdecode(key) for key in dict.keys(self))
        return real(self, *arguments)

    return whole


for _name in ('__iter__', 'keys', 'items', 'values', 'copy'):
    setattr(_Variables, _name, _whole(_name))


put_between()
