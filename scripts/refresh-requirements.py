#!/usr/bin/env python3
"""Writes requirements/kfp.json: for every supported kfp release, what to install to compile with it.

    scripts/refresh-requirements.py            # resolves every release, needs uv and the package index
    scripts/refresh-requirements.py 2.17.0     # only these; the others stay as they are
    scripts/refresh-requirements.py none       # only finds out again which packages have no wheels

Each set is what uv resolves for that kfp with the kfp-kubernetes that fits it, for every Python and platform at
once, with the hashes of all its files. `lean` names the packages that compiling imports (the Kubernetes, Google
Cloud and API clients are left out); the whole set is the full install. `sources` names the pins that exist only
as source, `build` what they are built with.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, '..', 'requirements', 'kfp.json')

# kfp release -> (oldest Python, first Python that is too new or None, kfp-kubernetes that fits). Up to 2.6 kfp
# imports distutils, which Python 3.12 no longer has, whatever its metadata says.
RELEASES = {
    '2.0.0': ('3.7', '3.12', '1.0.0'),
    '2.0.1': ('3.7', '3.12', '1.0.0'),
    '2.1.3': ('3.7', '3.12', '1.0.0'),
    '2.2.0': ('3.7', '3.12', '1.0.0'),
    '2.3.0': ('3.7', '3.12', '1.0.0'),
    '2.4.0': ('3.7', '3.12', '1.0.0'),
    '2.5.0': ('3.7', '3.12', '1.1.0'),
    '2.6.0': ('3.7', '3.12', '1.1.0'),
    '2.7.0': ('3.8', '3.13', '1.2.0'),
    '2.8.0': ('3.8', '3.13', '1.2.0'),
    '2.9.0': ('3.8', '3.13', '1.3.0'),
    '2.10.0': ('3.8', '3.13', '1.4.0'),
    '2.10.1': ('3.8', '3.13', '1.4.0'),
    '2.11.0': ('3.9', '3.13', '1.4.0'),
    '2.12.0': ('3.9', None, '1.5.0'),
    '2.12.1': ('3.9', None, '1.5.0'),
    '2.12.2': ('3.9', None, '1.5.0'),
    '2.13.0': ('3.9', None, '1.5.0'),
    '2.14.1': ('3.9', None, '2.14.0'),
    '2.14.2': ('3.9', None, '2.14.0'),
    '2.14.3': ('3.9', None, '2.14.3'),
    '2.14.4': ('3.9', None, '2.14.4'),
    '2.14.5': ('3.9', None, '2.14.5'),
    '2.14.6': ('3.9', None, '2.14.6'),
    '2.15.0': ('3.9', None, '2.15.0'),
    '2.15.1': ('3.9', None, '2.15.1'),
    '2.15.2': ('3.9', None, '2.15.2'),
    '2.16.0': ('3.9', None, '2.16.0'),
    '2.16.1': ('3.9', None, '2.16.1'),
    '2.17.0': ('3.9', None, '2.17.0'),
    '2.17.3': ('3.9', None, '2.17.3'),
}

# what builds the packages that exist only as source: supports every Python above, and still has pkg_resources
BUILD = ['setuptools==80.9.0', 'wheel==0.45.1']

LEAN = {
    'kfp', 'kfp-kubernetes', 'kfp-pipeline-spec', 'protobuf', 'pyyaml', 'docstring-parser',
    'googleapis-common-protos', 'requests', 'urllib3', 'charset-normalizer', 'idna', 'certifi',
    'typing-extensions', 'click',
}


def candidates(preferred):
    """The kfp-kubernetes that was current with that kfp, then older ones: a newer one may use what kfp lacks."""
    older = ['1.5.0', '1.4.0', '1.3.0', '1.2.0', '1.1.0', '1.0.0']
    return older[older.index(preferred):] if preferred in older else [preferred]


def resolve_any(kfp, oldest, preferred):
    for kubernetes in candidates(preferred):
        text = resolve(kfp, oldest, kubernetes)
        if text is not None:
            return text
    return None


def resolve(kfp, oldest, kubernetes):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'in.txt')
        with open(source, 'w') as file:
            file.write('kfp==%s\nkfp-kubernetes==%s\n' % (kfp, kubernetes))
        # setuptools: pkg_resources is imported by some of the older releases
        output = subprocess.run(
            ['uv', 'pip', 'compile', '--quiet', '--universal', '--generate-hashes', '--no-annotate', '--no-header',
             '--python-version', max(oldest, '3.9', key=lambda text: [int(part) for part in text.split('.')]),
             source],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        if output.returncode:
            print('kfp %s with kfp-kubernetes %s: %s' % (kfp, kubernetes, output.stderr.strip()[:600]), file=sys.stderr)
            return None
    return output.stdout


def parse(text):
    """[(name, version, marker or None, [sha256])]"""
    for block in re.split(r'\n(?=\S)', text.strip()):
        block = block.replace('\\\n', ' ')
        head = block.split('--hash')[0].strip()
        requirement, _, marker = head.partition(';')
        name, _, version = requirement.strip().partition('==')
        yield name.strip(), version.strip(), marker.strip() or None, re.findall(r'--hash=sha256:([0-9a-f]{64})', block)


def has_wheels(pin):
    """Whether a pinned package has a wheel; uv says so without downloading it."""
    output = subprocess.run(
        ['uv', 'pip', 'install', '--dry-run', '--quiet', '--no-deps', '--only-binary', ':all:', '--target',
         os.path.join(tempfile.gettempdir(), 'nowhere'), pin],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if output.returncode and 'no usable wheels' not in output.stderr:
        print('%s: %s' % (pin, output.stderr.strip()[:300]), file=sys.stderr)
    return 'no usable wheels' not in output.stderr


def build_tools():
    """[(pin, [sha256])] of what builds source packages."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'in.txt')
        with open(source, 'w') as file:
            file.write('\n'.join(BUILD) + '\n')
        text = subprocess.run(
            ['uv', 'pip', 'compile', '--quiet', '--universal', '--generate-hashes', '--no-annotate', '--no-header',
             '--no-deps', '--unsafe-package', 'none', '--python-version', '3.9', source],
            stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
    return [('%s==%s' % (name, version), hashes) for name, version, _, hashes in parse(text)]


def main(only):
    data = {'files': {}, 'releases': {}}
    if os.path.exists(TARGET):
        with open(TARGET) as file:
            data = json.load(file)
    for kfp, (oldest, newest, kubernetes) in RELEASES.items():
        if only and kfp not in only:
            continue
        packages = []
        text = resolve_any(kfp, oldest, kubernetes)
        if text is None:
            print(kfp, 'cannot be resolved today and is left as it was')
            continue
        for name, version, marker, hashes in parse(text):
            data['files']['%s==%s' % (name, version)] = sorted(hashes)
            packages.append({'name': name, 'version': version, 'marker': marker, 'lean': name in LEAN})
        data['releases'][kfp] = {'python': [oldest, newest], 'packages': packages}
        print(kfp, len(packages), 'packages')
    used = {'%s==%s' % (one['name'], one['version']) for release in data['releases'].values() for one in release['packages']}
    data['files'] = {name: hashes for name, hashes in sorted(data['files'].items()) if name in used}
    data['sources'] = [pin for pin in data['files'] if not has_wheels(pin)]
    tools = build_tools()
    data['build'] = [pin for pin, _ in tools]
    data['files'].update({pin: sorted(hashes) for pin, hashes in tools})
    with open(TARGET, 'w') as file:
        json.dump(data, file, indent=0, separators=(',', ':'), sort_keys=True)
        file.write('\n')


if __name__ == '__main__':
    main(sys.argv[1:])
