"""A file name that is no Python identifier."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="file-with-dash")
def with_dash():
    work()
