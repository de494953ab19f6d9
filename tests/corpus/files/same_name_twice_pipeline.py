"""Two pipelines in one file that have the same pipeline name."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="twice")
def one():
    work(text="1")


@dsl.pipeline(name="twice")
def two():
    work(text="2")
