# ---------------------------------------------------------------------------------------------
# The YAML of specifications: the bytes that PyYAML writes, without its detour over nodes and events
# ---------------------------------------------------------------------------------------------


import re

SIMPLE = re.compile('[A-Za-z_/][A-Za-z0-9_./-]*').fullmatch


class NotSimple(Exception):
    """Something that PyYAML has to write itself."""


class YamlText:
    """Writes mappings, sequences and scalars as `yaml.dump_all(documents, sort_keys=True)` does.

    Indentation and plain words are written here. Every other scalar is written by PyYAML's own emitter, told where
    it stands: what it quotes and where it folds is its business. Used only where PyYAML is as it was when the two were
    compared, for a file may teach it other ways.
    """

    def __init__(self, yaml):
        self.yaml = yaml
        self.known = {}  # plain words
        self.as_it_was = self.state()

    def state(self):
        dumper = self.yaml.Dumper
        return (self.yaml.dump_all, dumper, dict(vars(dumper)), dict(dumper.yaml_representers), dict(dumper.yaml_multi_representers),
                {first: list(found) for first, found in dumper.yaml_implicit_resolvers.items()},
                [dict(vars(base)) for base in dumper.__mro__[1:-1]])

    def write(self, documents):
        """The text, or None where PyYAML has to write it."""
        try:
            if self.state() != self.as_it_was:
                return None
            self.parts, self.seen = [], set()
            self.out = self.parts.append
            self.emitter = self.yaml.emitter.Emitter(_Text())
            self.emitter.stream.write = self.out
            self.resolver = self.yaml.resolver.Resolver()
            for number, document in enumerate(documents):
                if number:
                    self.out('---\n')
                if type(document) is not dict or not document:
                    return None
                self.mapping(document, 0, False)
            return ''.join(self.parts)
        except (NotSimple, RecursionError):
            return None

    def once(self, container):
        # what stands in two places is written once, and referred to
        if id(container) in self.seen:
            raise NotSimple
        self.seen.add(id(container))

    def mapping(self, value, indent, inline):
        self.once(value)
        out, lead = self.out, ' ' * indent
        for key in sorted(value):
            if type(key) is not str or len(key) > 100 or not self.is_plain(key):
                raise NotSimple
            item = value[key]
            out(key + ':' if inline else lead + key + ':')
            inline = False
            kind = type(item)
            if kind is dict and item:
                out('\n')
                self.mapping(item, indent + 2, False)
            elif kind is list and item:
                out('\n')
                self.sequence(item, indent, False)
            else:
                self.scalar(item, kind, indent + len(key) + 1, indent + 2)

    def sequence(self, value, indent, inline):
        self.once(value)
        out, lead = self.out, ' ' * indent
        for item in value:
            out('-' if inline else lead + '-')
            inline = False
            kind = type(item)
            if kind is dict and item:
                out(' ')
                self.mapping(item, indent + 2, True)
            elif kind is list and item:
                out(' ')
                self.sequence(item, indent + 2, True)
            else:
                self.scalar(item, kind, indent + 1, indent + 2)

    def is_plain(self, text):
        found = self.known.get(text)
        if found is None:
            found = SIMPLE(text) is not None and self.tag(text) == 'tag:yaml.org,2002:str'
            if len(self.known) < 10000:
                self.known[text] = found
        return found

    def tag(self, text):
        return self.resolver.resolve(self.yaml.nodes.ScalarNode, text, (True, False))

    def scalar(self, value, kind, column, indent):
        if kind is str:
            if len(value) <= 100 and self.is_plain(value):
                self.out(' ' + value + '\n')
                return
            self.emit(value, 'tag:yaml.org,2002:str', column, indent)
        elif value is None:
            self.out(' null')
        elif kind is bool:
            self.out(' true' if value else ' false')
        elif kind is int:
            self.emit(str(value), 'tag:yaml.org,2002:int', column, indent)
        elif kind is float:
            self.emit(self.yaml.representer.SafeRepresenter().represent_float(value).value,
                      'tag:yaml.org,2002:float', column, indent)
        elif kind in (dict, list):
            self.once(value)
            self.out(' {}' if kind is dict else ' []')
        else:
            raise NotSimple
        self.out('\n')

    def emit(self, text, tag, column, indent):
        emitter = self.emitter
        analysis = emitter.analyze_scalar(text)
        emitter.column, emitter.indent, emitter.whitespace, emitter.indention = column, indent, False, False
        emitter.root_context = False
        if analysis.allow_block_plain and self.tag(text) == tag:
            emitter.write_plain(text, True)
        elif tag != 'tag:yaml.org,2002:str':
            raise NotSimple
        elif analysis.allow_single_quoted:
            emitter.write_single_quoted(text, True)
        else:
            emitter.write_double_quoted(text, True)


YAML_TEXT = None  # once it is known to write what PyYAML writes


def compare_yaml_text(yaml, documents, written):
    global YAML_TEXT
    try:
        one = YamlText(yaml)
        if one.write(documents) == written:
            YAML_TEXT = one
    except Exception:  # another PyYAML than those of today: it writes by itself
        pass
