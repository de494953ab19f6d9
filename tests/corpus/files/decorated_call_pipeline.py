"""dsl.pipeline and dsl.component called as functions rather than as decorators."""
from kfp import dsl


def plain(text: str) -> str:
    return text


def graph(text: str = "x"):
    step(text=text)


step = dsl.component(plain, base_image="python:3.11-slim")
called = dsl.pipeline(graph, name="decorated-call")
