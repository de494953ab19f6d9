"""A pipeline that calls itself."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="recursive")
def recursive():
    work()
    recursive()
