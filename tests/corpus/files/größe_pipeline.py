"""A file name beyond ASCII."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="file-beyond-ascii")
def größe():
    work()
