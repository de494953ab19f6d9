"""A component called without an input it needs."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str, number: int):
    pass


@dsl.pipeline(name="missing-argument")
def missing_argument():
    work(text="x")
