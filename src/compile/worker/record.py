def kfp_folders(settings):
    """Where the modules of kfp lie that a child has or would import."""
    places = [os.path.dirname(sys.modules['kfp'].__file__)] + [os.path.join(place, 'kfp') for place in settings['project']]
    return tuple(place + os.sep for place in places)


class Recorder:
    """What one file looked at. It says so itself: what comes out is a claim, checked where it is used."""

    def __init__(self, settings, libraries):
        root = settings['root'].rstrip(os.sep)
        self.roots = [root + os.sep]
        real = os.path.realpath(root)
        if real != root:
            self.roots.append(real + os.sep)
        self.library_folders = tuple(folder.rstrip(os.sep) + os.sep for folder in libraries)
        self.above = set()
        for place in self.roots + list(self.library_folders):
            self.above_and_itself(place)
        for program in {sys.executable, getattr(sys, '_base_executable', None), os.path.realpath(sys.executable or os.sep)}:
            self.above_and_itself(program or os.sep)
            self.above_and_itself(os.path.join(os.path.dirname(program or os.sep), 'python3'))
        self.files, self.lookups, self.kinds, self.libraries = set(), set(), set(), set()
        self.environment, self.deployed, self.reasons = set(), {}, []
        self.profiler, self.watching = None, False
        self.kfp = kfp_folders(settings)
        if settings['apart']:
            self.reasons.append('has kfp imported anew, because the project replaces packages that kfp uses')

    def above_and_itself(self, place):
        """What lies there is known from the paths themselves, which are part of the key."""
        while place not in ('', os.sep):
            self.above.add(place.rstrip(os.sep))
            place = os.path.dirname(place)
        self.above.add(os.sep)

    def start(self):
        global RECORD
        import importlib.machinery
        finder = importlib.machinery.FileFinder
        find_spec = finder.find_spec

        def recorded_find_spec(this, fullname, target=None):
            spec = find_spec(this, fullname, target)
            if RECORD is not None:
                RECORD.looked_up(this.path, fullname.rpartition('.')[2], spec)
                stand_between_later(fullname, spec)
            return spec

        def path_hook(path):
            if RECORD is not None:
                RECORD.kind(path)
            raise ImportError

        finder.find_spec = recorded_find_spec
        for name in list(LATER):
            if name in sys.modules:
                stand_between(sys.modules[name])
        sys.path_hooks.insert(0, path_hook)
        sys.addaudithook(self.audit)
        RECORD = self

    def stop(self):
        """What is known, or None where it is more than anybody will check."""
        global RECORD
        RECORD = None
        if self.profiler is not None:
            self.clocks()
        found = {
            'files': sorted(self.files),
            'lookups': sorted(self.lookups),
            'kinds': sorted(self.kinds),
            'libraries': sorted(self.libraries),
            'environment': sorted(self.environment),
            'deployed': sorted(self.deployed.items()),
            'reasons': self.reasons,
        }
        if sum(len(part) for part in found.values()) > 10000:
            return {'reasons': ['looks at more than 10 000 files']}
        try:
            json.dumps(found).encode('ascii')
            ''.join(text for part in ('files', 'kinds', 'libraries', 'environment') for text in found[part]).encode('utf-8')
        except UnicodeEncodeError:
            return {'reasons': ['looks at a file whose name is not UTF-8']}
        return found

    def audit(self, event, arguments):
        if RECORD is not self:
            return
        if event == 'open':
            self.opened(*arguments)
        elif event in ('os.listdir', 'os.scandir'):
            self.listed(arguments[0])
        elif event == 'exec':
            self.runs(arguments[0])
        elif event == 'import':
            self.imported(arguments[0], arguments[1])
        elif event == 'sys.setprofile':
            if not self.watching:
                self.unsure('is watched by a profiler of its own')
        elif event in UNSURE:
            self.unsure(UNSURE[event])
        elif event.partition('.')[0] in UNSURE_FAMILIES:
            self.unsure(UNSURE_FAMILIES[event.partition('.')[0]])

    # -- whose doing it is ------------------------------------------------------------------

    def blamed(self):
        """The nearest frame that is neither this driver's nor the standard library's, and the one below it."""
        frame, below = sys._getframe(2), None
        while frame is not None:
            name = frame.f_code.co_filename
            if name != HERE:
                standard = name.startswith('<frozen') or (name.startswith(STANDARD) and not is_site(name))
                if not standard:
                    return frame, below
                below = name
            frame = frame.f_back
        return None, below

    def unsure(self, why, forgiven=False):
        """Nothing is kept of this file. What kfp itself draws and asks never shows in what it compiles to."""
        frame, below = self.blamed()
        name = frame.f_code.co_filename if frame is not None else ''
        if forgiven and (frame is None or name.startswith(self.kfp) or (below or '').startswith(STANDARD + 'logging')):
            return
        self.reason(why, name, frame.f_lineno if frame is not None else None)

    def reason(self, why, name, line):
        for root in self.roots:
            if name.startswith(root):
                name = name[len(root):]
        text = printable('%s (%s:%d)' % (why, name, line) if line is not None else why)
        if text not in self.reasons and len(self.reasons) < 10:
            self.reasons.append(text[:500])

    # -- where it looks ---------------------------------------------------------------------

    def place(self, path):
        """('tree', relative), ('library', absolute), ('above', …) or ('outside', absolute)."""
        path = os.fsdecode(path)
        if not path.startswith(os.sep):
            path = os.getcwd() + os.sep + path
        if path.startswith(self.library_folders) and '..' not in path:
            return 'library', path
        for root in self.roots:
            if path.startswith(root):
                return 'tree', path[len(root):].strip(os.sep) or '.'
        plain = path.rstrip(os.sep) or os.sep
        if plain + os.sep in self.roots:
            return 'tree', '.'
        if plain in self.above or plain + os.sep in self.library_folders:
            return 'above', plain
        if '..' in path or '//' in path or '/./' in path:
            normal = os.path.normpath(path)
            return self.place(normal) if normal != path else ('outside', path)
        return 'outside', path

    def opened(self, path, mode, flags):
        if isinstance(path, int):
            return
        changes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        text = os.fsdecode(path)
        if text == os.devnull:
            return
        if text in ('/dev/urandom', '/dev/random'):
            self.unsure('draws random numbers')
        elif isinstance(flags, int) and flags & changes:
            self.unsure('writes a file')
        else:
            self.content(path)

    def content(self, path):
        where, name = self.place(path)
        if where == 'tree':
            self.files.add(name)
        elif where == 'library':
            self.libraries.add(name)
        elif where == 'outside':
            self.unsure('reads `%s`' % name)

    def kind(self, path):
        where, name = self.place(path)
        if where == 'tree':
            self.kinds.add(name)
        elif where == 'library':
            self.libraries.add(name)
        elif where == 'outside':
            self.unsure('looks for `%s`' % name)

    def stat(self, path):
        """What was asked for shows in the path function that asked: its kind, its content, or its times."""
        frame, function = sys._getframe(1), None
        while frame is not None:
            name = frame.f_code.co_filename
            base = os.path.basename(name)
            if name == HERE:
                pass
            elif base in ('genericpath.py', 'posixpath.py', 'pathlib.py', '_local.py', '_abc.py') or (
                    os.sep + 'pathlib' + os.sep) in name or name in ('<frozen genericpath>', '<frozen posixpath>'):
                function = frame.f_code.co_name
            else:
                break
            frame = frame.f_back
        if function in KIND_ONLY:
            self.kind(path)
        elif function == 'getsize' or (frame is not None and os.path.basename(frame.f_code.co_filename) == 'linecache.py'):
            self.content(path)
        elif self.place(path)[0] == 'library':
            self.kind(path)
        else:
            self.unsure('reads the times of `%s`' % os.fsdecode(path))

    def listed(self, path):
        caller = sys._getframe(2)
        if caller.f_code.co_filename.startswith('<frozen importlib'):
            return  # the import system fills its cache; what it looked for there is recorded name by name
        if not isinstance(path, int) and self.place(path or '.')[0] == 'library':
            self.libraries.add(self.place(path or '.')[1])
        else:
            self.unsure('lists a folder')

    def looked_up(self, folder, name, spec):
        where, place = self.place(folder or os.getcwd())
        if where == 'tree':
            self.lookups.add((place, name))
        elif where == 'library':
            self.libraries.add(place)
        origin = getattr(spec, 'origin', None)
        if origin and spec.has_location:
            self.content(origin)

    # -- what it runs -----------------------------------------------------------------------

    def runs(self, code):
        """`datetime` asks for the time where no hook sees it: code that names such a call is watched closely, by a
        profiler in machine code. What it saw is looked at in the end."""
        if self.profiler is None and not code.co_filename.startswith((STANDARD,) + self.kfp) and mentions(code):
            self.watching = True
            try:
                self.profiler = _lsprof.Profiler(subcalls=True, builtins=True)
                self.profiler.enable()
            except Exception:  # another one is at work
                self.unsure('is watched by a profiler of its own')
            finally:
                self.watching = False

    def clocks(self):
        """Who asked `datetime` for the time, or took something that would."""
        self.watching = True
        self.profiler.disable()
        known, unnamed = (STANDARD, HERE) + self.kfp, 0
        for entry in self.profiler.getstats():
            code = entry.code
            if isinstance(code, str):
                unnamed += entry.callcount if code in CLOCK_CALLS else 0
                continue
            name = code.co_filename
            asked = sum(sub.callcount for sub in entry.calls or () if sub.code in CLOCK_CALLS)
            unnamed -= asked
            if asked and not name.startswith(self.kfp + (HERE, STANDARD + 'logging')):
                self.reason('reads the clock', name, clock_line(code))
            elif not name.startswith(known) and hands_on(code):
                self.reason('reads the clock', name, clock_line(code))
        if unnamed > 0 and not self.reasons:
            self.reasons.append('reads the clock')

    def imported(self, name, path):
        """A module in machine code may look at anything. The interpreter's own ones are known."""
        if path and not (os.fsdecode(path).startswith(STANDARD) and not is_site(os.fsdecode(path))):
            self.unsure('loads `%s`, which is machine code' % name)


def hands_on(code):
    """Whether code that runs takes a clock without calling it, or by its name: what calls it then may be machine
    code, which the profiler does not see."""
    by_name = {'getattr', 'attrgetter', 'methodcaller', '__getattribute__', 'vars', '__dict__'}.intersection(code.co_names)
    if by_name and not CLOCKS.isdisjoint(one for one in code.co_consts if isinstance(one, str)):
        return True
    # taking it apart is slow, and code that does not name a clock takes none
    if CLOCKS.isdisjoint(code.co_names):
        return False
    import dis
    # since Python 3.12 one instruction does both, and its lowest bit tells a call
    both = sys.version_info >= (3, 12)
    return any(
        step.opname == 'LOAD_ATTR' and step.argval in CLOCKS and not (both and step.arg & 1)
        for step in dis.get_instructions(code))


def clock_line(code):
    """The line that names a clock."""
    import dis
    line = code.co_firstlineno
    for step in dis.get_instructions(code):
        # a number in all versions but 3.13 and later, where it tells whether a line begins
        begins = getattr(step, 'line_number', step.starts_line)
        line = begins or line
        if isinstance(step.argval, str) and step.argval in CLOCKS:
            break
    return line


def mentions(code):
    waiting = [code]
    while waiting:
        code = waiting.pop()
        if not CLOCKS.isdisjoint(code.co_names):
            return True
        for constant in code.co_consts:
            if isinstance(constant, type(code)):
                waiting.append(constant)
            elif isinstance(constant, str) and constant in CLOCKS:
                return True
    return False


def libraries(paths, project):
    """The folders of installed packages and of the standard library."""
    standard = STANDARD.rstrip(os.sep)
    return sorted({entry for entry in sys.path + project if os.path.isabs(entry) and (
        is_site(entry) or entry in paths or entry in project or entry == standard or entry.startswith(STANDARD))} | {standard})


def loaded():
    """The files of the modules that are there before any file runs."""
    files = set()
    for module in list(sys.modules.values()):
        name = getattr(module, '__file__', None)
        if isinstance(name, str) and os.path.isabs(name):
            files.add(name)
    return sorted(files)
