"""A name of 129 characters."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="n" * 129)
def name_too_long():
    work()
