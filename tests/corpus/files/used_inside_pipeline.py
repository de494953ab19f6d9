"""A pipeline used by another in the same file, which the first name in the alphabet does not tell apart."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="used-inner")
def a_inner(text: str = "x") -> str:
    return work(text=text).output


@dsl.pipeline(name="used-outer")
def z_outer(text: str = "y"):
    a_inner(text=text)
