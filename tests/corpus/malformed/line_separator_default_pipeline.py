"""A default with line ends that only Unicode and YAML 1.1 know: the comment ends there."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="malformed-line-separator-default")
def line_separator_default(a: str = "next\x85line", b: str = "line\u2028separator", c: str = "carriage\rreturn"):
    show(text=a)
