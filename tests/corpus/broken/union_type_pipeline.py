"""A type with a bar, which the SDK does not know."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str | None = None):
    pass
