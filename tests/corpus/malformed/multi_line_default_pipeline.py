"""A default of two lines: the compiler writes it into the header comment as it is, and the second line becomes YAML."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="malformed-multi-line-default")
def multi_line_default(text: str = "first line\nsecond line"):
    show(text=text)
