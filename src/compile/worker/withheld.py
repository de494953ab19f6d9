# ---------------------------------------------------------------------------------------------
# In the child: variables that are set outside and kept from the file
# ---------------------------------------------------------------------------------------------


STARTS = frozenset(('subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'os.spawn', 'pty.spawn'))


class Withheld:
    """A variable that is set outside and kept from the file would change what it compiles to in silence.

    Reads of the file and of its helpers count, and those of a package that it calls. What a package asks for
    while it is imported says little about the file, and is told apart.
    """

    def __init__(self, settings, path):
        self.withheld = frozenset(settings['withheld'])
        self.conventional = frozenset(settings['conventional'])
        self.path = path
        self.root = settings['root'].rstrip(os.sep) + os.sep
        self.folder = os.path.dirname(path) + os.sep
        self.settings = settings
        self.kfp = ()
        self.read = set()
        self.asked = {}  # what packages asked for while they were imported, and one package each
        self.whole = None  # who read all of it: 'tree', 'package'

    def watch(self):
        global WATCHED
        if self.withheld:
            # from here on kfp is there, whoever imported it
            self.kfp = kfp_folders(self.settings)
            WATCHED = self
            sys.addaudithook(self.audit)

    def is_own(self, name):
        return (name.startswith(self.root) or name.startswith(self.folder)) and not is_site(name)

    def reader(self):
        """Who asks: 'tree', 'package' or 'standard', the package's file, and whether that is being imported.
        None for kfp and for this driver."""
        frame, package, standard, importing = sys._getframe(2), None, False, False
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith('<frozen importlib'):
                importing = importing or package is not None
            elif name == HERE or name.startswith('<frozen') or name in (os.__file__, OS_SOURCE, ABC_SOURCE):
                pass
            elif self.is_own(name):
                if package is not None:
                    return 'package', package, importing
                return ('standard' if standard else 'tree'), None, False
            elif name.startswith(self.kfp):
                return None
            elif name.startswith(STANDARD) and not is_site(name):
                standard = True
            elif package is None:
                package = name
            frame = frame.f_back
        return None

    def one(self, name):
        if name not in self.withheld:
            return
        found = self.reader()
        if found is None:
            return
        who, package, importing = found
        if who != 'tree' and name in self.conventional:
            return
        if importing:
            self.asked.setdefault(name, module_of(package))
        else:
            self.read.add(name)

    def all(self):
        found = self.reader()
        # what the standard library goes through is not looked at by the file: the settings of proxies
        if found is not None and found[0] != 'standard' and not found[2] and self.whole != 'package':
            self.whole = found[0]

    def audit(self, event, arguments):
        if event in STARTS and WATCHED is self:
            self.started(event, arguments)

    def started(self, event, arguments):
        """A shell reads variables as well: those that its command names, and the scripts of the tree in it."""
        import re
        given, texts, waiting, folder = (), [], list(arguments[:2]), None
        if event == 'subprocess.Popen':
            folder = arguments[2]
            if isinstance(arguments[3], dict):
                given = {os.fsdecode(name) for name in arguments[3]}
        while waiting:
            one = waiting.pop()
            if isinstance(one, (list, tuple)):
                waiting.extend(one)
            elif isinstance(one, (str, bytes)):
                texts.append(os.fsdecode(one))
        text = ' '.join(texts)
        in_shell = re.compile(r'\$\{?([A-Za-z_][A-Za-z0-9_]*)').findall
        names = set(in_shell(text))
        if 'printenv' in text:
            names.update(text.split())
        for script in self.scripts(texts + text.split(), folder):
            names.update(in_shell(script))
            names.update(re.findall(r'(?:environ|getenv)(?:\.get)?\s*[([]\s*["\']([A-Za-z_][A-Za-z0-9_]*)', script))
        names = self.withheld.intersection(names).difference(given)
        if names and self.reader() is not None:
            self.read |= names

    def scripts(self, words, folder):
        """The texts of the files in the tree that a command names."""
        here = os.path.join(os.getcwd(), os.fsdecode(folder or ''))
        for word in set(words[:1000]):
            path = os.path.normpath(os.path.join(here, word))
            try:
                if self.is_own(path) and os.path.isfile(path):
                    with open(path, 'rb') as file:
                        yield file.read(1 << 20).decode('utf-8', 'replace')
            except (OSError, ValueError):  # none that it may read, or no path at all
                pass

    def names(self):
        """Those that the result may depend on."""
        global WATCHED
        WATCHED = None
        if self.whole is not None:
            try:
                self.read |= self.mentioned()
            except Exception:  # a source that went away or was never one
                pass
        return sorted(self.read)

    def mentioned(self):
        """Of a copy of all variables nobody can tell which are looked at: those that the sources name, by a
        prefix too, and as a setting of a class that a package fills."""
        texts, identifiers = set(), set()
        for path in self.sources():
            with open(path, 'rb') as file:
                waiting = [compile(file.read(), path, 'exec', dont_inherit=True)]
            while waiting:
                code = waiting.pop()
                identifiers.update(code.co_names)
                for constant in code.co_consts:
                    if isinstance(constant, type(code)):
                        waiting.append(constant)
                    elif isinstance(constant, (str, bytes)):
                        texts.add(os.fsdecode(constant))
                    elif isinstance(constant, (tuple, frozenset)):
                        texts.update(one for one in constant if isinstance(one, str))
        prefixes = tuple(text for text in texts if len(text) > 2 and text.endswith('_'))
        settings = {one.lower() for one in identifiers} if self.whole == 'package' else set()
        return {
            name for name in self.withheld
            if name in texts or name.startswith(prefixes) or name.lower() in settings
        }

    def sources(self):
        found = {self.path}
        for module in list(sys.modules.values()):
            name = getattr(module, '__file__', None)
            if isinstance(name, str) and name.endswith('.py') and self.is_own(name):
                found.add(name)
        return found


def module_of(path):
    """The package that a file belongs to, as people call it."""
    for mark in ('site-packages' + os.sep, 'dist-packages' + os.sep, os.sep + 'site' + os.sep):
        before, found, rest = path.rpartition(mark)
        if found:
            return printable(rest.split(os.sep)[0].removesuffix('.py'))
    return printable(os.path.basename(path))


# ---------------------------------------------------------------------------------------------
# In the child: whether an error comes of a socket that the fence refused
# ---------------------------------------------------------------------------------------------


def is_network(error):
    """Libraries wrap what the kernel said into errors of their own: all that lie beneath are looked at."""
    try:
        seen, waiting = set(), [error]
        while waiting and len(seen) < 100:
            one = waiting.pop()
            if not isinstance(one, BaseException) or id(one) in seen:
                continue
            seen.add(id(one))
            if is_refused_socket(one):
                return True
            waiting += [one.__cause__, one.__context__, *one.args, *getattr(one, 'exceptions', ())]
    except BaseException:  # an exception class of the file may do anything
        pass
    return False


def is_refused_socket(error):
    if type(error).__name__ in ('gaierror', 'herror') and type(error).__module__ == 'socket':
        return True
    if not isinstance(error, PermissionError) or error.filename is not None:
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    name = trace.tb_frame.f_code.co_filename
    if name.startswith(STANDARD) and os.path.basename(name) == 'socket.py':
        return True
    line = linecache.getline(name, trace.tb_lineno)
    return 'sock' in line or 'connect' in line
