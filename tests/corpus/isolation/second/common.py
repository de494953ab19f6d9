"""A helper with a namesake."""
from kfp import dsl

IMAGE = "python:3.12-slim"


@dsl.component(base_image=IMAGE)
def work(text: str) -> str:
    return "second " + text
