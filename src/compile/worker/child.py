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
        if not self._want_yaml:
            return None
        text = YAML_TEXT.write(documents) if YAML_TEXT is not None and options == {'sort_keys': True} else None
        if text is None:
            return self._real.dump_all(documents, stream, **options)
        stream.write(text)
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
        self.withheld = Withheld(settings, self.path)
        self.recorder = None

    def run(self):
        """The answer: a header, and the documents it announces."""
        try:
            join_project(self.settings)
            self.observe()
            if self.settings['record']:
                self.recorder = Recorder(self.settings, self.settings['libraries'])
                self.recorder.start()
            module = self.load()
            roots, several = self.roots(module)
            header, documents = self.answer(roots, several)
            if self.recorder is not None:
                header['record'] = self.recorder.stop()
            return header, documents
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
        self.withheld.watch()
        if self.settings['no_caching']:
            pipeline_context.Pipeline._execution_caching_default = False

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
            elif origin is not None and self.is_deployed(os.path.realpath(origin)):
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

    def is_deployed(self, path):
        deployed = path in self.settings['deployed']
        if self.recorder is not None:
            self.recorder.deployed[path] = deployed
        return deployed

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
            'withheld': self.withheld.names(),
            'asked': self.withheld.asked,
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
            'network': is_network(error),
            'code': code,
            'cause': printable('%s: %s' % (type(cause).__name__, str(cause)[:2000])) if cause is not None else None,
        }
        return {
            'ok': False,
            'error': report,
            'warnings': self.all_warnings(),
            'withheld': self.withheld.names(),
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
            text, column = (error.text or '').rstrip('\n'), (error.offset or 0) - 1
            line = linecache.getline(error.filename, error.lineno or 0).rstrip('\n')
            if len(line) > len(text) and line.endswith(text):
                # Python reads long lines in pieces and tells the last one, and a column in that
                text, column = line, -1
            found.append({
                'file': error.filename,
                # 0 where it could not read a line at all: a name of an encoding that it does not know
                'line': error.lineno or None,
                'name': '',
                'column': column,
                'end': None,
                'text': text or None,
                'characters': True,
            })
        frames = (found or others)[-20:]
        for frame in frames:
            if frame.get('text') is None:
                frame['text'] = linecache.getline(frame['file'], frame['line'] or 0).rstrip('\n') or None
            if not frame.pop('characters', False):
                # Python counts columns in bytes of UTF-8; people count characters
                line = (frame['text'] or '').encode('utf-8', 'replace')
                for key in ('column', 'end'):
                    if frame[key] is not None:
                        frame[key] = len(line[:frame[key]].decode('utf-8', 'replace'))
            for key in ('line', 'column', 'end'):
                if frame[key] is not None and frame[key] < 0:
                    frame[key] = None
            frame['text'], frame['cut'] = around(frame['text'], frame['column'] or 0)
            frame['file'], frame['name'], frame['text'] = (printable(frame[key]) for key in ('file', 'name', 'text'))
        return frames
