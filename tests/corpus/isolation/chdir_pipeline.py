"""Changes the working directory and the search path at import."""
import os
import sys

from kfp import dsl

os.chdir("/")
sys.path.insert(0, "/nonexistent")
sys.path.append("/also-nonexistent")


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="isolation-chdir")
def chdir():
    work()
