"""A file name with a space."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="file-with-space")
def with_space():
    work()
