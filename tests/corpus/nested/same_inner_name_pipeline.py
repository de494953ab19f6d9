"""Two inner pipelines of one name with different contents."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def step(text: str) -> str:
    return text


def make(suffix: str):

    @dsl.pipeline(name="inner")
    def inner(text: str) -> str:
        return step(text=f"{text}{suffix}").output

    return inner


steps = [make("1"), make("2"), make("1")]


@dsl.pipeline(name="nested-same-inner-name")
def outer(text: str = "x"):
    for inner in steps:
        text = inner(text=text).output
