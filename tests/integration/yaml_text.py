"""Compares what the driver writes with what PyYAML writes, over documents made by chance.

Usage: yaml_text.py DRIVER_PART SEED COUNT. Prints how many documents were written, and by which of the two.
"""
import random
import sys

import yaml


class _Text:
    """The driver's own, where the part is a part of it."""

    def __init__(self):
        self.parts = []
        self.write = self.parts.append


space = {'_Text': _Text}
with open(sys.argv[1], encoding='utf-8') as source:
    exec(compile(source.read(), sys.argv[1], 'exec'), space)
writer = space['YamlText'](yaml)
chance = random.Random(int(sys.argv[2]))

WORDS = [
    'a', 'true', 'Yes', 'null', 'on', 'n', 'NO', '~', '=', '<<', '1', '00', '-5', '+1', '1.5', '.5', '0x1F', '1e5', '12:30', '2020-01-01',
    '-', '--- x', '...', '- x', '?', '? x', ':', ':x', 'x:', 'a: b', '# c', 'x #y', 'a b', '!t', '&a', '*a', '@x', '`x', '%x', '[1]',
    '', "'q'", '"dq"', 'tab\t', 'nl\nx', 'trail ', '  lead', 'a' * 90, 'word ' * 30, '{{$.inputs}}', '{"k": 1}', '/bin/sh', 'a-b_c.d',
    'é', 'a\u0085b', '\u2028', '\x07', '\U0001f600', 'one\ntwo ' + 'w ' * 50 + '\n\nend\n',
]
KEYS = ['key', 'alpha', 'b-c', 'comp_x', 'a.b', 'executorLabel', 'y', 'k1']


def text():
    kind = chance.random()
    if kind < 0.6:
        return chance.choice(WORDS)
    if kind < 0.8:
        return ''.join(chance.choice(WORDS) for _ in range(chance.randint(1, 5)))
    return ''.join(chance.choice('ab cd:#-\n\t\'"\\{}[],&*!|>%@`é\u2028.0') for _ in range(chance.randint(0, 120)))


def value(depth):
    kind = chance.random()
    if depth and kind < 0.3:
        return {text() if chance.random() < 0.1 else chance.choice(KEYS): value(depth - 1) for _ in range(chance.randint(0, 4))}
    if depth and kind < 0.5:
        return [value(depth - 1) for _ in range(chance.randint(0, 4))]
    if chance.random() < 0.7:
        return text()
    return chance.choice([True, False, None, 0, 1, -3, 1.0, 1e-7, 1e20, float('inf'), float('nan'), 12345678901234567890, 0.1])


own = 0
for number in range(int(sys.argv[3])):
    documents = [{'root': value(5), 'b': value(4)} for _ in range(chance.randint(1, 2))]
    if chance.random() < 0.05:
        documents[0]['c'] = documents[0]['b']  # written once, if it is more than a word
    written = writer.write(documents)
    if written is not None:
        own += 1
        expected = yaml.dump_all(documents, sort_keys=True)
        assert written == expected, 'document %d: %r\n%s\n%s' % (number, documents, expected, written)

# who is taught another way writes by itself
assert writer.write([{'a': 'b'}]) == 'a: b\n'
yaml.add_representer(str, lambda dumper, data: dumper.represent_scalar('tag:yaml.org,2002:str', data, style='"'))
assert writer.write([{'a': 'b'}]) is None
print('%d of %s' % (own, sys.argv[3]))
