class Fence:
    """What a child puts up around itself before the file runs. All of it was built by the program."""

    RESTRICT_SELF = 446  # landlock_restrict_self, the same number on every architecture
    SET_SECCOMP, FILTER_MODE = 22, 2
    SET_PARENT_DEATH_SIGNAL = 1
    SET_DUMPABLE = 4

    def __init__(self, spec):
        import base64
        self.rulesets = spec['rulesets']
        self.directories = spec['directories']
        self.programs = [base64.b64decode(text) for text in spec['filters']]
        self.call = None
        self.prepared = []
        if LINUX and (self.rulesets or self.programs):
            import ctypes
            library = ctypes.CDLL(None, use_errno=True)
            word = ctypes.c_ulong

            def call(name, *arguments):
                if getattr(library, name)(*(word(one) if isinstance(one, int) else one for one in arguments)) != 0:
                    raise OSError(ctypes.get_errno(), 'the sandbox could not be put up (%s)' % name)

            class Program(ctypes.Structure):
                _fields_ = [('length', ctypes.c_ushort), ('instructions', ctypes.c_void_p)]

            self.call = call
            for program in self.programs:
                buffer = ctypes.create_string_buffer(program, len(program))
                header = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
                self.prepared.append((buffer, header, ctypes.byref(header)))

    def put_up(self, slot):
        if self.call is None:
            return
        # the supervisor may not be looked into, and this one's copy of that would hide what it holds open from the
        # supervisor itself; the domain that follows keeps all others out
        self.call('prctl', self.SET_DUMPABLE, 1 if self.rulesets else 0, 0, 0, 0)
        self.call('prctl', self.SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
        if self.rulesets:
            self.call('syscall', self.RESTRICT_SELF, self.rulesets[slot], 0)
            for ruleset in self.rulesets:
                os.close(ruleset)
        for _, _, reference in self.prepared:
            self.call('prctl', self.SET_SECCOMP, self.FILTER_MODE, reference, 0, 0)

    def try_out(self):
        """Whether the fence holds on this machine: the reason why not, or None."""
        if self.call is None:
            return None
        pid = os.fork()
        if pid == 0:
            try:
                self.put_up(0)
                os._exit(0)
            except BaseException:
                os._exit(1)
        return None if os.waitpid(pid, 0)[1] == 0 else 'a child could not put up its own fence'

    def clean(self, slot):
        """Empties a child's directory for the next one. The directory itself stays: rules stand on it, not on its name."""
        try:
            os.chmod(self.directories[slot], 0o700)
            empty(self.directories[slot])
        except OSError:
            shutil.rmtree(self.directories[slot], ignore_errors=True)
            try:
                os.mkdir(self.directories[slot], 0o700)
            except OSError:
                pass


def empty(directory):
    """Without recursion and through no link: a file can nest folders deeper than Python nests calls."""
    while True:
        folders = []
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                os.unlink(entry.path)
        if not folders:
            return
        for folder in folders:
            os.chmod(folder, 0o700)
            for entry in list(os.scandir(folder)):
                if entry.is_dir(follow_symlinks=False):
                    # a folder that is moved to another one must be writable itself
                    os.chmod(entry.path, 0o700)
                    os.rename(entry.path, os.path.join(directory, os.urandom(12).hex()))
                else:
                    os.unlink(entry.path)
            os.rmdir(folder)


def fence(settings, slot):
    """Closes off what only the supervisor may do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    memory = settings['memory']
    limit('RLIMIT_AS', memory + settings['base_memory'])
    limit('RLIMIT_DATA', memory + settings['base_memory'])
    limit('RLIMIT_CORE', 0)
    limit('RLIMIT_CPU', int(settings['timeout']) * 4 + 10)
    limit('RLIMIT_FSIZE', settings['file_bytes'])
    limit('RLIMIT_NOFILE', 1024)
    mark(slot)
    if os.geteuid() != 0:
        limit('RLIMIT_NPROC', settings['user_processes'] + settings['processes'])
    directory = settings['fence'].directories[slot]
    os.environ['TMPDIR'] = os.environ['HOME'] = directory
    settings['fence'].put_up(slot)


def mark(slot):
    """Writes the slot into a limit that Linux does not look at: whatever this starts has it, wherever it hides."""
    import resource
    if LINUX:
        try:
            resource.setrlimit(MARK, (slot, slot))
        except (ValueError, OSError):
            pass


def limit(name, value):
    import resource
    if hasattr(resource, name):
        try:
            _, hard = resource.getrlimit(getattr(resource, name))
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError):
            pass
