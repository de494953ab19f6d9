"""A component alone, with a default of two lines."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str = "first line\nsecond: line"):
    print(text)
