"""A file name with a dot, which an import statement takes for a package."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="dotted-file-name")
def dotted():
    work()
