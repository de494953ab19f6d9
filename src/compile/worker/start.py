"""The Python half of the compile engine: imports kfp once, compiles each file in a forked child.

The supervisor (this process) runs no line of a pipeline file. It owns one pair of pipes per child and tags
what comes out of them, so a child can say only things about its own file. What it writes to the program is
a sequence of headers (one line of JSON), each followed by as many raw bytes as the header's `n` says.

A child writes one header and the documents it names, and nothing that a child writes is parsed here.
"""
import sys

sys.path[:] = [entry for entry in sys.path if entry]

import _lsprof
import gc
import json
import linecache
import os
import select
import shutil
import signal
import stat
import time
import warnings

HERE = '<kfp-gitops worker>'
CHUNK = 65536
OS_SOURCE = os.__file__
ABC_SOURCE = sys.modules['_collections_abc'].__file__ if '_collections_abc' in sys.modules else ''
LINUX = sys.platform.startswith('linux')
