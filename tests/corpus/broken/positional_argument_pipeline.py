"""A component called with positional arguments."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="positional-argument")
def positional_argument():
    work("x")
