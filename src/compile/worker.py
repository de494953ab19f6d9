"""The Python half of the compile engine: imports kfp once, compiles each file in a forked child.

The supervisor (this process) runs no line of a pipeline file. It owns one pair of pipes per child and tags
what comes out of them, so a child can say only things about its own file. What it writes to the program is
a sequence of headers (one line of JSON), each followed by as many raw bytes as the header's `n` says.

A child writes one header and the documents it names, and nothing that a child writes is parsed here.
"""
import sys

sys.path[:] = [entry for entry in sys.path if entry]

import gc
import json
import linecache
import os
import select
import shutil
import signal
import time
import warnings

HERE = '<kfp-gitops worker>'
CHUNK = 65536
OS_SOURCE = os.__file__
ABC_SOURCE = sys.modules['_collections_abc'].__file__ if '_collections_abc' in sys.modules else ''
LINUX = sys.platform.startswith('linux')


# ---------------------------------------------------------------------------------------------
# Importing kfp without what compiling does not need
# ---------------------------------------------------------------------------------------------


class _Placeholder(type(sys)):
    """Stands for a module while something imports it; any public name in it can be imported."""

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return object


class _Later(type(sys)):
    """A module that imports the real one at first use."""

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        import importlib
        return getattr(importlib.import_module(self.__name__), name)


def import_kfp():
    """Imports kfp without its client, which costs two thirds of the time and changes no compiled byte."""
    stub = _Placeholder('kfp.client')
    sys.modules['kfp.client'] = stub
    try:
        import kfp
        import kfp.compiler
    finally:
        if sys.modules.get('kfp.client') is stub:
            del sys.modules['kfp.client']
    for name in ('Client', 'client'):
        kfp.__dict__.pop(name, None)

    def later(name):
        import importlib
        if name == 'Client':
            return importlib.import_module('kfp.client').Client
        if name == 'client':
            return importlib.import_module('kfp.client')
        raise AttributeError("module 'kfp' has no attribute %r" % name)

    kfp.__getattr__ = later
    return kfp


class _Inspect:
    """Stands for `inspect` in kfp's task module, which asks for its caller's name at every setter. The real
    `stack` reads the source of every frame for that: four fifths of the time of a large pipeline."""

    def __init__(self, real):
        self._real = real

    def __getattr__(self, name):
        return getattr(self._real, name)

    @staticmethod
    def stack(_context=1):
        frames, frame = [], sys._getframe(1)
        while frame is not None:
            frames.append((frame, frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None, None))
            frame = frame.f_back
        return frames


def sdk(name):
    """A module of the SDK: kfp 2.0 keeps in `kfp.components` what later ones keep in `kfp.dsl`."""
    import importlib
    try:
        return importlib.import_module('kfp.dsl.' + name)
    except ImportError:
        return importlib.import_module('kfp.components.' + name)


def lighten():
    pipeline_task = sdk('pipeline_task')
    if hasattr(pipeline_task, 'inspect'):
        pipeline_task.inspect = _Inspect(pipeline_task.inspect)


def import_kubernetes():
    """Imports kfp.kubernetes with the Kubernetes client left for its first use; false if it is not there."""
    if 'kubernetes' in sys.modules:
        stubs = {}
    else:
        stubs = {name: _Later(name) for name in ('kubernetes', 'kubernetes.client')}
        stubs['kubernetes'].__path__ = []
        stubs['kubernetes'].client = stubs['kubernetes.client']
        sys.modules.update(stubs)
    try:
        import kfp.kubernetes
        return True
    except ImportError:
        for name in [name for name in sys.modules if name.startswith('kfp.kubernetes')]:
            del sys.modules[name]
        return False
    finally:
        for name, stub in stubs.items():
            if sys.modules.get(name) is stub:
                del sys.modules[name]


WARM_UP = '''
from kfp import dsl
@dsl.component
def one(a: str, b: int = 1) -> str:
    """One."""
    return a
@dsl.component(packages_to_install=['x'])
def two(a: str, out: dsl.Output[dsl.Dataset]):
    pass
@dsl.pipeline
def warm_up(a: str = 'x', b: int = 2, c: list = ['x'], d: dict = {'x': 1}):
    first = one(a=a, b=b)
    with getattr(dsl, 'If', dsl.Condition)(first.output == 'x'):
        two(a=first.output).set_cpu_limit('1').set_memory_limit('1G').set_env_variable('A', 'b')
    with dsl.ParallelFor(c) as item:
        one(a=item)
'''


def warm_up(want_yaml):
    """Compiles one pipeline, so that what protobuf and kfp load at first use is loaded before the forks."""
    name = '<kfp-gitops warm-up>'
    linecache.cache[name] = (len(WARM_UP), None, WARM_UP.splitlines(True), name)
    space = {'__name__': 'kfp_gitops_warm_up'}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            exec(compile(WARM_UP, name, 'exec'), space)
            produce(space['warm_up'], {}, want_yaml)
        except Exception:  # an old kfp without one of the features: the children then start colder
            pass
    linecache.cache.pop(name, None)


# ---------------------------------------------------------------------------------------------
# In the child: one file
# ---------------------------------------------------------------------------------------------


class _Text:
    """The file that kfp writes to, in memory."""

    def __init__(self):
        self.parts = []
        self.write = self.parts.append

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class _Yaml:
    """Stands for the `yaml` module in kfp's writer: keeps the documents, and writes only when asked."""

    def __init__(self, real, want_yaml):
        self._real = real
        self._want_yaml = want_yaml
        self.documents = None

    def __getattr__(self, name):
        return getattr(self._real, name)

    def dump_all(self, documents, stream=None, **options):
        self.documents = documents
        if self._want_yaml:
            return self._real.dump_all(documents, stream, **options)
        return None


def produce(pipeline, parameters, want_yaml):
    """What `kfp dsl compile` does with a pipeline, written to memory: (documents, YAML bytes or None)."""
    from kfp import compiler
    from kfp.compiler import pipeline_spec_builder as builder
    text = _Text()
    shim = _Yaml(builder.yaml, want_yaml)
    real = builder.yaml
    builder.yaml = shim
    builder.open = lambda *_args, **_options: text
    try:
        compiler.Compiler().compile(
            pipeline_func=pipeline, package_path='pipeline.yaml', pipeline_parameters=parameters)
    finally:
        builder.yaml = real
        del builder.open
    return shim.documents, ''.join(text.parts).encode('utf-8') if want_yaml else None


class Refused(Exception):
    """The file is sound Python, and there is nothing to compile in it, or too much."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Child:
    """Compiles one file. Runs in a process of its own."""

    def __init__(self, task, settings):
        self.task = task
        self.settings = settings
        self.path = task['path']
        self.real = os.path.realpath(self.path)
        self.defined_in = {}  # id of a pipeline -> the file whose top level made it
        self.used = set()  # ids of the component specs that some pipeline calls
        self.keep = []  # so that no id is ever used twice
        self.warnings = []
        self.large = []
        self.withheld = set()

    def run(self):
        """The answer: a header, and the documents it announces."""
        self.observe()
        try:
            module = self.load()
            roots, several = self.roots(module)
            return self.answer(roots, several)
        except SystemExit as error:
            return self.failure(error, 'exit', code=error.code if isinstance(error.code, int) else None)
        except Refused as error:
            return {'ok': False, 'error': {'kind': error.kind, 'type': '', 'message': printable(str(error)), 'frames': []}}, []
        except BaseException as error:
            return self.failure(error, 'exception')

    def observe(self):
        from kfp.compiler import pipeline_spec_builder as builder
        graph_component, pipeline_context = sdk('graph_component'), sdk('pipeline_context')

        def showwarning(message, category, filename, lineno, file=None, line=None):
            if len(self.warnings) < 100:
                own = filename == self.path
                self.warnings.append({'text': printable(str(message)[:2000]), 'line': lineno if own else None})

        warnings.showwarning = showwarning
        for category in (UserWarning, FutureWarning, RuntimeWarning, SyntaxWarning):
            warnings.simplefilter('always', category)

        make = graph_component.GraphComponent.__init__

        def remember(component, *args, **kwargs):
            frame = sys._getframe(1)
            while frame is not None and frame.f_code.co_name != '<module>':
                frame = frame.f_back
            self.defined_in[id(component)] = frame.f_code.co_filename if frame is not None else None
            self.keep.append(component)
            return make(component, *args, **kwargs)

        graph_component.GraphComponent.__init__ = remember

        add = pipeline_context.Pipeline.add_task

        def count(pipeline, task, *args, **kwargs):
            self.used.add(id(task.component_spec))
            return add(pipeline, task, *args, **kwargs)

        pipeline_context.Pipeline.add_task = count

        to_value = builder.to_protobuf_value

        def watch(value, *args, **kwargs):
            if isinstance(value, int) and abs(value) > 2**53 and int(float(value)) != value:
                self.large.append(value)
            return to_value(value, *args, **kwargs)

        builder.to_protobuf_value = watch
        self.watch_environment()
        if self.settings['no_caching']:
            pipeline_context.Pipeline._execution_caching_default = False

    def watch_environment(self):
        """A variable that is set outside and kept from the file would change what it compiles to in silence."""
        withheld = set(self.settings['withheld'])
        environ = type(os.environ)
        get = environ.__getitem__
        folder = os.path.dirname(self.path) + os.sep
        root = self.settings['root'].rstrip(os.sep) + os.sep

        def getitem(mapping, name):
            if name in withheld and mapping is os.environ:
                frame = sys._getframe(1)
                while frame is not None and 'frozen' in frame.f_code.co_filename or frame.f_code.co_filename in (
                        os.__file__, OS_SOURCE, ABC_SOURCE):
                    frame = frame.f_back
                place = frame.f_code.co_filename if frame is not None else ''
                if (place.startswith(root) or place.startswith(folder)) and 'site-packages' not in place:
                    self.withheld.add(name)
            return get(mapping, name)

        if withheld:
            environ.__getitem__ = getitem

    def load(self):
        """Imports the file the way `kfp dsl compile` does: as a module of its name, its folder first."""
        import importlib.util
        folder, name = os.path.split(self.path)
        stem = os.path.splitext(name)[0]
        self.forget_helpers(folder)
        sys.path.insert(0, folder)
        try:
            spec = importlib.util.spec_from_file_location(stem, self.path)
            if spec is None or spec.loader is None:
                raise Refused('not-python', 'not a Python source file')
            module = importlib.util.module_from_spec(spec)
            taken = stem in sys.modules
            if not taken:
                sys.modules[stem] = module
            spec.loader.exec_module(module)
            return sys.modules.get(stem, module) if not taken else module
        finally:
            if folder in sys.path:
                sys.path.remove(folder)

    @staticmethod
    def forget_helpers(folder):
        """A sibling named like a module which only this program imported must win, as it does with kfp's own command."""
        for name in HELPERS:
            if os.path.exists(os.path.join(folder, name + '.py')) or os.path.exists(os.path.join(folder, name)):
                sys.modules.pop(name, None)

    def roots(self, module):
        """[(name, pipeline)] and whether the file holds several."""
        base_component, graph_component = sdk('base_component'), sdk('graph_component')
        function = self.task.get('function')
        if function is not None:
            found = getattr(module, function, None)
            if found is None:
                raise Refused('no-function', 'there is no pipeline or component named `%s` in it' % function)
            if not isinstance(found, base_component.BaseComponent):
                raise Refused('no-function', '`%s` is neither a pipeline nor a component, but %s' %
                              (function, type(found).__name__))
            return [(function, found)], False
        pipelines, components = {}, {}
        for name in dir(module):
            found = getattr(module, name)
            if isinstance(found, graph_component.GraphComponent):
                pipelines.setdefault(id(found), (found, []))[1].append(name)
            elif isinstance(found, base_component.BaseComponent):
                components.setdefault(id(found), (found, []))[1].append(name)
        own, imported, elsewhere = [], [], []
        for found, names in pipelines.values():
            origin = self.defined_in.get(id(found))
            if origin is not None and os.path.realpath(origin) == self.real:
                own.append((found, names))
            elif origin is not None and os.path.realpath(origin) in self.settings['deployed']:
                elsewhere.append((found, names, os.path.realpath(origin)))
            else:
                imported.append((found, names))
        tops = [(found, names) for found, names in own if id(found.component_spec) not in self.used]
        chosen = tops or own
        if not chosen:
            chosen = imported
            if len(imported) > 1:
                raise Refused('several-imported', 'it defines no pipeline of its own and imports %d: %s' %
                              (len(imported), ', '.join(sorted(min(names) for _, names in imported))))
        if not chosen and elsewhere:
            raise Refused('elsewhere', 'it defines no pipeline of its own; %s' % ', '.join(
                '`%s` belongs to `%s`, which is deployed by itself' % (min(names), os.path.relpath(origin, self.settings['root']))
                for _, names, origin in elsewhere))
        if not chosen:
            chosen = list(components.values())
            if len(chosen) > 1:
                raise Refused('several-components', 'it holds no pipeline and %d components: %s' %
                              (len(chosen), ', '.join(sorted(min(names) for _, names in chosen))))
        if not chosen:
            raise Refused('nothing', 'it holds no pipeline and no component')
        named = []
        for found, names in chosen:
            original = getattr(getattr(found, 'pipeline_func', None), '__name__', None)
            named.append((original if original in names else min(names), found))
        # in the order of the file, which is the order in which they were made
        order = {id(component): index for index, component in enumerate(self.keep)}
        named.sort(key=lambda pair: order.get(id(pair[1]), len(order)))
        return named, len(named) > 1

    def answer(self, roots, several):
        header, documents = [], []
        for name, pipeline in roots:
            specs, text = produce(pipeline, self.task.get('parameters') or {}, self.settings['want_yaml'])
            parts = [encode(document) for document in specs[:2]]
            header.append({
                'function': printable(name),
                'spec': len(parts[0]),
                'platform': len(parts[1]) if len(parts) > 1 else None,
                'yaml': len(text) if text is not None else None,
            })
            documents.extend(parts)
            if text is not None:
                documents.append(text)
            self.report_large(name, pipeline)
        return {
            'ok': True,
            'several': several,
            'pipelines': header,
            'withheld': sorted(self.withheld),
            'warnings': self.all_warnings(),
        }, documents

    def report_large(self, name, pipeline):
        """Integers which KFP rounds, because it keeps numbers as 64-bit floats."""
        for input_name, spec in (pipeline.component_spec.inputs or {}).items():
            for value in large_integers(getattr(spec, 'default', None)):
                while value in self.large:
                    self.large.remove(value)
                self.warnings.append({
                    'text': 'the default of parameter `%s` of `%s` holds the integer %d, which KFP keeps as %d: '
                            'it stores numbers as 64-bit floats, exact to 2^53; pass it as a string'
                            % (input_name, name, value, int(float(value))),
                    'line': None
                })

    def all_warnings(self):
        for value in self.large[:20]:
            self.warnings.append({
                'text': 'the integer %d becomes %d: KFP stores numbers as 64-bit floats, exact to 2^53; '
                        'pass it as a string' % (value, int(float(value))),
                'line': None
            })
        self.large = []
        seen, unique = set(), []
        for warning in self.warnings:
            if warning['text'] not in seen:
                seen.add(warning['text'])
                unique.append(warning)
        return unique

    def failure(self, error, kind, code=None):
        frames = self.frames(error)
        try:
            message = str(error.msg if isinstance(error, SyntaxError) and error.msg else error)
        except BaseException:
            message = '(its message cannot be shown)'
        message = message.encode('utf-8', 'backslashreplace').decode('utf-8')
        missing = None
        if isinstance(error, ImportError):
            missing = error.name or None
        cause = error.__cause__
        report = {
            'kind': 'memory' if isinstance(error, MemoryError) else kind,
            'type': type(error).__name__,
            'message': message[:20000],
            'frames': frames,
            'missing': missing,
            'code': code,
            'cause': printable('%s: %s' % (type(cause).__name__, str(cause)[:2000])) if cause is not None else None,
        }
        return {
            'ok': False,
            'error': report,
            'warnings': self.all_warnings(),
            'withheld': sorted(self.withheld),
        }, []

    def frames(self, error):
        """The user's own frames, innermost last; a syntax error counts as one."""
        found, others = [], []
        folder = os.path.dirname(self.path) + os.sep
        root = self.settings['root'].rstrip(os.sep) + os.sep
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            name = code.co_filename
            frame = {'file': name, 'line': trace.tb_lineno, 'name': code.co_name, 'column': None, 'end': None}
            if hasattr(code, 'co_positions'):
                try:
                    positions = list(code.co_positions())[trace.tb_lasti // 2]
                    if positions[0] == trace.tb_lineno and positions[2] is not None:
                        frame['column'] = positions[2]
                        frame['end'] = positions[3] if positions[1] == positions[0] else None
                except IndexError:
                    pass
            if name == HERE or name.startswith('<frozen'):
                pass
            elif (name.startswith(root) or name.startswith(folder)) and 'site-packages' not in name:
                found.append(frame)
            else:
                others.append(frame)
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename:
            found.append({
                'file': error.filename,
                'line': error.lineno,
                'name': '',
                'column': (error.offset or 1) - 1 if error.offset else None,
                'end': None,
                'text': (error.text or '').rstrip('\n') or None,
                'characters': True,
            })
        frames = (found or others)[-20:]
        for frame in frames:
            if frame.get('text') is None:
                frame['text'] = linecache.getline(frame['file'], frame['line'] or 0).rstrip('\n')[:400] or None
            if not frame.pop('characters', False):
                # Python counts columns in bytes of UTF-8; people count characters
                line = (frame['text'] or '').encode('utf-8', 'replace')
                for key in ('column', 'end'):
                    if frame[key] is not None:
                        frame[key] = len(line[:frame[key]].decode('utf-8', 'replace'))
            for key in ('line', 'column', 'end'):
                if frame[key] is not None and frame[key] < 0:
                    frame[key] = None
            frame['file'], frame['name'], frame['text'] = (printable(frame[key]) for key in ('file', 'name', 'text'))
        return frames


def printable(text):
    return text if text is None else text.encode('utf-8', 'backslashreplace').decode('utf-8')


def encode(document):
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(',', ':')).encode('utf-8')


def large_integers(value, depth=0):
    if isinstance(value, bool) or depth > 50:
        return
    if isinstance(value, int):
        if abs(value) > 2**53 and int(float(value)) != value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from large_integers(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from large_integers(item, depth + 1)


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def child_main(task, settings, result, printed, slot):
    """Never returns."""
    try:
        os.setsid()
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        os.close(printed)
        fence(settings, slot)
        sys.stdin = open(os.devnull, encoding='utf-8')
        sys.stdout = open(1, 'w', encoding='utf-8', errors='backslashreplace', closefd=False)
        sys.stderr = open(2, 'w', encoding='utf-8', errors='backslashreplace', closefd=False, buffering=1)
        sys.argv = ['kfp', 'dsl', 'compile', '--py', task['path']]
        self_pid = os.getpid()
        header, documents = Child(task, settings).run()
        if os.getpid() != self_pid:
            os._exit(0)  # the file forked at import, and this is the copy: the original answers
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass
        os.set_blocking(result, True)
        write_all(result, b'\n' + settings['nonce'].encode('ascii') + b'\n' + json.dumps(header).encode('ascii') + b'\n')
        for document in documents:
            write_all(result, document)
        os._exit(0)
    except BaseException as error:
        try:
            write_all(2, ('kfp-gitops worker: %r\n' % (error,)).encode('utf-8', 'replace'))
        finally:
            os._exit(121)


class Fence:
    """What a child puts up around itself before the file runs. All of it was built by the program."""

    RESTRICT_SELF = 446  # landlock_restrict_self, the same number on every architecture
    SET_SECCOMP, FILTER_MODE = 22, 2
    SET_PARENT_DEATH_SIGNAL = 1

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
        """Empties a child's directory for the next one."""
        directory = self.directories[slot]
        try:
            if not os.listdir(directory):
                return
        except OSError:
            pass
        for _ in range(2):
            for folder, folders, _files in os.walk(directory):
                for name in folders:
                    try:
                        os.chmod(os.path.join(folder, name), 0o700, follow_symlinks=False)
                    except (OSError, NotImplementedError):
                        try:
                            if not os.path.islink(os.path.join(folder, name)):
                                os.chmod(os.path.join(folder, name), 0o700)
                        except OSError:
                            pass
            shutil.rmtree(directory, ignore_errors=True)
            try:
                os.mkdir(directory, 0o700)
                return
            except FileExistsError:
                continue
            except OSError:
                return


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
    if os.geteuid() != 0:
        limit('RLIMIT_NPROC', settings['user_processes'] + settings['processes'])
    directory = settings['fence'].directories[slot]
    os.environ['TMPDIR'] = os.environ['HOME'] = directory
    settings['fence'].put_up(slot)


def limit(name, value):
    import resource
    if hasattr(resource, name):
        try:
            _, hard = resource.getrlimit(getattr(resource, name))
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError):
            pass


# ---------------------------------------------------------------------------------------------
# The supervisor
# ---------------------------------------------------------------------------------------------


class Running:
    """One child and the ends of its pipes."""

    def __init__(self, identity, pid, slot, result, printed):
        self.identity = identity
        self.pid = pid
        self.slot = slot
        self.started = time.monotonic()
        self.open = {result: 'result', printed: 'printed'}
        self.sent = {'result': 0, 'printed': 0}
        self.dropped = 0
        self.status = None
        self.reason = None
        self.next_look = self.started + 0.5


class Supervisor:

    def __init__(self, settings, control, output):
        self.settings = settings
        self.control = control
        self.output = output
        self.waiting = list(reversed(settings['sources']))
        self.running = {}
        self.by_descriptor = {}
        self.slots = list(range(settings['jobs']))
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        # a child that ends wakes the poll, whether or not its pipes are still held by something
        self.woken, self.wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(self.wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake, warn_on_full_buffer=False)
        self.poll.register(self.woken, select.POLLIN)

    def send(self, header, data=b''):
        if data:
            header['n'] = len(data)
        write_all(self.output, json.dumps(header).encode('ascii') + b'\n' + data)

    def start(self):
        task = self.waiting.pop()
        slot = self.slots.pop()
        result_read, result_write = os.pipe()
        printed_read, printed_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            gc.enable()
            for other in (self.control, self.output, self.woken, self.wake, result_read, printed_read):
                os.close(other)
            for other in self.by_descriptor:
                os.close(other)
            child_main(task, self.settings, result_write, printed_write, slot)
        os.close(result_write)
        os.close(printed_write)
        child = Running(task['id'], pid, slot, result_read, printed_read)
        self.running[pid] = child
        for descriptor in (result_read, printed_read):
            self.by_descriptor[descriptor] = child
            self.poll.register(descriptor, select.POLLIN)
        self.send({'t': 'start', 'id': task['id']})

    def read(self, descriptor):
        child = self.by_descriptor[descriptor]
        channel = child.open[descriptor]
        data = os.read(descriptor, CHUNK)
        if not data:
            self.close(child, descriptor)
            return
        room = self.settings[channel + '_bytes'] - child.sent[channel]
        if channel == 'result' and len(data) > room:
            self.kill(child, 'result-too-large')
            return
        kept = data[:max(room, 0)]
        child.sent[channel] += len(kept)
        child.dropped += len(data) - len(kept)
        if kept:
            self.send({'t': channel, 'id': child.identity}, kept)

    def close(self, child, descriptor):
        self.poll.unregister(descriptor)
        os.close(descriptor)
        del child.open[descriptor]
        del self.by_descriptor[descriptor]

    def kill(self, child, reason):
        if child.reason is None:
            child.reason = reason
        kill_tree(child.pid)

    def reap(self):
        """Takes the children that ended; whatever they started and left behind goes with them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.running.pop(pid, None)
            if child is None:
                continue
            child.status = status
            try:
                os.killpg(pid, signal.SIGKILL)
            except OSError:
                pass
            kill_orphans(self.running)
            for descriptor in list(child.open):
                self.drain(child, descriptor)
            self.settings['fence'].clean(child.slot)
            self.slots.append(child.slot)
            self.send({
                't': 'end',
                'id': child.identity,
                'status': status,
                'reason': child.reason,
                'dropped': child.dropped,
                'seconds': time.monotonic() - child.started,
            })

    def drain(self, child, descriptor):
        os.set_blocking(descriptor, False)
        try:
            while descriptor in child.open:
                self.read(descriptor)
        except BlockingIOError:
            self.close(child, descriptor)

    def look(self):
        now = time.monotonic()
        for child in list(self.running.values()):
            if child.reason is not None:
                kill_tree(child.pid)
            elif now - child.started > self.settings['timeout']:
                self.kill(child, 'timeout')
            elif now >= child.next_look:
                child.next_look = now + 0.5
                count, memory = usage(child.pid)
                files, written = size(self.settings['fence'].directories[child.slot])
                if written > self.settings['file_bytes'] or files > 20000:
                    self.kill(child, 'disk')
                elif memory > self.settings['memory']:
                    self.kill(child, 'memory')
                elif count > self.settings['processes']:
                    self.kill(child, 'processes')

    def run(self):
        while self.waiting or self.running:
            while self.waiting and self.slots:
                self.start()
            # a child that closed its pipes but lives, or one stopped by a limit, must be noticed too
            for descriptor, event in self.poll.poll(100):
                if descriptor == self.control:
                    self.abandon()
                elif descriptor == self.woken:
                    os.read(self.woken, 4096)
                elif descriptor in self.by_descriptor:
                    self.read(descriptor)
            self.reap()
            self.look()
        self.send({'t': 'done'})

    def abandon(self):
        """The program is gone or wants no more: nothing that was started may stay."""
        self.waiting = []
        for child in list(self.running.values()):
            kill_tree(child.pid)
        kill_orphans({})
        os._exit(0)


def processes():
    """{pid: (parent, resident bytes)} of everything visible, Linux only."""
    table = {}
    page = os.sysconf('SC_PAGE_SIZE')
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name, 'rb') as stat:
                    fields = stat.read().rpartition(b')')[2].split()
                table[int(name)] = (int(fields[1]), int(fields[21]) * page)
            except (OSError, IndexError, ValueError):
                pass
    return table


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


def usage(pid):
    """(processes, resident bytes beyond what was shared at the fork) of a child and all it started."""
    try:
        table = processes()
    except OSError:
        return 0, 0
    all_of_it = [pid] + descendants([pid], table)
    base = table.get(os.getpid(), (0, 0))[1]
    return len(all_of_it), sum(max(0, table[one][1] - base) for one in all_of_it if one in table)


def size(directory):
    """(entries, bytes) beneath a directory; stops counting where it is too much anyway."""
    entries = written = 0
    for folder, folders, files in os.walk(directory):
        entries += len(folders) + len(files)
        for name in files:
            try:
                written += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                pass
        if entries > 20000:
            break
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


def kill_orphans(known):
    """This process is the reaper of everything below it: what hangs on it and is not a known child was left behind."""
    for _ in range(1000):
        left = [pid for pid in own_children() if pid not in known]
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


def base_memory():
    try:
        with open('/proc/self/statm', 'rb') as statm:
            return int(statm.read().split()[0]) * os.sysconf('SC_PAGE_SIZE')
    except (OSError, ValueError, IndexError):
        return 1 << 30


HELPERS = ('resource', 'ctypes', 'base64')


def user_processes():
    """How many processes the user has already: the kernel's limit counts them all."""
    count, me = 0, os.geteuid()
    try:
        for name in os.listdir('/proc'):
            if name.isdigit():
                try:
                    count += os.stat('/proc/' + name).st_uid == me
                except OSError:
                    pass
    except OSError:
        return 4096
    return count


def main():
    # the protocol moves away from 0 and 1, so that nothing printed can ever mix with it
    control, output = os.dup(0), os.dup(1)
    settings = json.loads(CONTROL.readline())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    sys.dont_write_bytecode = True
    settings['deployed'] = set(settings['deployed'])
    if settings['only_paths']:
        sys.path[:] = [entry for entry in sys.path if not is_site(entry)]
    sys.path[:] = sys.path + [entry for entry in settings['paths'] if entry not in sys.path]
    supervisor = Supervisor(settings, control, output)
    write_all(output, settings['magic'].encode('ascii') + b'\n')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            kfp = import_kfp()
            kubernetes = import_kubernetes()
    except BaseException as error:
        supervisor.send({
            't': 'broken',
            'message': '%s: %s' % (type(error).__name__, error),
            'missing': getattr(error, 'name', None),
        })
        return
    lighten()
    warm_up(settings['want_yaml'])
    become_reaper()
    import importlib.util  # noqa: every child needs it
    import resource  # noqa: loaded once for all children
    settings['user_processes'] = user_processes()
    try:
        settings['fence'] = Fence(settings['inner'])
        unfenced = settings['fence'].try_out()
    except (ImportError, OSError, AttributeError) as error:
        unfenced = 'Python cannot put up a fence: %s' % error
    if unfenced:
        settings['fence'] = Fence(dict(settings['inner'], rulesets=[], filters=[]))
    linecache.clearcache()
    settings['base_memory'] = base_memory()
    supervisor.send({
        't': 'hello',
        'python': '%d.%d.%d' % sys.version_info[:3],
        'kfp': kfp.__version__,
        'kubernetes': kubernetes,
        'unfenced': unfenced,
    })
    if unfenced and settings['sandbox_required']:
        return
    gc.collect()
    gc.freeze()
    gc.disable()
    supervisor.run()


def is_site(entry):
    return 'site-packages' in entry or 'dist-packages' in entry


if __name__ == '__main__':
    main()
