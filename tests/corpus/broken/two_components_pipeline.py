"""Two components and no pipeline."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def one():
    pass


@dsl.component(base_image="python:3.11-slim")
def two():
    pass
