"""Takes away what the rest of the compilation needs, and then is a good pipeline."""
import builtins
import sys

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="breaks-import")
def breaks_import():
    work()


sys.stdout = sys.stderr = None
sys.path[:] = []
builtins.open = None
builtins.print = None
