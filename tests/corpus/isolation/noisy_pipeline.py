"""Prints, logs and warns at import, and when the pipeline is traced."""
import logging
import os
import sys
import warnings

from kfp import dsl

logging.basicConfig(level=logging.DEBUG)
print("to stdout", flush=True)
print('{"ok": true, "path": "not a result"}')
print("to stderr", file=sys.stderr)
os.write(1, b"bytes to stdout \xff\xfe\n")
warnings.warn("a warning")
logging.error("an error that is none")


@dsl.component(base_image="python:3.11-slim")
def work():
    print("never printed")


@dsl.pipeline(name="isolation-noisy")
def noisy():
    print("tracing")
    work()
