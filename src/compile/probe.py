import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.machinery
import json
import os


def version(name):
    """What is installed under a name. The folder beside a package tells it; what reads more is slow to load."""
    wanted = name.replace('-', '_')
    for entry in sys.path:
        try:
            found = os.listdir(entry)
        except OSError:
            continue
        for one in found:
            stem, end = os.path.splitext(one)
            project, _, told = stem.partition('-')
            if end in ('.dist-info', '.egg-info', '.egg') and project.lower().replace('.', '_') == wanted:
                whole = end == '.dist-info' and told and os.path.exists(os.path.join(entry, one, 'METADATA'))
                return told if whole else asked(name)
    # archives are searched as well
    return asked(name) if any(os.path.isfile(entry) for entry in sys.path) else None


def asked(name):
    try:
        from importlib import metadata
        return metadata.version(name)
    except Exception:
        return None


print('\nkfp-gitops-probe ' + json.dumps({
    'executable': sys.executable,
    'version': list(sys.version_info[:3]),
    'implementation': sys.implementation.name,
    'abi': importlib.machinery.EXTENSION_SUFFIXES[0].strip('.'),
    'kfp': version('kfp'),
    'kubernetes': version('kfp-kubernetes'),
    'pip': version('pip'),
    'prefixes': sorted({os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)}),
    'path': [os.path.realpath(entry) for entry in sys.path if os.path.exists(entry)],
}))
