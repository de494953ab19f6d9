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
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def take_out(stubs):
    for name, stub in stubs.items():
        if sys.modules.get(name) is stub:
            del sys.modules[name]


def import_kfp():
    """Imports kfp without its client, which costs two thirds of the time and changes no compiled byte, and with
    `requests` left for the first component that is loaded from an address."""
    stubs = {'kfp.client': _Placeholder('kfp.client')}
    if 'requests' not in sys.modules:
        stubs['requests'] = _Later('requests')
    sys.modules.update(stubs)
    try:
        import kfp
        import kfp.compiler
    finally:
        take_out(stubs)
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
    remember_analyses()


def remember_analyses():
    """The YAML is written in Python, which looks at each key anew, character by character. What it finds depends on
    the text and on whether all of Unicode may be written as it is, and is only read."""
    emitter = sys.modules.get('yaml.emitter')
    analyze = getattr(getattr(emitter, 'Emitter', None), 'analyze_scalar', None)
    if analyze is None:
        return
    known = {}

    def analyze_scalar(self, scalar):
        key = scalar, self.allow_unicode
        found = known.get(key)
        if found is None:
            found = analyze(self, scalar)
            if len(scalar) <= 100 and len(known) < 10000:
                known[key] = found
        return found

    emitter.Emitter.analyze_scalar = analyze_scalar


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
        take_out(stubs)


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
            documents, _text = produce(space['warm_up'], {}, want_yaml)
            if want_yaml:
                import yaml
                compare_yaml_text(yaml, documents, yaml.dump_all(documents, sort_keys=True))
        except Exception:  # an old kfp without one of the features: the children then start colder
            pass
    linecache.cache.pop(name, None)
