import sys
sys.path[:] = [entry for entry in sys.path if entry]
import json
import os
import sysconfig


def version(name):
    try:
        from importlib import metadata
        return metadata.version(name)
    except Exception:
        return None


print('\nkfp-gitops-probe ' + json.dumps({
    'executable': sys.executable,
    'version': list(sys.version_info[:3]),
    'implementation': sys.implementation.name,
    'abi': str(sysconfig.get_config_var('SOABI')),
    'kfp': version('kfp'),
    'kubernetes': version('kfp-kubernetes'),
    'pip': version('pip'),
    'prefixes': sorted({os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)}),
    'path': [os.path.realpath(entry) for entry in sys.path if os.path.exists(entry)],
}))
