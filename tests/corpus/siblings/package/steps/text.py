"""Components that work on text."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def shout(text: str) -> str:
    return text.upper()
