"""A component called with an input it does not have."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="unknown-argument")
def unknown_argument():
    work(text="x", nmuber=1)
