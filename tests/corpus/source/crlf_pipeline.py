"""Windows line ends."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    # a comment: Größe
    return text + "é"


@dsl.pipeline(name="source-crlf")
def crlf(text: str = "größe"):
    work(text=text)
