"""Half of a character, which UTF-8 cannot say."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="lone-surrogate")
def lone_surrogate():
    work(text="\ud83d")
