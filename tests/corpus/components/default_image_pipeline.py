"""A component without a base image, which the compiler warns about."""
from kfp import dsl


@dsl.component
def bare(text: str) -> str:
    return text


@dsl.component()
def called(text: str = "x") -> str:
    return text


@dsl.pipeline
def default_image(text: str = "hello"):
    called(text=bare(text=text).output)
