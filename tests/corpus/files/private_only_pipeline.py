"""A single pipeline, whose name starts with an underscore."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="private-only")
def _private_only():
    work()
